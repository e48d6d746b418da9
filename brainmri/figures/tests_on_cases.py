"""Figures of comparisons on the same cases: areas under ROC curves, and metrics with intervals over patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from brainmri.evaluation.bootstrap import Bootstrap
from brainmri.evaluation.delong import AreaComparison
from brainmri.evaluation.metric_text import format_metric, format_metric_difference, scale_of, title_difference
from brainmri.evaluation.rows_of_tests import name_pair
from brainmri.figures.palette import ACCENT, MUTED, TEXT, apply_theme, architecture_colour
from brainmri.training.architecture_names import display_architecture


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """A value with its interval, and how both are written."""

    name: str
    value: float
    lower: float | None
    upper: float | None
    colour: str
    written: str
    interval: str


def draw_areas(compared: AreaComparison) -> go.Figure:
    """Draw the area under the ROC curve of each network with its interval; networks without an area are left out."""
    marks = [
        _Mark(
            name=display_architecture(area.name),
            value=area.auc,
            lower=area.lower,
            upper=area.upper,
            colour=architecture_colour(area.name),
            written=f"{area.auc:.3f}",
            interval="no interval" if area.lower is None else f"95 % interval {area.lower:.3f} to {area.upper:.3f}",
        )
        for area in compared.areas
        if area.auc is not None
    ]
    return _draw(marks, title="Area under the ROC curve", revision="areas")


def draw_patient_intervals(bootstrap: Bootstrap, title: str) -> go.Figure:
    """Draw the metric of each network, the mean over its runs, with its interval over patients.

    Parameters
    ----------
    bootstrap : Bootstrap
    title : str
        Of the axis.
    """
    metric, scale = bootstrap.metric, scale_of(bootstrap.metric)
    marks = [
        _Mark(
            name=display_architecture(one.architecture),
            value=scale * one.value,
            lower=None if one.lower is None else scale * one.lower,
            upper=None if one.upper is None else scale * one.upper,
            colour=architecture_colour(one.architecture),
            written=format_metric(one.value, metric),
            interval=_interval(*(format_metric(end, metric) for end in (one.lower, one.upper))),
        )
        for one in bootstrap.architectures
        if one.value is not None
    ]
    return _draw(marks, title=title, revision="patient-intervals")


def draw_patient_differences(bootstrap: Bootstrap) -> go.Figure:
    """Draw the differences of all pairs with their intervals over patients; shares in percentage points."""
    metric, scale = bootstrap.metric, scale_of(bootstrap.metric)
    marks = [
        _Mark(
            name=name_pair(one.a, one.b),
            value=scale * one.difference,
            lower=None if one.lower is None else scale * one.lower,
            upper=None if one.upper is None else scale * one.upper,
            colour=ACCENT,
            written=format_metric_difference(one.difference, metric),
            interval=_interval(*(format_metric_difference(end, metric) for end in (one.lower, one.upper))),
        )
        for one in bootstrap.differences
        if one.difference is not None
    ]
    return _draw(marks, title=title_difference(metric), revision="patient-differences", zero=True)


def _draw(marks: Sequence[_Mark], *, title: str, revision: str, zero: bool = False) -> go.Figure:
    figure = go.Figure()
    if zero:
        figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    for place, mark in enumerate(marks):
        figure.add_trace(_trace(mark, -place))
    figure.update_xaxes(title_text=title, zeroline=False)
    figure.update_yaxes(
        tickmode="array",
        tickvals=[-place for place in range(len(marks))],
        ticktext=[mark.name for mark in marks],
        tickfont={"color": TEXT},
        range=[-len(marks) + 0.4, 0.6],
        ticklabelstandoff=8,
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(showlegend=False)
    return apply_theme(figure, height=90 + 48 * max(len(marks), 1), revision=revision)


def _trace(mark: _Mark, height: float) -> go.Scatter:
    bars = None
    if mark.lower is not None and mark.upper is not None:
        bars = {
            "type": "data",
            "symmetric": False,
            "array": [mark.upper - mark.value],
            "arrayminus": [mark.value - mark.lower],
            "color": mark.colour,
            "thickness": 2,
            "width": 6,
        }
    return go.Scatter(
        x=[mark.value],
        y=[height],
        mode="markers",
        name=mark.name,
        marker={"size": 11, "color": mark.colour, "symbol": "circle" if bars else "circle-open"},
        error_x=bars,
        hovertemplate=f"<b>{mark.name}</b><br>{mark.written}, {mark.interval}<extra></extra>",
    )


def _interval(lower: str, upper: str) -> str:
    return "no interval" if "–" in (lower, upper) else f"95 % interval {lower} to {upper}"
