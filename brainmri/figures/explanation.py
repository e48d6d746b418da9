"""Figures of one case: what the network takes it for."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from brainmri.figures.palette import apply_theme, diagnosis_colour
from brainmri.vocabulary import display_diagnosis


def draw_probabilities(classes: Sequence[str], probabilities: Sequence[float]) -> go.Figure:
    """Draw the probability of each diagnosis as a horizontal bar.

    Parameters
    ----------
    classes : sequence of str
        Diagnoses.
    probabilities : sequence of float
        0 to 1.
    """
    names = [display_diagnosis(name) for name in classes]
    figure = go.Figure(
        go.Bar(
            x=[100 * share for share in probabilities],
            y=names,
            orientation="h",
            marker={"color": [diagnosis_colour(name) for name in classes]},
            text=[f"{100 * share:.0f} %" for share in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    apply_theme(figure, height=44 * len(names) + 40, revision="probabilities")
    figure.update_layout(margin={"l": 8, "r": 44, "t": 4, "b": 8}, bargap=0.35)
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", nticks=5)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="outside", ticklen=6, tickcolor="rgba(0, 0, 0, 0)")
    return figure
