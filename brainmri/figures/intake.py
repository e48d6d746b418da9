"""Figures of the intake stage: how many cases of each diagnosis."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from brainmri.figures.palette import BACKGROUND, apply_theme, diagnosis_colour
from brainmri.vocabulary import display_diagnosis


def draw_case_counts(counts: Mapping[str | None, int]) -> go.Figure:
    """Draw one bar for each diagnosis, in its colour, with the number of cases at its end.

    Parameters
    ----------
    counts : mapping of str or None to int
        Cases by diagnosis; None stands for cases without one.

    Returns
    -------
    plotly.graph_objects.Figure
        One horizontal bar trace, the first diagnosis on top.
    """
    names = [display_diagnosis(name) for name in counts]
    figure = go.Figure(
        go.Bar(
            x=list(counts.values()),
            y=names,
            orientation="h",
            text=[f"{count:,}" for count in counts.values()],
            textposition="outside",
            cliponaxis=False,
            marker={"color": [diagnosis_colour(name) for name in counts], "line": {"color": BACKGROUND, "width": 1}},
            hovertemplate="%{y}: %{x} cases<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, 1.12 * max(counts.values(), default=1)])
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True, ticks="", ticksuffix="  ")
    figure = apply_theme(figure, height=32 + 40 * max(len(counts), 1), revision="case-counts")
    return figure.update_layout(bargap=0.45, margin={"l": 8, "r": 24, "t": 0, "b": 0})
