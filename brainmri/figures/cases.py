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
        figure.add_trace(_shares(shown, networks))
        figure.add_trace(_cells(shown, networks))
    for diagnosis in dict.fromkeys(row.diagnosis for row in shown):
        figure.add_trace(_truths(diagnosis, [row for row in shown if row.diagnosis == diagnosis]))
    marked = [row.case_id for row in shown if row.case_id in suspected]
    if marked:
        figure.add_trace(_marks(marked))
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=[row.case_id for row in shown],
        tickangle=-90,
        showgrid=False,
        tickfont={"size": 11, "color": TEXT},
    )
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=[TRUTH, *networks[::-1]],
        showgrid=False,
        tickfont={"color": TEXT},
    )
    return apply_theme(figure, height=190 + _ROW_PX * (len(networks) + 1), revision="hard-cases")


def _shares(rows: Sequence[CaseRow], networks: Sequence[str]) -> go.Heatmap:
    return go.Heatmap(
        x=[row.case_id for row in rows],
        y=list(networks),
        z=[[row.by_architecture[place].share for row in rows] for place in range(len(networks))],
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
    cells = [(row, place) for row in rows for place in range(len(networks))]
    return go.Scatter(
        x=[row.case_id for row, _ in cells],
        y=[networks[place] for _, place in cells],
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
            ]
            for row, place in cells
        ],
        hovertemplate=(
            "<b>%{customdata[0]}</b>, %{customdata[3]}<br>%{y}: %{customdata[2]}<br>Over all networks: %{customdata[4]}"
            "<extra></extra>"
        ),
    )


def _say(row: CaseRow, place: int) -> str:
    part = row.by_architecture[place]
    said = describe_architecture(part)
    return f"wrong in {said} runs ({format_share(part.share, digits=0)})" if said else "no run tested it"


def _truths(diagnosis: str, rows: Sequence[CaseRow]) -> go.Scatter:
    return go.Scatter(
        x=[row.case_id for row in rows],
        y=[TRUTH] * len(rows),
        mode="markers",
        name=display_diagnosis(diagnosis),
        marker={"size": 13, "symbol": "square", "color": diagnosis_colour(diagnosis), "line": {"width": 0}},
        customdata=[[row.case_id, row.example_run_id] for row in rows],
        hovertemplate=f"<b>%{{x}}</b><br>{display_diagnosis(diagnosis)}<extra></extra>",
    )


def _marks(case_ids: Sequence[str]) -> go.Scatter:
    return go.Scatter(
        x=list(case_ids),
        y=[TRUTH] * len(case_ids),
        mode="markers",
        name=SUSPECTED,
        marker={"size": 20, "symbol": "diamond-open", "color": TEXT, "line": {"width": 2, "color": TEXT}},
        hovertemplate=f"<b>%{{x}}</b><br>{SUSPECTED}<extra></extra>",
    )
