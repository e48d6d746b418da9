"""Keys of the review page that Streamlit's buttons cannot take: verdicts by digit, the note, saving from it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_name("keys.js")


def show_keys() -> None:
    """Say which keys the page has."""
    st.caption("Keys: N next, P previous, 1–6 verdict, E note, Esc leaves it, Ctrl+Enter saves, ? keys of the viewer.")


def listen_to_keys() -> None:
    """Take digits, E, Ctrl+Enter and Esc for the finding."""
    st.components.v2.component("brainmri_review_keys", js=_read())(key="review-keys", height=1)


@lru_cache(maxsize=1)
def _read() -> str:
    return _SCRIPT.read_text(encoding="utf-8")
