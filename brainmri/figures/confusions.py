"""The figure of several networks' confusion matrices beside one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import plotly.graph_objects as go

from brainmri.evaluation.confusion import Confusion
from brainmri.evaluation.wording import format_share
from brainmri.figures.palette import BACKGROUND, SEQUENTIAL_SCALE, TEXT, apply_theme, ink_on
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

CellValues = Literal["share", "count"]
"""What a cell says: the share of its true class, or the mean count a run."""

_MATRICES_A_ROW: Final = 3
_GAP: Final = 0.5
"""Between two matrices, in cells."""
_ROW_PX: Final = 340


def draw_confusions(confusions: Sequence[Confusion], *, values: CellValues = "share") -> go.Figure:
    """Draw the confusion matrices of several architectures beside one another.

    All matrices lie on one pair of axes: a browser draws that three times as fast as a plot for each.

    Parameters
    ----------
    confusions : sequence of Confusion
        Of the same K classes; at least one.
    values : {'share', 'count'}
        Share of each true class with all runs pooled, or mean count a run. The colour shows the share either way.
    """
    classes = [display_diagnosis(name) for name in confusions[0].classes]
    columns = min(len(confusions), _MATRICES_A_ROW)
    rows = math.ceil(len(confusions) / columns)
    ticks = {"tickmode": "array", "showgrid": False, "zeroline": False, "tickfont": {"color": TEXT, "size": 12}}
    step = len(classes) + _GAP
    figure = go.Figure(
        data=[_shares(confusions, rows, columns), _cells(confusions, columns, values)],
        layout={
            "xaxis": {
                "title": {"text": "Predicted"},
                "side": "bottom" if rows == 1 else "top",
                "tickvals": [column * step + place for column in range(columns) for place in range(len(classes))],
                "ticktext": classes * columns,
                "tickangle": 0,
                "range": [-0.5, columns * step - _GAP - 0.5],
                **ticks,
            },
            "yaxis": {
                "title": {"text": "True"},
                "tickvals": [row * step + place for row in range(rows) for place in range(len(classes))],
                "ticktext": classes * rows,
                "range": [rows * step - _GAP - 0.5, -0.5],
                **ticks,
            },
            "annotations": [
                _name(confusion, *_corner(index, columns, step), middle=(len(classes) - 1) / 2)
                for index, confusion in enumerate(confusions)
            ],
            "showlegend": False,
            "margin": {"t": 40 if rows == 1 else 90},
        },
    )
    return apply_theme(figure, height=_ROW_PX * rows, revision="confusions")


def _corner(index: int, columns: int, step: float) -> tuple[float, float]:
    """Return where the first cell of a matrix lies, horizontally and vertically."""
    return index % columns * step, index // columns * step


def _shares(confusions: Sequence[Confusion], rows: int, columns: int) -> go.Heatmap:
    """Return the coloured cells; a gap, and a class that was never tested, stay empty."""
    classes = len(confusions[0].classes)
    shares = np.full((rows * (classes + 1) - 1, columns * (classes + 1) - 1), np.nan)
    for index, confusion in enumerate(confusions):
        top, left = (classes + 1) * (index // columns), (classes + 1) * (index % columns)
        shares[top : top + classes, left : left + classes] = confusion.row_shares
    return go.Heatmap(
        z=[[None if math.isnan(share) else share for share in row] for row in shares.tolist()],
        x=_edges(columns, classes),
        y=_edges(rows, classes),
        zmin=0,
        zmax=1,
        colorscale=SEQUENTIAL_SCALE,
        showscale=False,
        xgap=3,
        ygap=3,
        hoverinfo="skip",
    )


def _edges(matrices: int, classes: int) -> list[float]:
    """Return the edges of all cells and gaps along one direction."""
    edges: list[float] = []
    for matrix in range(matrices):
        start = matrix * (classes + _GAP) - 0.5
        edges.extend(start + place for place in range(classes + 1))
    return edges


def _cells(confusions: Sequence[Confusion], columns: int, values: CellValues) -> go.Scatter:
    """Return what the cells say, in a colour that can be read on them."""
    x, y, text, ink, data = [], [], [], [], []
    for index, confusion in enumerate(confusions):
        left, top = _corner(index, columns, len(confusion.classes) + _GAP)
        names = [display_diagnosis(name) for name in confusion.classes]
        shares, counts = confusion.row_shares, confusion.mean_counts
        for true, predicted in np.ndindex(shares.shape):
            share = float(shares[true, predicted])
            said = (format_share(share), f"{counts[true, predicted]:.1f}")
            x.append(left + predicted)
            y.append(top + true)
            text.append(said[0 if values == "share" else 1])
            ink.append(ink_on(share))
            data.append([display_architecture(confusion.architecture), names[true], names[predicted], *said])
    return go.Scatter(
        x=x,
        y=y,
        mode="markers+text",
        marker={"size": 60, "symbol": "square", "opacity": 0, "color": BACKGROUND},
        text=text,
        textfont={"size": 14, "color": ink},
        customdata=data,
        hovertemplate=(
            "<b>%{customdata[0]}</b><br>True %{customdata[1]}, predicted %{customdata[2]}"
            "<br>%{customdata[3]} of the true class, all runs pooled"
            "<br>%{customdata[4]} in the mean of the runs<extra></extra>"
        ),
    )


def _name(confusion: Confusion, left: float, top: float, *, middle: float) -> dict[str, Any]:
    return {
        "text": display_architecture(confusion.architecture),
        "x": left + middle,
        "y": top - 0.5,
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 15, "color": TEXT},
    }
