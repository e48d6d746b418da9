"""Figures of the tests of models over repeats: pairs with intervals, posteriors, effect sizes, mean ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import plotly.graph_objects as go

from brainmri.evaluation.bayesian import BayesianPair
from brainmri.evaluation.effect_sizes import HedgesPair
from brainmri.evaluation.measure import Measure
from brainmri.evaluation.rank_tests import Friedman, undecided_groups
from brainmri.evaluation.rows_of_tests import PAIR_METHODS, PairInterval, PairMethod, decide, name_pair
from brainmri.evaluation.wording import format_p
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

_EQUAL_COLOUR: Final = "#3A4653"
_ROW_PX: Final = 30
_LABELLED: Final = 0.13
"""Narrower parts of a bar have no room for their percentage."""


class _Look(NamedTuple):
    """How a test of pairs is drawn: where in the row (0 is its middle), and with which mark."""

    shift: float
    colour: str
    symbol: str


_LOOKS: Final[dict[PairMethod, _Look]] = {
    "tukey": _Look(0.25, MUTED, "circle"),
    "games_howell": _Look(0.0, TEXT, "square"),
    "corrected_t": _Look(-0.25, ACCENT, "diamond"),
}


def draw_pair_intervals(intervals: Sequence[PairInterval], measure: Measure) -> go.Figure:
    """Draw every pair as a row with one mark and 95 % interval for each test.

    Parameters
    ----------
    intervals : sequence of PairInterval
        Filled marks are pairs that the test tells apart, hollow ones those that it does not.
    measure : Measure
    """
    pairs = list(dict.fromkeys((one.a, one.b) for one in intervals))
    places = {pair: -place for place, pair in enumerate(pairs)}
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    for method, look in _LOOKS.items():
        chosen = [one for one in intervals if one.method == method and one.difference is not None]
        if chosen:
            figure.add_trace(_key(method, look))
            heights = [places[one.a, one.b] + look.shift for one in chosen]
            figure.add_trace(_intervals(method, look, chosen, heights, measure))
    figure.update_xaxes(title_text=measure.axis, zeroline=False)
    _name_rows(figure, [name_pair(*pair) for pair in pairs])
    height = 110 + 3 * _ROW_PX * max(len(pairs), 1)
    return apply_theme(figure, height=height, revision="pair-intervals").update_layout(showlegend=True)


def draw_posterior(pairs: Sequence[BayesianPair]) -> go.Figure:
    """Draw the probabilities that one network is better, that both are practically equal, that the other is better.

    Parameters
    ----------
    pairs : sequence of BayesianPair
        Those without a posterior are left out. A bar has the colour of the network that is the better one.
    """
    shown = [pair for pair in pairs if pair.p_a_better is not None]
    models = list(dict.fromkeys(name for pair in shown for name in (pair.a, pair.b)))
    figure = go.Figure()
    for model in models:
        rows = [(place, pair) for place, pair in enumerate(shown) if model in (pair.a, pair.b)]
        figure.add_trace(_better(model, rows))
    figure.add_trace(_equal(shown))
    figure.update_xaxes(range=[0, 1.03], zeroline=False, showgrid=False, title_text="Probability")
    figure.update_xaxes(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "25 %", "50 %", "75 %", "100 %"])
    names = [f"{display_architecture(pair.a)} or {display_architecture(pair.b)}" for pair in shown]
    _name_rows(figure, names)
    figure.update_layout(barmode="overlay", showlegend=True)
    return apply_theme(figure, height=120 + 48 * max(len(shown), 1), revision="posterior")


def draw_hedges_g(pairs: Sequence[HedgesPair]) -> go.Figure:
    """Draw Hedges' g of every pair with its 95 % interval; pairs without one are left out."""
    shown = [pair for pair in pairs if pair.g is not None]
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    clear = [pair.lower is not None and pair.upper is not None and pair.lower * pair.upper > 0 for pair in shown]
    figure.add_trace(
        go.Scatter(
            x=[pair.g for pair in shown],
            y=[-place for place in range(len(shown))],
            mode="markers",
            marker={"size": 10, "color": ACCENT, "symbol": ["circle" if one else "circle-open" for one in clear]},
            error_x=_error_bars([(pair.g, pair.lower, pair.upper) for pair in shown], ACCENT),
            customdata=[[name_pair(pair.a, pair.b), *_ends(pair.lower, pair.upper)] for pair in shown],
            hovertemplate=(
                "%{customdata[0]}<br>g = <b>%{x:.2f}</b>, 95 % interval %{customdata[1]} to %{customdata[2]}"
                "<extra></extra>"
            ),
            showlegend=False,
        )
    )
    figure.update_xaxes(title_text="Hedges' g (standard deviations between repeats)", zeroline=False)
    _name_rows(figure, [name_pair(pair.a, pair.b) for pair in shown])
    return apply_theme(figure, height=100 + 48 * max(len(shown), 1), revision="hedges-g")


def draw_mean_ranks(result: Friedman) -> go.Figure:
    """Draw the critical-difference diagram of Nemenyi's test.

    Networks stand at their mean rank, the best at the left; a thick line joins those that are not told apart.

    References
    ----------
    Demšar J. Journal of Machine Learning Research 2006;7:1-30, figure 1.
    """
    order = sorted(result.mean_ranks, key=lambda model: result.mean_ranks[model])
    groups = undecided_groups(result)
    count, left_side = len(order), (len(order) + 1) // 2
    margin = 0.3 * max(count - 1, 1)
    left, right = 1 - margin, max(count + margin, 1 + (result.critical_difference or 0.0) + 0.1)
    first_level = 0.7 + 0.35 * len(groups)
    figure = go.Figure(_scale(count))
    for place, group in enumerate(groups):
        figure.add_trace(_joined(group, result, -0.4 - 0.35 * place))
    for place, model in enumerate(order):
        level = place if place < left_side else count - 1 - place
        edge = left if place < left_side else right
        figure.add_trace(_rank(model, result.mean_ranks[model], -(first_level + 0.8 * level), edge))
    if result.critical_difference is not None:
        figure.add_trace(_yardstick(result.critical_difference))
    lowest = first_level + 0.8 * (left_side - 1)
    figure.update_xaxes(visible=False, range=[left, right])
    figure.update_yaxes(visible=False, range=[-lowest - 0.3, 1.8])
    figure.update_layout(showlegend=False)
    return apply_theme(figure, height=round(42 + 40 * (lowest + 2.1)), revision="mean-ranks")


def _scale(count: int) -> go.Scatter:
    """Return the axis of ranks with a tick for each."""
    return go.Scatter(
        x=list(range(1, count + 1)),
        y=[0.0] * count,
        mode="lines+markers+text",
        line={"color": MUTED, "width": 1.5},
        marker={"symbol": "line-ns-open", "size": 10, "color": MUTED},
        text=[str(rank) for rank in range(1, count + 1)],
        textposition="top center",
        textfont={"color": MUTED, "size": 13},
        hoverinfo="skip",
    )


def _key(method: PairMethod, look: _Look) -> go.Scatter:
    """Return the entry of a test in the legend: filled, whichever pairs it tells apart."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=PAIR_METHODS[method],
        legendgroup=method,
        marker={"size": 10, "color": look.colour, "symbol": look.symbol},
    )


def _intervals(
    method: PairMethod, look: _Look, chosen: Sequence[PairInterval], heights: Sequence[float], measure: Measure
) -> go.Scatter:
    whole = "for all pairs at once" if method != "corrected_t" else "of this pair alone"
    name = PAIR_METHODS[method]
    return go.Scatter(
        x=[one.difference for one in chosen],
        y=list(heights),
        mode="markers",
        name=name,
        legendgroup=method,
        showlegend=False,
        marker={
            "size": 10,
            "color": look.colour,
            "symbol": [look.symbol if one.told_apart else f"{look.symbol}-open" for one in chosen],
        },
        error_x=_error_bars([(one.difference, one.lower, one.upper) for one in chosen], look.colour),
        customdata=[
            [
                name_pair(one.a, one.b),
                measure.describe_signed(one.difference),
                measure.describe_signed(one.lower),
                measure.describe_signed(one.upper),
                format_p(one.p),
                _explain(one),
            ]
            for one in chosen
        ],
        hovertemplate=(
            f"<b>{name}</b>: %{{customdata[0]}}<br>%{{customdata[1]}}, 95 % interval %{{customdata[2]}} to "
            f"%{{customdata[3]}} ({whole})<br>%{{customdata[4]}}: %{{customdata[5]}}<extra></extra>"
        ),
    )


def _explain(one: PairInterval) -> str:
    if one.p is None or one.difference is None:
        return "not tested"
    if not one.told_apart:
        return "not told apart"
    return f"{display_architecture(one.a if one.difference > 0 else one.b)} higher"


def _better(model: str, rows: Sequence[tuple[int, BayesianPair]]) -> go.Bar:
    """Return the bars of a network: at the left of a row where it is named first, at the right where second."""
    widths = [(pair.p_a_better if pair.a == model else pair.p_b_better) or 0.0 for _, pair in rows]
    bases = [0.0 if pair.a == model else 1 - width for (_, pair), width in zip(rows, widths, strict=True)]
    name = f"{display_architecture(model)} better"
    return _bar(name, architecture_colour(model), rows, bases, widths, ink=BACKGROUND)


def _equal(shown: Sequence[BayesianPair]) -> go.Bar:
    rows = list(enumerate(shown))
    bases = [pair.p_a_better or 0.0 for pair in shown]
    widths = [pair.p_equivalent or 0.0 for pair in shown]
    return _bar("Practically equal", _EQUAL_COLOUR, rows, bases, widths, ink=TEXT)


def _bar(
    name: str,
    colour: str,
    rows: Sequence[tuple[int, BayesianPair]],
    bases: Sequence[float],
    widths: Sequence[float],
    *,
    ink: str,
) -> go.Bar:
    return go.Bar(
        orientation="h",
        name=name,
        width=0.62,
        y=[-place for place, _ in rows],
        x=list(widths),
        base=list(bases),
        marker={"color": colour, "line": {"color": BACKGROUND, "width": 1}},
        text=[f"{100 * width:.0f} %" if width >= _LABELLED else "" for width in widths],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="none",
        textfont={"color": ink, "size": 13},
        customdata=[[_percentage(width), decide(pair)] for width, (_, pair) in zip(widths, rows, strict=True)],
        hovertemplate=f"<b>{name}</b>: %{{customdata[0]}}<br>In words: %{{customdata[1]}}<extra></extra>",
    )


def _rank(model: str, rank: float, depth: float, edge: float) -> go.Scatter:
    """Return a network's line: from its rank on the axis down, and out to its name at the edge."""
    outward = "top right" if edge < rank else "top left"
    return go.Scatter(
        x=[rank, rank, edge],
        y=[0, depth, depth],
        mode="lines+markers+text",
        line={"color": architecture_colour(model), "width": 2},
        marker={"color": architecture_colour(model), "size": [11, 0, 0]},
        text=["", "", f"{display_architecture(model)}  {rank:.2f}"],
        textposition=outward,
        textfont={"color": TEXT, "size": 13},
        hovertemplate=f"<b>{display_architecture(model)}</b><br>Mean rank {rank:.2f}<extra></extra>",
    )


def _joined(group: Sequence[str], result: Friedman, height: float) -> go.Scatter:
    names = ", ".join(display_architecture(model) for model in group)
    return go.Scatter(
        x=[result.mean_ranks[group[0]] - 0.03, result.mean_ranks[group[-1]] + 0.03],
        y=[height, height],
        mode="lines",
        line={"color": with_opacity(TEXT, 0.85), "width": 6},
        hovertemplate=f"Not told apart: {names}<extra></extra>",
    )


def _yardstick(length: float) -> go.Scatter:
    return go.Scatter(
        x=[1, 1 + length / 2, 1 + length],
        y=[1.2, 1.2, 1.2],
        mode="lines+markers+text",
        line={"color": ACCENT, "width": 2},
        marker={"symbol": "line-ns-open", "size": [10, 0, 10], "color": ACCENT},
        text=["", f"Critical difference {length:.2f}", ""],
        textposition="top center",
        textfont={"color": ACCENT, "size": 13},
        hovertemplate="Mean ranks that differ by more are told apart at 5 %<extra></extra>",
    )


def _name_rows(figure: go.Figure, names: Sequence[str]) -> None:
    figure.update_yaxes(
        tickmode="array",
        tickvals=[-place for place in range(len(names))],
        ticktext=list(names),
        tickfont={"color": TEXT},
        range=[-len(names) + 0.4, 0.6],
        ticklabelstandoff=8,
        showgrid=False,
        zeroline=False,
    )


def _error_bars(rows: Sequence[tuple[float | None, float | None, float | None]], colour: str) -> dict[str, Any]:
    """Return plotly's bars from values, lower and upper ends; none where an end is missing."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [None if value is None or upper is None else upper - value for value, _, upper in rows],
        "arrayminus": [None if value is None or lower is None else value - lower for value, lower, _ in rows],
        "color": colour,
        "thickness": 2,
        "width": 5,
    }


def _ends(lower: float | None, upper: float | None) -> list[str]:
    return ["–" if end is None else f"{end:.2f}".replace("-", "−") for end in (lower, upper)]


def _percentage(share: float) -> str:
    """Return a probability, never rounded to certainty."""
    if share < 0.0005:
        return "less than 0.1 %"
    return "more than 99.9 %" if share > 0.9995 else f"{100 * share:.1f} %"
