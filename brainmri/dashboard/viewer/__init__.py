"""The viewer: three linked sequences of a case with the map over them, drawn in the browser.

Python packs a case once into bytes (see `brainmri.dashboard.viewer.packing`); slices, windows, opacity, zoom, colours
and the choice of diagnosis need no further round trip.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.viewer.messages import messages_of
from brainmri.dashboard.viewer.packing import (
    PackedVolumes,
    ViewedSquare,
    pack_case,
    pack_volumes,
    start_slice,
    without_position,
)
from brainmri.dashboard.viewer.regions import DrawnRegion, MarkedPoint, read_head, read_mark, read_region

__all__ = [
    "DrawnRegion",
    "MarkedPoint",
    "PackedVolumes",
    "ViewedSquare",
    "pack_case",
    "pack_volumes",
    "read_mark",
    "read_region",
    "show_viewer",
    "start_slice",
    "without_position",
]

_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = (
    "viewer",
    "data",
    "maps",
    "controls",
    "keys",
    "crosshair",
    "orientation",
    "region",
    "mark",
    "words",
    "drawing",
)
"""Files that the browser gets joined, as one module."""


def show_viewer(
    packed: bytes,
    *,
    key: str,
    draw_region: bool = False,
    mark_point: bool = False,
    mark: MarkedPoint | None = None,
    closed: bool = False,
) -> DrawnRegion | MarkedPoint | None:
    """Show the viewer. Data that has not changed is not sent again.

    Parameters
    ----------
    packed : bytes
        From `pack_case`.
    key : str
        One viewer keeps its key from case to case.
    draw_region : bool
        Whether a visitor can draw a square region over a range of slices.
    mark_point : bool
        Whether a visitor can mark a point, instead of a region.
    mark : MarkedPoint, optional
        What the visitor marked before. It counts where a case is opened; later the browser knows better.
    closed : bool
        Whether the mark is shown only, and cannot be changed any more.

    Returns
    -------
    DrawnRegion, MarkedPoint or None
        The region, in the one run of the page that follows its confirmation, or the point in the one that follows the
        click.

    Raises
    ------
    ImagingError
        Where the browser sends something that is no region or point of this case.
    """
    if mark_point:
        first, rest = messages_of(packed, _first_mark(packed, key, mark), closed=closed)
        sent = _show(_marking_component(), first, rest, key, on_mark_change=_nothing_more)
        return None if sent.mark is None else read_mark(sent.mark, packed)
    if draw_region:
        sent = _show(_drawing_component(), *messages_of(packed), key, on_region_change=_nothing_more)
        return None if sent.region is None else read_region(sent.region, packed)
    _show(_component(), *messages_of(packed), key)
    return None


def _show(component: Any, first: bytes, rest: bytes | None, key: str, **events: Any) -> Any:
    """Mount the viewer and, after it, what only carries the rest of a large case."""
    with st.container(gap=None):
        sent = component(data=first, key=key, **events)
        if rest is not None:
            _rest_component()(data=rest, key=f"{key}-rest")
    return sent


def _first_mark(packed: bytes, key: str, mark: MarkedPoint | None) -> MarkedPoint | None:
    """Return the mark that the visitor had when the case was opened: the same in every run, so that it is sent once."""
    opened = (read_head(packed)["id"], mark)
    kept: tuple[str, MarkedPoint | None] = st.session_state.setdefault(f"{key}-first-mark", opened)
    if kept[0] != opened[0]:
        kept = st.session_state[f"{key}-first-mark"] = opened
    return kept[1]


def _nothing_more() -> None:
    """Streamlit returns an event only of those for which it has a function to call."""


def _component() -> Any:
    return _register("brainmri_viewer", "viewer.html")


def _drawing_component() -> Any:
    return _register("brainmri_drawing_viewer", "viewer.html", "region.html")


def _marking_component() -> Any:
    return _register("brainmri_marking_viewer", "viewer.html", "mark.html")


def _rest_component() -> Any:
    return st.components.v2.component("brainmri_viewer_rest", js=_read("rest.js"))


def _register(name: str, *html: str) -> Any:
    return st.components.v2.component(
        name, html="".join(_read(part) for part in html), css=_read("viewer.css"), js=_script()
    )


@lru_cache(maxsize=1)
def _script() -> str:
    return "\n".join(_read(f"{name}.js") for name in _SCRIPTS)


@lru_cache(maxsize=16)
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
