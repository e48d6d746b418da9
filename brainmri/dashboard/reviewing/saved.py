"""Filters kept under a name: save, open, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from brainmri.dashboard.access import may
from brainmri.dashboard.findings import reviewer_name
from brainmri.dashboard.state import explain_errors
from brainmri.review.filters import Filter
from brainmri.review.saved_lists import MAXIMUM_NAME, delete_list, read_lists, save_list
from brainmri.study import Study

_LIST: Final = "filter-list"
_NAME: Final = "filter-name"


@explain_errors()
def show_saved_lists(study: Study, chosen: Filter, open_filter: Callable[[Filter], None]) -> None:
    """Show the saved lists, and a field to save the present one.

    Parameters
    ----------
    study : Study
    chosen : Filter
        The present one.
    open_filter : callable
        Makes a filter the present one.
    """
    lists = read_lists(study)
    opened = next((name for name, one in lists.items() if one == chosen), None)
    st.session_state[_LIST] = opened
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Saved lists",
            list(lists),
            index=None,
            key=_LIST,
            placeholder="Open a list" if lists else "None yet",
            disabled=not lists,
            on_change=lambda: open_filter(lists.get(st.session_state[_LIST], Filter())),
        )
        if opened is not None and may("reviewer"):
            st.button("Delete", icon=":material/delete:", on_click=delete_list, args=(study, opened))
    if opened is None and chosen != Filter() and may("reviewer"):
        _show_saving(study, chosen, taken=list(lists))


def _show_saving(study: Study, chosen: Filter, *, taken: list[str]) -> None:
    author = reviewer_name()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Save this filter as", key=_NAME, max_chars=MAXIMUM_NAME, placeholder="Name of the list")
        pressed = st.button(
            "Replace" if name.strip() in taken else "Save",
            icon=":material/bookmark_add:",
            disabled=not author,
            help=None if author else "Enter your name or initials beside **Finding** first.",
        )
    if pressed:
        save_list(study, name, chosen, author)
        st.rerun()
