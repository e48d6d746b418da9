"""Figures of the comparison of networks: a metric over repeats, and Tukey's intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from brainmri.evaluation.comparison import Descriptive, TukeyPair
from brainmri.evaluation.metric_text import (
    format_metric_difference,
    is_share,
    name_metric,
    scale_of,
    title_axis,
    title_difference,
)
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.predictions import Level
from brainmri.evaluation.published import PublishedAccuracy
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.wording import explain_pair, format_p, format_share
from brainmri.figures.palette import (
    ACCENT,
    BACKGROUND,
    MUTED,
    TEXT,
    apply_theme,
    architecture_colour,
    with_opacity,
)
from brainmri.training.architecture_names import display_architecture

ACCURACY: Final = Metric("accuracy")

PUBLISHED_LABEL: Final = "Published study, other data: median and IQR"

_POINTS_AT: Final = -0.3
_PUBLISHED_AT: Final = 0.34
_JITTER: Final = 0.18
_GOLDEN: Final = 0.618034
"""Steps of the golden ratio spread any number of points evenly, and the same way at every redraw."""


def draw_distribution(
    descriptive: Sequence[Descriptive],
    runs: Sequence[FinishedRun],
    *,
    metric: Metric = ACCURACY,
    classes: Sequence[str] = (),
    published: Sequence[PublishedAccuracy] = (),
    level: Level = "image",
) -> go.Figure:
    """Draw a box for each architecture with every repeat as a point beside it.

    Parameters
    ----------
    descriptive : sequence of Descriptive
        One an architecture. The box ends at the quartiles of type 7 as in the table.
    runs : sequence of FinishedRun
        The points; ``accuracy`` is the value of the metric.
    metric : Metric
    classes : sequence of str
        Diagnoses by class index; needed for a metric of one class.
    published : sequence of PublishedAccuracy
        Medians and quartiles of the published study to lay over, or none.
    level : {'image', 'case'}
        What is counted, for the title of the axis.

    Returns
    -------
    plotly.graph_objects.Figure
        Points carry ``[run_id, repeat, split seed]`` as custom data.
    """
    figure = go.Figure()
    shown = [row for row in descriptive if row.n]
    for place, row in enumerate(shown):
        figure.add_trace(_box(place, row))
        points = [run for run in runs if run.architecture == row.model]
        figure.add_trace(_points(place, row.model, points, metric, name_metric(metric, classes)))
    places = {row.model: place for place, row in enumerate(shown)}
    beside = [(places[one.architecture], one) for one in published if one.architecture in places]
    if beside:
        figure.add_trace(_published(beside))
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(places.values()),
        ticktext=[display_architecture(name) for name in places],
        tickfont={"color": TEXT, "size": 14},
        range=[-0.6, len(shown) - 0.4],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        title_text=title_axis(metric, classes, level), tickformat=".0%" if is_share(metric) else None, zeroline=False
    )
    figure.update_layout(showlegend=bool(beside))
    figure.update_layout(margin_t=32 if beside else 12)
    return apply_theme(figure, height=400, revision=f"{metric.name}-{metric.class_index}-{level}")


def draw_tukey_intervals(pairs: Sequence[TukeyPair], *, metric: Metric = ACCURACY) -> go.Figure:
    """Draw differences of mean values with simultaneous 95 % intervals, those of shares in percentage points.

    Parameters
    ----------
    pairs : sequence of TukeyPair
        Pairs without an interval are drawn as a hollow point.
    metric : Metric
        What was compared.
    """
    names = [f"{display_architecture(pair.a)} − {display_architecture(pair.b)}" for pair in pairs]
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    groups = (
        ("Interval leaves out zero", ACCENT, [i for i, pair in enumerate(pairs) if pair.is_clear]),
        ("Interval includes zero", MUTED, [i for i, pair in enumerate(pairs) if not pair.is_clear]),
    )
    for label, colour, chosen in groups:
        if chosen:
            figure.add_trace(_intervals(label, colour, [(names[i], pairs[i]) for i in chosen], metric))
    figure.update_xaxes(title_text=title_difference(metric), zeroline=False)
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=names[::-1],
        tickfont={"color": TEXT},
        range=[-0.6, len(pairs) - 0.4],
        ticklabelstandoff=8,
    )
    return apply_theme(figure, height=120 + 56 * max(len(pairs), 1), revision="tukey")


def _box(place: int, row: Descriptive) -> go.Box:
    colour = architecture_colour(row.model)
    return go.Box(
        x=[place],
        q1=[row.q1],
        median=[row.median],
        q3=[row.q3],
        lowerfence=[row.whisker_low],
        upperfence=[row.whisker_high],
        name=display_architecture(row.model),
        width=0.3,
        line={"color": colour, "width": 2},
        fillcolor=with_opacity(colour, 0.28),
        showlegend=False,
        hoverinfo="skip",
    )


def _points(place: int, architecture: str, runs: Sequence[FinishedRun], metric: Metric, named: str) -> go.Scatter:
    offsets = [_POINTS_AT + _JITTER * (run.repeat * _GOLDEN % 1 - 0.5) for run in runs]
    return go.Scatter(
        x=[place + offset for offset in offsets],
        y=[run.accuracy for run in runs],
        mode="markers",
        name=display_architecture(architecture),
        marker={
            "color": architecture_colour(architecture),
            "size": 8,
            "opacity": 0.9,
            "line": {"color": BACKGROUND, "width": 1},
        },
        customdata=[[run.run_id, run.repeat, "–" if run.split_seed is None else run.split_seed] for run in runs],
        hovertemplate=(
            f"{named} <b>%{{y:{'.1%' if is_share(metric) else '.3f'}}}</b><br>Run %{{customdata[0]}}"
            "<br>Repeat %{customdata[1]}, split seed %{customdata[2]}<extra></extra>"
        ),
        showlegend=False,
    )


def _published(beside: Sequence[tuple[int, PublishedAccuracy]]) -> go.Scatter:
    return go.Scatter(
        x=[place + _PUBLISHED_AT for place, _ in beside],
        y=[one.median for _, one in beside],
        mode="markers",
        name=PUBLISHED_LABEL,
        marker={"symbol": "diamond-open", "size": 11, "color": TEXT, "line": {"width": 2}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.q3 - one.median for _, one in beside],
            "arrayminus": [one.median - one.q1 for _, one in beside],
            "color": TEXT,
            "thickness": 2,
            "width": 7,
        },
        customdata=[
            [display_architecture(one.architecture), format_share(one.q1), format_share(one.q3)] for _, one in beside
        ],
        hovertemplate=(
            "Published study, other data<br>%{customdata[0]}: median <b>%{y:.1%}</b>"
            "<br>IQR %{customdata[1]} to %{customdata[2]}<extra></extra>"
        ),
    )


def _intervals(label: str, colour: str, named: Sequence[tuple[str, TukeyPair]], metric: Metric) -> go.Scatter:
    pairs, scale = [pair for _, pair in named], scale_of(metric)
    upper = [scale * (pair.upper - pair.difference) if pair.upper is not None else 0.0 for pair in pairs]
    lower = [scale * (pair.difference - pair.lower) if pair.lower is not None else 0.0 for pair in pairs]
    unit = " points" if is_share(metric) else ""
    return go.Scatter(
        x=[scale * pair.difference for pair in pairs],
        y=[name for name, _ in named],
        mode="markers",
        name=label,
        marker={
            "size": 11,
            "color": colour,
            "symbol": ["circle" if pair.p is not None else "circle-open" for pair in pairs],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": upper,
            "arrayminus": lower,
            "color": colour,
            "thickness": 2,
            "width": 7,
        },
        customdata=[
            [
                *(format_metric_difference(end, metric) for end in (pair.difference, pair.lower, pair.upper)),
                format_p(pair.p),
                explain_pair(pair),
            ]
            for pair in pairs
        ],
        hovertemplate=(
            f"%{{y}}<br><b>%{{customdata[0]}}{unit}</b>, 95 % interval %{{customdata[1]}} to %{{customdata[2]}}"
            "<br>%{customdata[3]}: %{customdata[4]}<extra></extra>"
        ),
    )
