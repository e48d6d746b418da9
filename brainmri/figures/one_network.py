"""Figures of one network in depth: confusions with scatter, curves with bands, reliability, referral, subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from brainmri.evaluation.calibration import Reliability
from brainmri.evaluation.confusion import Confusion
from brainmri.evaluation.curves import CurveBand
from brainmri.evaluation.referral import ReferralCurve
from brainmri.evaluation.subgroups import Subgroup
from brainmri.evaluation.wording import format_share
from brainmri.figures.palette import (
    ACCENT,
    BACKGROUND,
    MUTED,
    SEQUENTIAL_SCALE,
    TEXT,
    apply_theme,
    architecture_colour,
    diagnosis_colour,
    ink_on,
    with_opacity,
)
from brainmri.vocabulary import display_diagnosis

ConfusionValues = Literal["mean share", "mean count"]
"""What a cell says: the mean over the runs with its standard deviation, as a share of the true class or as a count."""

_BAND: Final = 0.18
_SIDE_PX: Final = 380
_CURVE_TITLES: Final = {
    "roc": ("False positive rate (1 − specificity)", "Sensitivity"),
    "precision_recall": ("Sensitivity (recall)", "Positive predictive value (precision)"),
}


def draw_confusion(confusion: Confusion, *, values: ConfusionValues = "mean share") -> go.Figure:
    """Draw one confusion matrix with mean ± standard deviation over the runs.

    Parameters
    ----------
    confusion : Confusion
    values : {'mean share', 'mean count'}

    Returns
    -------
    plotly.graph_objects.Figure
        The cells' transparent markers carry ``[true, predicted]``, class indices, as custom data.
    """
    names = [display_diagnosis(name) for name in confusion.classes]
    places = range(len(names))
    cells = [(true, predicted) for true in places for predicted in places]
    figure = go.Figure(
        go.Heatmap(
            z=[[None if np.isnan(share) else float(share) for share in row] for row in confusion.mean_row_shares],
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL_SCALE,
            showscale=False,
            xgap=3,
            ygap=3,
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(  # heat maps cannot be clicked in a page, points can
            x=[predicted for _, predicted in cells],
            y=[true for true, _ in cells],
            mode="markers+text",
            marker={"size": 60, "symbol": "square", "opacity": 0, "color": BACKGROUND},
            text=[_cell_text(confusion, *cell, values) for cell in cells],
            textfont={"size": 14, "color": [ink_on(confusion.mean_row_shares[cell]) for cell in cells]},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            customdata=[[*cell] for cell in cells],
            hovertext=[f"{names[true]} taken for {names[predicted]}" for true, predicted in cells],
            hovertemplate="%{hovertext}<br>Click for the cases<extra></extra>",
        )
    )
    ticks = {"tickmode": "array", "tickvals": list(places), "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_xaxes(title_text="Predicted", tickfont={"color": TEXT}, **ticks)
    figure.update_yaxes(title_text="True", tickfont={"color": TEXT}, autorange="reversed", **ticks)
    return apply_theme(figure, height=_SIDE_PX, revision="confusion").update_layout(showlegend=False)


def draw_curves(bands: Sequence[CurveBand]) -> go.Figure:
    """Draw mean ROC or precision-recall curves of several classes with bands of one standard deviation over the runs.

    Parameters
    ----------
    bands : sequence of CurveBand
        Of one kind; one without a run is left out.
    """
    figure = go.Figure()
    drawn = [(band, mean) for band in bands if (mean := band.mean) is not None]
    if bands and bands[0].kind == "roc":
        figure.add_trace(_line([0, 1], [0, 1], "Guessing"))
    for band, mean in drawn:
        colour = diagnosis_colour(band.class_name)
        if band.band is not None:
            figure.add_trace(_band(band.grid, *band.band, colour))
        figure.add_trace(
            go.Scatter(
                x=band.grid,
                y=mean,
                mode="lines",
                name=f"{display_diagnosis(band.class_name)} {_area(band)}",
                line={"color": colour, "width": 2.5},
                hovertemplate=f"{display_diagnosis(band.class_name)}: %{{y:.2f}} at %{{x:.2f}}<extra></extra>",
            )
        )
    across, up = _CURVE_TITLES[bands[0].kind] if bands else ("", "")
    figure.update_xaxes(title_text=across, range=[-0.02, 1.02], zeroline=False)
    figure.update_yaxes(title_text=up, range=[-0.02, 1.02], zeroline=False)
    return apply_theme(figure, height=_SIDE_PX, revision=f"curves-{bands[0].kind if bands else ''}")


def draw_reliability(found: Reliability, *, scaled: Reliability | None = None) -> go.Figure:
    """Draw how often a network is right against how sure it is, with 95 % intervals that count patients.

    Parameters
    ----------
    found : Reliability
    scaled : Reliability, optional
        After temperature scaling.
    """
    figure = go.Figure(_line([0, 1], [0, 1], "As sure as right"))
    figure.add_trace(_reliability(found, "As it is", architecture_colour(found.architecture), "circle"))
    if scaled is not None:
        figure.add_trace(_reliability(scaled, "Temperature scaled", TEXT, "diamond-open"))
    figure.update_xaxes(title_text="Probability of the predicted diagnosis", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title_text="Share that is right", range=[0, 1.02], tickformat=".0%", zeroline=False)
    return apply_theme(figure, height=_SIDE_PX, revision="reliability")


def draw_referral(curve: ReferralCurve, *, at: float, counted: str) -> go.Figure:
    """Draw the accuracy on what the network keeps against the share that goes to a human.

    Parameters
    ----------
    curve : ReferralCurve
    at : float
        Share that is referred, to mark, 0 to 1.
    counted : {'images', 'cases'}
    """
    figure = go.Figure()
    colour = architecture_colour(curve.architecture)
    if curve.mean is not None:
        if curve.band is not None:
            figure.add_trace(_band(curve.referred, *curve.band, colour))
        figure.add_trace(
            go.Scatter(
                x=curve.referred,
                y=curve.mean,
                mode="lines",
                name="Mean over the runs",
                line={"color": colour, "width": 2.5},
                hovertemplate="%{x:.0%} referred: %{y:.1%} right of the rest<extra></extra>",
            )
        )
    figure.add_vline(x=at, line={"color": ACCENT, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text=f"Share of {counted} referred to a human", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title_text="Accuracy on the rest", tickformat=".0%", zeroline=False)
    return apply_theme(figure, height=320, revision="referral").update_layout(showlegend=False)


def draw_subgroups(rows: Sequence[Subgroup], *, overall: float | None) -> go.Figure:
    """Draw the accuracy in each subgroup with its 95 % interval, one row a group; groups of few cases are hollow.

    Parameters
    ----------
    rows : sequence of Subgroup
        Of one architecture.
    overall : float or None
        Accuracy over all, to mark.
    """
    shown = [row for row in rows if row.accuracy.share is not None]
    names = [f"{row.attribute}: {row.group}" for row in shown]
    colour = architecture_colour(shown[0].architecture) if shown else TEXT
    shares = [row.accuracy.share or 0.0 for row in shown]
    figure = go.Figure(
        go.Scatter(
            x=shares,
            y=names,
            mode="markers",
            marker={
                "size": 10,
                "color": colour,
                "symbol": ["circle-open" if row.note else "circle" for row in shown],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(row.accuracy.upper or 0.0) - share for row, share in zip(shown, shares, strict=True)],
                "arrayminus": [share - (row.accuracy.lower or 0.0) for row, share in zip(shown, shares, strict=True)],
                "color": with_opacity(colour, 0.8),
                "thickness": 2,
                "width": 6,
            },
            customdata=[
                [format_share(row.accuracy.lower), format_share(row.accuracy.upper), row.cases] for row in shown
            ],
            hovertemplate=(
                "%{y}<br><b>%{x:.1%}</b>, 95 % interval %{customdata[0]} to %{customdata[1]}, %{customdata[2]} cases"
                "<extra></extra>"
            ),
        )
    )
    if overall is not None:
        figure.add_vline(x=overall, line={"color": MUTED, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="Accuracy", tickformat=".0%", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": TEXT}, ticklabelstandoff=8)
    return apply_theme(figure, height=90 + 30 * max(len(shown), 1), revision="subgroups")


def _cell_text(confusion: Confusion, true: int, predicted: int, values: ConfusionValues) -> str:
    if values == "mean share":
        share = confusion.mean_row_shares[true, predicted]
        if np.isnan(share):
            return "–"
        scatter = confusion.sd_row_shares
        spread = (
            "" if scatter is None or np.isnan(scatter[true, predicted]) else f" ± {100 * scatter[true, predicted]:.1f}"
        )
        return f"{100 * share:.1f}{spread} %"
    counts = confusion.sd_counts
    spread = "" if counts is None else f" ± {counts[true, predicted]:.1f}"
    return f"{confusion.mean_counts[true, predicted]:.1f}{spread}"


def _area(band: CurveBand) -> str:
    """Return the mean area with its standard deviation over the runs."""
    spread = "" if band.sd_area is None else f" ± {band.sd_area:.3f}"
    return "" if band.mean_area is None else f"{band.mean_area:.3f}{spread}"


def _reliability(found: Reliability, name: str, colour: str, symbol: str) -> go.Scatter:
    bins = [one for one in found.bins if one.mean_confidence is not None and one.right.share is not None]
    shares = [one.right.share or 0.0 for one in bins]
    return go.Scatter(
        x=[one.mean_confidence for one in bins],
        y=shares,
        mode="lines+markers",
        name=name,
        marker={"size": 9, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
        line={"color": colour, "width": 1.5},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [(one.right.upper or 0.0) - share for one, share in zip(bins, shares, strict=True)],
            "arrayminus": [share - (one.right.lower or 0.0) for one, share in zip(bins, shares, strict=True)],
            "color": with_opacity(colour, 0.6),
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[[one.right.n, one.patients] for one in bins],
        hovertemplate=(
            "Sure %{x:.0%}, right <b>%{y:.0%}</b><br>%{customdata[0]} answers on %{customdata[1]} patients"
            f"<extra>{name}</extra>"
        ),
    )


def _band(grid: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64], colour: str) -> go.Scatter:
    return go.Scatter(
        x=np.concatenate([grid, grid[::-1]]),
        y=np.concatenate([upper, lower[::-1]]),
        fill="toself",
        fillcolor=with_opacity(colour, _BAND),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _line(x: Sequence[float], y: Sequence[float], name: str) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        name=name,
        line={"color": MUTED, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=True,
    )
