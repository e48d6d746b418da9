"""Figures of leakage: networks under both kinds of split, and near-duplicates across splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from brainmri.evaluation.loading import Level
from brainmri.evaluation.metric_text import (
    format_metric,
    format_metric_difference,
    is_share,
    scale_of,
    title_axis,
    title_difference,
)
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.near_duplicates import NearDuplicates
from brainmri.evaluation.side_by_side import ComparedNetwork, SideBySide, describe_interval
from brainmri.figures.palette import ACCENT, MUTED, TEXT, apply_theme, architecture_colour
from brainmri.training.architecture_names import display_architecture

Counted = Literal["near", "same case"]
"""Test images with a near-duplicate in training, or those whose nearest training image is of the same case."""

_FIRST, _SECOND = "diamond-open", "circle"
_OFFSETS: Final = (0.14, -0.14)
_WIDTHS: Final = (4, 2)
_FEWEST_ON_AXIS: Final = 5


def draw_side_by_side(
    compared: SideBySide, *, metric: Metric, classes: Sequence[str] = (), level: Level = "image"
) -> go.Figure:
    """Draw each network's mean in both experiments, and beside it their difference with its 95 % intervals.

    Parameters
    ----------
    compared : SideBySide
    metric : Metric
    classes : sequence of str
        Diagnoses by class index; needed for a metric of one class.
    level : {'image', 'case'}
    """
    figure = make_subplots(cols=2, shared_yaxes=True, column_widths=[0.5, 0.5], horizontal_spacing=0.04)
    places = {one.architecture: -index for index, one in enumerate(compared.networks)}
    for one in compared.networks:
        figure.add_trace(_link(one, places[one.architecture], metric), row=1, col=1)
    figure.add_trace(_means(compared.networks, compared.second, _SECOND, metric), row=1, col=1)
    figure.add_trace(_means(compared.networks, compared.first, _FIRST, metric), row=1, col=1)
    figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"}, row=1, col=2)
    for index in range(max((len(one.intervals) for one in compared.networks), default=0)):
        figure.add_trace(_differences(compared.networks, index, metric), row=1, col=2)
    figure.update_yaxes(
        tickvals=list(places.values()),
        ticktext=[display_architecture(name) for name in places],
        tickfont={"color": TEXT, "size": 14},
        range=[-len(places) + 0.5, 0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(
        title_text=title_axis(metric, classes, level),
        ticksuffix=" %" if is_share(metric) else None,
        zeroline=False,
        row=1,
        col=1,
    )
    figure.update_xaxes(title_text=title_difference(metric), rangemode="tozero", zeroline=False, row=1, col=2)
    return apply_theme(figure, height=150 + 70 * max(len(places), 1), revision="side-by-side").update_layout(
        margin_t=44
    )


def draw_duplicates(
    by_experiment: Mapping[str, Mapping[int, NearDuplicates]], *, counted: Counted = "near"
) -> go.Figure:
    """Draw for each repeat how many test images a near-duplicate in training gives away.

    Parameters
    ----------
    by_experiment : mapping of str to mapping of int to NearDuplicates
        By the experiment as the legend calls it, and by repeat.
    counted : {'near', 'same case'}
    """
    figure = go.Figure()
    colours = (ACCENT, MUTED)
    for place, (name, by_repeat) in enumerate(by_experiment.items()):
        known = {repeat: one for repeat, one in by_repeat.items() if one.pairs}
        counts = [_count(one, counted) for one in known.values()]
        figure.add_trace(
            go.Bar(
                x=list(known),
                y=counts,
                name=name,
                marker={"color": colours[place % 2], "line": {"width": 0}},
                customdata=[
                    [one.test_images, f"{count / one.test_images:.1%}"]
                    for one, count in zip(known.values(), counts, strict=True)
                ],
                hovertemplate=(
                    f"<b>{name}</b><br>Repeat %{{x}}: %{{y}} of %{{customdata[0]}} test images (%{{customdata[1]}})"
                    "<extra></extra>"
                ),
            )
        )
    figure.update_xaxes(title_text="Repeat", dtick=1, showgrid=False)
    highest = max((max(trace.y, default=0) for trace in figure.data), default=0)
    figure.update_yaxes(
        title_text="Test images",
        range=[0, max(1.08 * highest, _FEWEST_ON_AXIS)],
        dtick=1 if highest < _FEWEST_ON_AXIS else None,
        zeroline=False,
    )
    figure.update_layout(barmode="group", bargap=0.35, showlegend=True)
    return apply_theme(figure, height=280, revision="duplicates")


def _count(found: NearDuplicates, counted: Counted) -> int:
    return len(found.near) if counted == "near" else sum(pair.same_case for pair in found.pairs)


def _link(one: ComparedNetwork, place: int, metric: Metric) -> go.Scatter:
    ends = [scale_of(metric) * value for value in (one.first, one.second) if value is not None]
    return go.Scatter(
        x=ends,
        y=[place] * len(ends),
        mode="lines",
        line={"color": architecture_colour(one.architecture), "width": 2},
        opacity=0.5,
        hoverinfo="skip",
        showlegend=False,
    )


def _means(networks: Sequence[ComparedNetwork], name: str, symbol: str, metric: Metric) -> go.Scatter:
    values = [one.first if symbol == _FIRST else one.second for one in networks]
    repeats = [one.repeats_first if symbol == _FIRST else one.repeats_second for one in networks]
    return go.Scatter(
        x=[None if value is None else scale_of(metric) * value for value in values],
        y=[-index for index in range(len(networks))],
        mode="markers",
        name=name,
        marker={
            "symbol": symbol,
            "size": 13,
            "color": [architecture_colour(one.architecture) for one in networks],
            "line": {"width": 2.5 if symbol == _FIRST else 0},
        },
        customdata=[
            [display_architecture(one.architecture), format_metric(value, metric), count]
            for one, value, count in zip(networks, values, repeats, strict=True)
        ],
        hovertemplate=(
            f"<b>%{{customdata[0]}}</b>, {name}<br>Mean <b>%{{customdata[1]}}</b> of %{{customdata[2]}} repeats"
            "<extra></extra>"
        ),
    )


def _differences(networks: Sequence[ComparedNetwork], index: int, metric: Metric) -> go.Scatter:
    scale = scale_of(metric)
    intervals = [one.intervals[index] for one in networks]
    middles = [one.difference or 0.0 for one in networks]
    alone = len(networks[0].intervals) == 1
    return go.Scatter(
        x=[None if one.difference is None else scale * one.difference for one in networks],
        y=[-place + (0.0 if alone else _OFFSETS[index % 2]) for place in range(len(networks))],
        mode="markers",
        name=intervals[0].name,
        marker={"size": 9, "color": TEXT if index == 0 else MUTED},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [
                0.0 if one.upper is None else scale * (one.upper - middle)
                for one, middle in zip(intervals, middles, strict=True)
            ],
            "arrayminus": [
                0.0 if one.lower is None else scale * (middle - one.lower)
                for one, middle in zip(intervals, middles, strict=True)
            ],
            "color": TEXT if index == 0 else MUTED,
            "thickness": _WIDTHS[index % 2],
            "width": 0,
        },
        customdata=[
            [
                display_architecture(one.architecture),
                format_metric_difference(one.difference, metric),
                describe_interval(interval, metric),
            ]
            for one, interval in zip(networks, intervals, strict=True)
        ],
        hovertemplate=(
            f"<b>%{{customdata[0]}}</b><br>Difference <b>%{{customdata[1]}}</b><br>{intervals[0].name}: "
            "%{customdata[2]}<extra></extra>"
        ),
    )
