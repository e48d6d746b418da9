"""Figures of reading sessions: readers, cases, confidence, learning, and readers with and without the network.

Grey stands for a reader alone, the accent colour for the same reader with the network, and the symbols differ as well:
hollow alone, filled with the network.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from brainmri.evaluation.intervals import ShareInterval
from brainmri.evaluation.wording import format_points, format_range, format_share
from brainmri.figures.palette import (
    ACCENT,
    MUTED,
    SEQUENTIAL_SCALE,
    TEXT,
    WARNING,
    apply_theme,
    diagnosis_colour,
    ink_on,
    with_opacity,
)
from brainmri.teaching.answers import STEPS, Step
from brainmri.teaching.board import CaseAnswers
from brainmri.teaching.confidence import Calibration
from brainmri.teaching.items import Item, Items
from brainmri.teaching.learning import Learning
from brainmri.teaching.multireader import MultiReader
from brainmri.teaching.scores import ReaderScore, StepScore
from brainmri.vocabulary import display_diagnosis

STEP_COLOURS: Final[dict[Step, str]] = {"alone": MUTED, "with network": ACCENT}
_STEP_SYMBOLS: Final[dict[Step, str]] = {"alone": "circle-open", "with network": "circle"}
_STEP_NAMES: Final[dict[Step, str]] = {"alone": "Alone", "with network": "With the network"}
_ROW_PX: Final = 34
_SIDE_PX: Final = 380
_APART: Final = 0.14
"""Of the two marks of a reader, in rows."""

_SHARE_RANGE: Final = (-0.02, 1.02)
_MOST_TICKS: Final = 6


def draw_reader_accuracies(
    scores: Sequence[ReaderScore], *, network: ShareInterval | None = None, names: Sequence[str] | None = None
) -> go.Figure:
    """Draw each reader's accuracy alone and with the network, joined by a line, one row a reader.

    Parameters
    ----------
    scores : sequence of ReaderScore
        From the top; steps without an answer are left out.
    network : ShareInterval, optional
        The network on these cases, as a line with its interval as a band.
    names : sequence of str, optional
        Shown in place of the readers' names.
    """
    figure = go.Figure()
    if network is not None and network.share is not None:
        figure.add_vrect(x0=network.lower, x1=network.upper, fillcolor=WARNING, opacity=0.1, line_width=0)
        figure.add_trace(_vertical(network.share, f"Network alone, {format_share(network.share)}", len(scores)))
    for row, score in enumerate(scores):
        ends = [score.alone.accuracy.share, score.assisted.accuracy.share]
        if None not in ends:
            figure.add_trace(_joint(ends, row))
    for place, step in enumerate(STEPS):
        steps = [score.alone if step == "alone" else score.assisted for score in scores]
        rows = [row for row, one in enumerate(steps) if one.accuracy.share is not None]
        height = [row + (_APART if place else -_APART) for row in rows]
        figure.add_trace(_shares([steps[row].accuracy for row in rows], height, step, horizontal=True))
    _name_rows(figure, [score.reader for score in scores] if names is None else names)
    figure.update_xaxes(title_text="Accuracy, 95 % interval", tickformat=".0%", range=_SHARE_RANGE, zeroline=False)
    return apply_theme(figure, height=110 + _ROW_PX * max(len(scores), 1), revision="reader-accuracies")


def draw_reader_confusion(score: StepScore) -> go.Figure:
    """Draw the confusion matrix of a reader at one step: counts, coloured by the share of the true diagnosis."""
    names = [display_diagnosis(one.name) for one in score.classes]
    totals = score.confusion.sum(axis=1, keepdims=True)
    shares = np.divide(score.confusion, totals, out=np.full(score.confusion.shape, np.nan), where=totals > 0)
    cells = list(np.ndindex(shares.shape))
    figure = go.Figure(
        go.Heatmap(
            z=[[None if np.isnan(share) else float(share) for share in row] for row in shares],
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL_SCALE,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=[[format_share(share, digits=0) for share in row] for row in shares],
            hovertemplate="Pathology %{y}, answered %{x}: %{customdata} of the pathology<extra></extra>",
        )
    )
    for true, said in cells:
        figure.add_annotation(
            x=names[said],
            y=names[true],
            text=str(int(score.confusion[true, said])),
            showarrow=False,
            font={"size": 16, "color": ink_on(float(shares[true, said]))},
        )
    figure.update_xaxes(title_text="Answer", showgrid=False, tickfont={"color": TEXT})
    figure.update_yaxes(title_text="Pathology", showgrid=False, autorange="reversed", tickfont={"color": TEXT})
    return apply_theme(figure, height=_SIDE_PX, revision="reader-confusion")


def draw_calibration(calibrations: dict[Step, Calibration]) -> go.Figure:
    """Draw the share right against the confidence, with 95 % intervals; on the line, confidence means what it says."""
    figure = go.Figure(_diagonal("As sure as right"))
    for step, found in calibrations.items():
        bins = [one for one in found.bins if one.mean_confidence is not None]
        trace = _shares([one.right for one in bins], [one.mean_confidence or 0.0 for one in bins], step)
        trace.update(mode="lines+markers", line={"color": STEP_COLOURS[step], "width": 1.5})
        figure.add_trace(trace)
    figure.update_xaxes(title_text="Confidence in the answer", range=_SHARE_RANGE, tickformat=".0%")
    figure.update_yaxes(title_text="Share that is right", range=_SHARE_RANGE, tickformat=".0%", zeroline=False)
    return apply_theme(figure, height=_SIDE_PX, revision="reader-calibration")


def draw_case_answers(found: CaseAnswers, *, reveal: bool = False) -> go.Figure:
    """Draw how many readers chose each diagnosis of a case.

    Parameters
    ----------
    found : CaseAnswers
    reveal : bool
        Whether to mark the pathology, which nothing else in the figure tells.
    """
    classes = list(found.counts)
    right = [reveal and name == found.truth for name in classes]
    labels = [
        f"{display_diagnosis(name)} · pathology" if mark else display_diagnosis(name)
        for name, mark in zip(classes, right, strict=True)
    ]
    figure = go.Figure(
        go.Bar(
            x=list(found.counts.values()),
            y=labels,
            orientation="h",
            marker={
                "color": [
                    with_opacity(diagnosis_colour(name), 1.0 if mark or not reveal else 0.45)
                    for name, mark in zip(classes, right, strict=True)
                ],
                "line": {"color": TEXT, "width": [3 if mark else 0 for mark in right]},
            },
            text=[str(count) for count in found.counts.values()],
            textposition="outside",
            textfont={"size": 18, "color": TEXT},
            cliponaxis=False,
            customdata=[html.escape(", ".join(names), quote=False) or "nobody" for names in found.who.values()],
            hovertemplate="%{y}: %{x}<br>%{customdata}<extra></extra>",
        )
    )
    readers = max(found.readers, 1)
    step = -(-readers // _MOST_TICKS)  # rounded up: readers are whole
    figure.update_xaxes(title_text="Readers", range=[0, readers], tick0=0, dtick=step, zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": TEXT, "size": 16}, ticklabelstandoff=8)
    return apply_theme(figure, height=110 + 56 * len(classes), revision="case-answers")


def draw_items(found: Items) -> go.Figure:
    """Draw cases by the share of readers who are right and their discrimination; cases without one are left out."""
    figure = go.Figure()
    shown = [item for item in found.items if item.discrimination is not None]
    for truth in dict.fromkeys(item.truth for item in shown):
        mine = sorted(
            (item for item in shown if item.truth == truth),
            key=lambda item: -(item.discrimination or 0.0),  # the legend takes the first one's symbol
        )
        figure.add_trace(
            go.Scatter(
                x=[item.right.share for item in mine],
                y=[item.discrimination for item in mine],
                mode="markers",
                name=display_diagnosis(truth),
                marker={
                    "size": 11,
                    "color": diagnosis_colour(truth),
                    "symbol": ["x" if (item.discrimination or 0.0) < 0 else "circle" for item in mine],
                },
                customdata=[_describe_item(item) for item in mine],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="Readers who are right", range=_SHARE_RANGE, tickformat=".0%", zeroline=False)
    figure.update_yaxes(title_text="Discrimination", range=[-1.05, 1.05], zeroline=False)
    return apply_theme(figure, height=_SIDE_PX, revision="items").update_layout(showlegend=True)


def draw_difficulty(found: Items) -> go.Figure:
    """Draw the share of readers who are right on each case with its interval, the hardest case on top."""
    shown = sorted(
        (item for item in found.items if item.right.share is not None),
        key=lambda item: (item.right.share or 0.0, item.case_id),
    )
    trace = _shares([item.right for item in shown], list(range(len(shown))), found.step, horizontal=True)
    trace.update(
        marker={"size": 10, "symbol": "circle", "color": [diagnosis_colour(item.truth) for item in shown]},
        customdata=[_describe_item(item) for item in shown],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure(trace)
    _name_rows(figure, [f"{item.case_id} · {display_diagnosis(item.truth)}" for item in shown])
    figure.update_xaxes(title_text="Readers who are right, 95 % interval", range=_SHARE_RANGE, tickformat=".0%")
    return apply_theme(figure, height=90 + 26 * max(len(shown), 1), revision="difficulty")


def draw_learning(found: Learning) -> go.Figure:
    """Draw the accuracy of a reader over sessions with 95 % intervals."""
    trace = _shares(
        [point.accuracy for point in found.points], [point.date.isoformat() for point in found.points], "alone"
    )
    trace.update(
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": 11, "symbol": "circle", "color": ACCENT},
        text=[html.escape(point.title, quote=False) for point in found.points],
        hovertemplate="<b>%{text}</b><br>%{customdata[0]}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure(trace)
    figure.update_xaxes(title_text="Session", type="date")
    figure.update_yaxes(title_text="Accuracy", range=_SHARE_RANGE, tickformat=".0%", zeroline=False)
    return apply_theme(figure, height=320, revision="learning")


def draw_multireader(found: MultiReader) -> go.Figure:
    """Draw the ROC curves of all readers alone and with the network, thin, and their means, thick.

    The difference of the mean areas with its interval is written into the figure.
    """
    figure = go.Figure(_diagonal("Guessing"))
    for way, step in enumerate(STEPS):
        for curve in found.curves[way]:
            figure.add_trace(
                go.Scatter(
                    x=found.grid,
                    y=curve,
                    mode="lines",
                    line={"color": with_opacity(STEP_COLOURS[step], 0.35), "width": 1},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
    if found.analysis is not None:
        for way, step in enumerate(STEPS):
            area = found.analysis.means[way].auc
            figure.add_trace(
                go.Scatter(
                    x=found.grid,
                    y=found.curves[way].mean(axis=0),
                    mode="lines",
                    name=f"{_STEP_NAMES[step]}, mean area {area:.3f}",
                    line={"color": STEP_COLOURS[step], "width": 3.5, "dash": "dot" if step == "alone" else "solid"},
                    hovertemplate="%{x:.0%} false alarms: %{y:.0%} found<extra></extra>",
                )
            )
        figure.add_annotation(
            text=_describe_change(found), x=0.98, y=0.06, xanchor="right", showarrow=False, font={"size": 15}
        )
    figure.update_xaxes(title_text="False positive rate", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title_text="True positive rate", range=_SHARE_RANGE, tickformat=".0%", zeroline=False)
    return apply_theme(figure, height=440, revision="multireader")


def _shares(shares: Sequence[ShareInterval], at: Sequence[Any], step: Step, *, horizontal: bool = False) -> go.Scatter:
    """Return markers of shares with their intervals; ``at`` is where they stand on the other axis."""
    values = [one.share or 0.0 for one in shares]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [(one.upper or 0.0) - value for one, value in zip(shares, values, strict=True)],
        "arrayminus": [value - (one.lower or 0.0) for one, value in zip(shares, values, strict=True)],
        "color": with_opacity(STEP_COLOURS[step], 0.7),
        "thickness": 1.5,
        "width": 4,
    }
    return go.Scatter(
        **(
            {"x": values, "y": list(at), "error_x": bars}
            if horizontal
            else {"x": list(at), "y": values, "error_y": bars}
        ),
        mode="markers",
        name=_STEP_NAMES[step],
        marker={
            "size": 11,
            "symbol": _STEP_SYMBOLS[step],
            "color": STEP_COLOURS[step],
            "line": {"width": 2, "color": STEP_COLOURS[step]},
        },
        cliponaxis=False,
        customdata=[[_describe_share(one)] for one in shares],
        hovertemplate=f"{_STEP_NAMES[step]}: %{{customdata[0]}}<extra></extra>",
    )


def _describe_share(one: ShareInterval) -> str:
    return f"{format_share(one.share)} ({format_range(one.lower, one.upper)}), {one.hits} of {one.n}"


def _describe_item(item: Item) -> list[str]:
    wrong = f"Commonest wrong answer: {display_diagnosis(item.commonest_wrong)}" if item.commonest_wrong else ""
    value = "no discrimination" if item.discrimination is None else f"discrimination {item.discrimination:+.2f}"
    return [item.case_id, f"{_describe_share(item.right)} readers right, {value.replace('-', '−')}", wrong]


def _describe_change(found: MultiReader) -> str:
    if found.analysis is None:
        return ""
    change = found.analysis.change if found.analysis.change.lower is not None else found.analysis.change_of_these
    difference = f"Difference {change.difference:+.3f}".replace("-", "−")
    if change.lower is None or change.upper is None:
        return f"{difference}, no interval"
    return f"{difference}, 95 % interval {change.lower:.3f} to {change.upper:.3f}".replace("-", "−")


def _joint(ends: Sequence[float | None], row: int) -> go.Scatter:
    return go.Scatter(
        x=list(ends),
        y=[row - _APART, row + _APART],
        mode="lines",
        line={"color": with_opacity(ACCENT, 0.5), "width": 3},
        hovertemplate=f"Change {format_points((ends[1] or 0.0) - (ends[0] or 0.0))} points<extra></extra>",
        showlegend=False,
    )


def _name_rows(figure: go.Figure, names: Sequence[str]) -> None:
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[html.escape(name, quote=False) for name in names],
        tickfont={"color": TEXT},
        range=[max(len(names), 1) - 0.4, -0.6],
        ticklabelstandoff=8,
        showgrid=False,
        zeroline=False,
    )


def _vertical(x: float, name: str, rows: int) -> go.Scatter:
    return go.Scatter(
        x=[x, x],
        y=[-0.6, max(rows, 1) - 0.4],
        mode="lines",
        name=name,
        line={"color": WARNING, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )


def _diagonal(name: str) -> go.Scatter:
    return go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", name=name, line={"color": MUTED, "width": 1, "dash": "dash"}, hoverinfo="skip"
    )
