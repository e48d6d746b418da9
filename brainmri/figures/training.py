"""Figures of the training stage: loss and accuracy by epoch, and the grid of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any, Final, Literal

import plotly.graph_objects as go

from brainmri.evaluation.wording import format_share
from brainmri.figures.palette import MUTED, STATUS_COLOURS, TEXT, apply_theme, architecture_colour, with_opacity
from brainmri.training.architecture_names import display_architecture
from brainmri.training.monitor import EpochPoint, RunRow
from brainmri.training.records import FINISHED, RUNNING

Quantity = Literal["train_loss", "train_accuracy"]

_AXIS_TITLES: Final[dict[str, str]] = {
    "train_loss": "Training loss (cross-entropy, nats)",
    "train_accuracy": "Accuracy on training images (%)",
}
_HOVER_FORMATS: Final[dict[str, str]] = {"train_loss": ".3f", "train_accuracy": ".1%"}


def draw_loss_curves(
    points: Sequence[EpochPoint], *, quantity: Quantity = "train_loss", epochs: int | None = None
) -> go.Figure:
    """Draw a thin line for each run and a bold one for the mean of each architecture.

    Parameters
    ----------
    points : sequence of EpochPoint
        In any order.
    quantity : {'train_loss', 'train_accuracy'}
    epochs : int, optional
        Planned epochs: the axis then shows how far training still has to go.

    Returns
    -------
    plotly.graph_objects.Figure
        Two traces an architecture: all runs with gaps between them, then the mean over the runs that reached the epoch.
    """
    figure = go.Figure()
    by_architecture: dict[str, list[EpochPoint]] = defaultdict(list)
    for point in points:
        by_architecture[point.architecture].append(point)
    for architecture, own in by_architecture.items():
        figure.add_trace(_run_lines(architecture, own, quantity))
    for architecture, own in by_architecture.items():
        figure.add_trace(_mean_line(architecture, own, quantity))
    figure.update_xaxes(title_text="Epoch", showgrid=False, rangemode="tozero", tickformat="d")
    if epochs:
        figure.update_xaxes(range=[0.5, epochs + 0.5])
    figure.update_yaxes(title_text=_AXIS_TITLES[quantity], zeroline=False)
    if quantity == "train_accuracy":
        figure.update_yaxes(tickformat=".0%")
    else:
        figure.update_yaxes(rangemode="tozero")
    return apply_theme(figure, height=340, revision=f"curves-{quantity}")


def draw_run_grid(runs: Sequence[RunRow]) -> go.Figure:
    """Draw one cell for each run: colour for its status, text for its accuracy or how far it is.

    Parameters
    ----------
    runs : sequence of RunRow

    Returns
    -------
    plotly.graph_objects.Figure
        Rows are architectures, columns repeats; cells carry ``[run_id, status, text]`` as custom data.
    """
    architectures = list(dict.fromkeys(run.architecture for run in runs))
    repeats = sorted({run.repeat for run in runs})
    by_place = {(run.architecture, run.repeat): run for run in runs}
    statuses = list(STATUS_COLOURS)
    cells = [[by_place.get((architecture, repeat)) for repeat in repeats] for architecture in architectures]
    figure = go.Figure(
        go.Heatmap(
            z=[[None if run is None else _code(run.status, statuses) for run in row] for row in cells],
            x=[str(repeat) for repeat in repeats],
            y=[display_architecture(architecture) for architecture in architectures],
            text=[["" if run is None else _cell_text(run) for run in row] for row in cells],
            texttemplate="%{text}",
            textfont={"color": TEXT, "size": 13},
            customdata=[[_cell_data(run) for run in row] for row in cells],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
            hoverongaps=False,
            zmin=-0.5,
            zmax=len(statuses) - 0.5,
            colorscale=_status_scale(statuses),
            showscale=False,
            xgap=4,
            ygap=4,
        )
    )
    figure.update_xaxes(title_text="Repeat", type="category", showgrid=False, side="bottom", tickfont={"color": MUTED})
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, tickfont={"color": TEXT, "size": 14})
    return apply_theme(figure, height=90 + 52 * max(len(architectures), 1), revision="runs").update_layout(margin_t=8)


def _run_lines(architecture: str, points: Sequence[EpochPoint], quantity: Quantity) -> go.Scatter:
    """Return all runs of an architecture as one trace: thirty traces would make the legend and the browser slow."""
    x: list[int | None] = []
    y: list[float | None] = []
    runs: list[str] = []
    by_run: dict[str, list[EpochPoint]] = defaultdict(list)
    for point in points:
        by_run[point.run_id].append(point)
    for run_id, own in by_run.items():
        own.sort(key=lambda point: point.epoch)
        x += [*(point.epoch for point in own), None]
        y += [*(getattr(point, quantity) for point in own), None]
        runs += [run_id] * (len(own) + 1)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name=f"{display_architecture(architecture)}, single runs",
        legendgroup=architecture,
        showlegend=False,
        line={"color": with_opacity(architecture_colour(architecture), 0.28), "width": 1},
        customdata=runs,
        hovertemplate=f"%{{customdata}}<br>Epoch %{{x}}: %{{y:{_HOVER_FORMATS[quantity]}}}<extra></extra>",
    )


def _mean_line(architecture: str, points: Sequence[EpochPoint], quantity: Quantity) -> go.Scatter:
    values: dict[int, list[float]] = defaultdict(list)
    for point in points:
        values[point.epoch].append(getattr(point, quantity))
    epochs = sorted(values)
    return go.Scatter(
        x=epochs,
        y=[fmean(values[epoch]) for epoch in epochs],
        mode="lines+markers" if len(epochs) < 3 else "lines",
        name=display_architecture(architecture),
        legendgroup=architecture,
        line={"color": architecture_colour(architecture), "width": 3},
        customdata=[len(values[epoch]) for epoch in epochs],
        hovertemplate=(
            f"{display_architecture(architecture)}, mean of %{{customdata}} runs<br>"
            f"Epoch %{{x}}: %{{y:{_HOVER_FORMATS[quantity]}}}<extra></extra>"
        ),
    )


def _code(status: str, statuses: Sequence[str]) -> int:
    return statuses.index(status) if status in statuses else 0


def _cell_text(run: RunRow) -> str:
    if run.status == FINISHED:
        return format_share(run.accuracy)
    return f"{run.epoch}/{run.epochs}" if run.status == RUNNING else run.status


def _cell_data(run: RunRow | None) -> list[str]:
    if run is None:
        return ["", "", ""]
    if run.status == FINISHED:
        return [run.run_id, "Finished", f"{format_share(run.accuracy)} of test images correct"]
    if run.status == RUNNING:
        return [run.run_id, "Running", f"Epoch {run.epoch} of {run.epochs}"]
    return [run.run_id, run.status.capitalize(), run.message or ""]


def _status_scale(statuses: Sequence[str]) -> list[list[Any]]:
    """Return a colour scale with a flat step for each status."""
    scale: list[list[Any]] = []
    for index, status in enumerate(statuses):
        colour = with_opacity(STATUS_COLOURS[status], 0.3)
        scale += [[index / len(statuses), colour], [(index + 1) / len(statuses), colour]]
    return scale
