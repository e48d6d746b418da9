"""The frame around every page: page config and sidebar."""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import Final

import streamlit as st
from threadpoolctl import threadpool_limits

from brainmri.dashboard.access import full_person, is_reading, leave_reading, may, sees_teaching_only
from brainmri.dashboard.entrance import show_key_field
from brainmri.dashboard.state import current_study

NOTICE: Final = "For research and teaching. Not for diagnosis."

_ASSETS = Path(__file__).with_name("assets")


def configure_page() -> None:
    """Set title, icon and width. The icon is a local file: a ``:material/…:`` one would be fetched from outside."""
    st.set_page_config(page_title="brainmri", page_icon=str(_ASSETS / "icon.png"), layout="wide")
    st.logo(str(_ASSETS / "logo.svg"), size="large", icon_image=str(_ASSETS / "icon.png"))


@st.cache_resource(show_spinner=False)
def prepare_libraries() -> None:
    """Import what the results need, once, behind the first page: a visitor would wait a second for it."""
    threading.Thread(target=_import_libraries, daemon=True).start()


def _import_libraries() -> None:
    """Import, and keep linear algebra to one thread: a page's matrices are small, and threads wait for one another."""
    for name in ("plotly.graph_objects", "scipy.stats", "brainmri.dashboard.results.comparison"):
        import_module(name)
    threadpool_limits(1, user_api="blas")


def show_sidebar() -> None:
    """Show which study is open, what the software is for, and the ways out. A reader sees no name of a study."""
    person = full_person()
    with st.sidebar:
        if may("instructor", "reviewer", "may-train"):
            folder = current_study().folder
            st.caption(f":material/folder_open: Study **{folder.name}**", help=str(folder))
        st.caption(NOTICE)
        if is_reading() and not sees_teaching_only(person):
            st.button("Leave reading", icon=":material/logout:", key="leave-reading", on_click=leave_reading)
        show_key_field()
        if person.signed_in:
            st.caption(f":material/person: {person.name}")
            st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=st.logout)
