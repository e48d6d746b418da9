"""What the browser does without a round trip: keys, and the clock of a case."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import streamlit as st

from brainmri.teaching.course import GRACE_S, Present

_FOLDER: Final = Path(__file__).parent
_MARGIN_S: Final = 0.5
_CLOCK_HTML: Final = (
    '<div class="clock" role="timer"><span data-part="left"></span> <span data-part="note"></span></div>'
)
_CLOCK_CSS: Final = """
.clock { font-family: var(--st-font); color: var(--st-text-color); white-space: nowrap; line-height: 2.5rem; }
.clock [data-part=left] { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.clock [data-part=left].short { color: var(--st-red-text-color, #ff6c6c); }
.clock [data-part=note] { font-size: 0.85rem; opacity: 0.7; }
"""


def listen_to_keys() -> None:
    """Take digits for the diagnosis, and Enter to go on."""
    st.components.v2.component("brainmri_teaching_keys", js=_read("keys.js"))(key="teaching-keys", height=1)


def show_clock(now: Present) -> None:
    """Show the time left of a case; when it is over the page is drawn again, and the server says how it goes on."""
    if now.seconds_left is None:
        return
    clock = st.components.v2.component(
        "brainmri_teaching_clock", html=_CLOCK_HTML, css=_CLOCK_CSS, js=_read("clock.js")
    )
    data = {"left": round(now.seconds_left, 1), "grace": GRACE_S + _MARGIN_S, "key": now.key}
    clock(data=data, key="teaching-clock", width="content", height="content", on_over_change=_draw_again)


def _draw_again() -> None:
    """Streamlit draws the page again after an event for which it has a function to call."""


@lru_cache(maxsize=4)
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
