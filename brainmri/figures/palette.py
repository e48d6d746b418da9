"""Colours that mean the same on every page, and the look of all figures.

The colours are those of Okabe and Ito, which readers with a colour-vision deficiency can tell apart. The published
networks take three of them and diagnoses four others, so that a colour never stands for both. The further networks have
colours that stay at least 30 apart (CIELAB, as seen with protanopia and deuteranopia) from those and from one another.

References
----------
Okabe M, Ito K. Color Universal Design, 2008. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import plotly.graph_objects as go

BACKGROUND: Final = "#0B0F14"
SURFACE: Final = "#141B23"
GRID: Final = "#26313D"
TEXT: Final = "#DCE3EA"
MUTED: Final = "#93A1AF"
ACCENT: Final = "#4FC3F7"
WARNING: Final = "#FFB74D"

_PUBLISHED_COLOURS: Final = {"alexnet": "#56B4E9", "googlenet": "#E69F00", "resnet50": "#009E73"}

ARCHITECTURE_COLOURS: Final[dict[str, str]] = {
    **_PUBLISHED_COLOURS,
    "densenet121": "#8A6BFF",
    "efficientnet_b0": "#A6EFA0",
    "convnext_tiny": "#BDF7F2",
}
"""By the network's name in settings."""

DIAGNOSIS_COLOURS: Final[dict[str, str]] = {
    "glioblastoma": "#D55E00",
    "PCNSL": "#CC79A7",
    "meningioma": "#F0E442",
    "schwannoma": "#0072B2",
}
"""By the diagnosis as in `brainmri.vocabulary`."""

STATUS_COLOURS: Final[dict[str, str]] = {
    "queued": "#3A4653",
    "running": ACCENT,
    "finished": "#66BB6A",
    "failed": "#EF5350",
    "stopped": WARNING,
}
"""By the status of a run; always written out as well, because green and red alone do not tell."""

SEQUENTIAL: Final = (
    "#0B0F14",
    "#12283a",
    "#173f5c",
    "#1d577e",
    "#2b709e",
    "#4389b8",
    "#61a3ce",
    "#84bde0",
    "#acd7ef",
    "#d9f0fa",
)
"""Dark to light, for shares and counts."""

_FURTHER: Final = ("#B39DDB", "#80CBC4", "#BCAAA4", "#9FA8DA", "#C5E1A5", "#FFCC80")
_NO_LABEL: Final = "#7B8794"
_PALE_FROM: Final = 0.5
"""Share from which on the cells of `SEQUENTIAL` are too pale for light text."""

CHART_CONFIG: Final[dict[str, Any]] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg"},
}
"""For ``st.plotly_chart(figure, theme=None, config=CHART_CONFIG)``: the camera saves a vector drawing."""


def architecture_colour(name: str) -> str:
    """Return the colour of a network; one without an entry gets a steady colour of its own."""
    return _colour(ARCHITECTURE_COLOURS, name)


def diagnosis_colour(name: str | None) -> str:
    """Return the colour of a diagnosis, grey for none."""
    return _colour(DIAGNOSIS_COLOURS, name) if name else _NO_LABEL


def with_opacity(colour: str, opacity: float) -> str:
    """Return ``#RRGGBB`` as ``rgba(…)`` with an opacity from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def ink_on(share: float) -> str:
    """Return a colour for text on `SEQUENTIAL_SCALE` at a share from 0 to 1; on nothing where it is not a number."""
    return SURFACE if share > _PALE_FROM else TEXT


def apply_theme(figure: go.Figure, *, height: int | None = None, revision: str = "kept") -> go.Figure:
    """Give a figure the look of the dashboard.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place and returned.
    height : int, optional
        In pixels.
    revision : str
        While it stays the same, zoom and hidden traces survive a redraw.
    """
    return figure.update_layout(template=_TEMPLATE, height=height, uirevision=revision)


def _colour(known: Mapping[str, str], name: str) -> str:
    if name in known:
        return known[name]
    return _FURTHER[sum(name.encode()) % len(_FURTHER)]  # hash() of a text changes from process to process


def _axis() -> dict[str, Any]:
    return {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zerolinecolor": GRID,
        "tickcolor": GRID,
        "tickfont": {"color": MUTED},
        "title": {"font": {"color": MUTED, "size": 13}, "standoff": 12},
        "automargin": True,
    }


def _template() -> go.layout.Template:
    family = '"Source Sans", "Source Sans Pro", sans-serif'
    layout = go.Layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": family, "size": 13, "color": TEXT},
        title={"font": {"size": 15, "color": TEXT}, "x": 0, "xanchor": "left"},
        margin={"l": 8, "r": 20, "t": 32, "b": 8},
        xaxis={**_axis(), "ticklabeloverflow": "allow"},  # "100%" at the end of a narrow axis is left out otherwise
        yaxis=_axis(),
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "xanchor": "left",
            "x": 0,
            "font": {"color": TEXT},
            "bgcolor": "rgba(0,0,0,0)",
        },
        hoverlabel={
            "bgcolor": SURFACE,
            "bordercolor": GRID,
            "font": {"family": family, "color": TEXT, "size": 13},
            "align": "left",
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": ACCENT},
        colorway=[*_PUBLISHED_COLOURS.values(), *DIAGNOSIS_COLOURS.values(), *_FURTHER[:3]],
        colorscale={"sequential": _scale(SEQUENTIAL)},
        hovermode="closest",
    )
    return go.layout.Template(layout=layout)


def _scale(colours: tuple[str, ...]) -> list[list[Any]]:
    return [[index / (len(colours) - 1), colour] for index, colour in enumerate(colours)]


SEQUENTIAL_SCALE: Final = _scale(SEQUENTIAL)
"""`SEQUENTIAL` as plotly's traces take it."""

_TEMPLATE: Final = _template()
