"""Figure of the hardest cases: how often each network is wrong about each of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import plotly.graph_objects as go

from brainmri.evaluation.case_listing import describe_architecture
from brainmri.evaluation.difficulty import CaseRow
from brainmri.evaluation.wording import format_share
from brainmri.figures.palette import BACKGROUND, SEQUENTIAL, TEXT, apply_theme, diagnosis_colour
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

MOST_CASES: Final = 40
"""Cases beside one another, so that their names can be read."""

TRUTH: Final = "Diagnosis"
"""Name of the band that tells the true diagnosis."""

SUSPECTED: Final = "Label worth a second look"

_ROW_PX: Final = 40
_SCALE: Final = [[place / (len(SEQUENTIAL) - 2), colour] for place, colour in enumerate(SEQUENTIAL[1:])]
"""Without the colour of the page, so that a cell that is never wrong differs from one that nobody tested."""


def draw_hard_cases(rows: Sequence[CaseRow], *, suspected: Collection[str] = ()) -> go.Figure:
    """Draw a heat map of the first cases by network, with the true diagnosis beneath.

    Parameters
    ----------
    rows : sequence of CaseRow
        The hardest first; `MOST_CASES` of them are drawn.
    suspected : collection of str
        Cases whose label is worth a second look: a mark on their diagnosis.

    Returns
    -------
    plotly.graph_objects.Figure
        The cells' transparent markers carry ``[case_id, run_id]`` as custom data.
    """
    shown = list(rows[:MOST_CASES])
    figure = go.Figure()
    networks = [display_architecture(part.architecture) for part in shown[0].by_architecture] if shown else []
    if shown:
        figure.add_trace(_shares(shown, len(networks)))
        figure.add_trace(_cells(shown, networks))
    for diagnosis in dict.fromkeys(row.diagnosis for row in shown):
        figure.add_trace(_truths(diagnosis, shown))
    marked = [place for place, row in enumerate(shown) if row.case_id in suspected]
    if marked:
        figure.add_trace(_marks(marked))
    figure.update_xaxes(
        tickvals=list(range(len(shown))),
        ticktext=[row.case_id for row in shown],
        tickangle=-90,
        range=[-0.6, len(shown) - 0.4],
        showgrid=False,
        zeroline=False,
        tickfont={"size": 11, "color": TEXT},
    )
    figure.update_yaxes(
        tickvals=[0, *(_level(place, len(networks)) for place in range(len(networks)))],
        ticktext=[TRUTH, *networks],
        range=[-0.6, len(networks) + 0.6],
        showgrid=False,
        zeroline=False,
        tickfont={"color": TEXT},
    )
    return apply_theme(figure, height=190 + _ROW_PX * (len(networks) + 1), revision="hard-cases")


def _level(place: int, networks: int) -> int:
    """Return the height of a network's row: the first at the top, the diagnosis at 0 beneath the last."""
    return networks - place


def _shares(rows: Sequence[CaseRow], networks: int) -> go.Heatmap:
    return go.Heatmap(
        x0=0,
        dx=1,
        y0=1,
        dy=1,
        z=[[row.by_architecture[place].share for row in rows] for place in reversed(range(networks))],
        zmin=0,
        zmax=1,
        colorscale=_SCALE,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        hoverongaps=False,
        colorbar={
            "title": {"text": "Wrong runs", "side": "right"},
            "tickformat": ".0%",
            "thickness": 12,
            "outlinewidth": 0,
            "tickvals": [0, 0.5, 1],
        },
    )


def _cells(rows: Sequence[CaseRow], networks: Sequence[str]) -> go.Scatter:
    """Return a transparent marker on each cell: heat maps cannot be clicked in a page, points can."""
    cells = [(at, row, place) for at, row in enumerate(rows) for place in range(len(networks))]
    return go.Scatter(
        x=[at for at, *_ in cells],
        y=[_level(place, len(networks)) for *_, place in cells],
        mode="markers",
        marker={"size": 24, "symbol": "square", "opacity": 0, "color": BACKGROUND},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        customdata=[
            [
                row.case_id,
                row.example_run_id,
                _say(row, place),
                display_diagnosis(row.diagnosis),
                row.difficulty,
                networks[place],
            ]
            for _, row, place in cells
        ],
        hovertemplate=(
            "<b>%{customdata[0]}</b>, %{customdata[3]}<br>%{customdata[5]}: %{customdata[2]}"
            "<br>Over all networks: %{customdata[4]}<extra></extra>"
        ),
    )


def _say(row: CaseRow, place: int) -> str:
    part = row.by_architecture[place]
    said = describe_architecture(part)
    return f"wrong in {said} runs ({format_share(part.share, digits=0)})" if said else "no run tested it"


def _truths(diagnosis: str, rows: Sequence[CaseRow]) -> go.Scatter:
    mine = [(place, row) for place, row in enumerate(rows) if row.diagnosis == diagnosis]
    return go.Scatter(
        x=[place for place, _ in mine],
        y=[0] * len(mine),
        mode="markers",
        name=display_diagnosis(diagnosis),
        marker={"size": 13, "symbol": "square", "color": diagnosis_colour(diagnosis), "line": {"width": 0}},
        customdata=[[row.case_id, row.example_run_id] for _, row in mine],
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{display_diagnosis(diagnosis)}<extra></extra>",
    )


def _marks(places: Sequence[int]) -> go.Scatter:
    return go.Scatter(
        x=list(places),
        y=[0] * len(places),
        mode="markers",
        name=SUSPECTED,
        marker={"size": 20, "symbol": "diamond-open", "color": TEXT, "line": {"width": 2, "color": TEXT}},
        hoverinfo="skip",
    )
