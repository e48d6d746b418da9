"""The instructor's view of one session: its code for the readers, who reads, leading on one screen, and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from brainmri.dashboard.access import may, note
from brainmri.dashboard.formatting import format_count
from brainmri.dashboard.state import explain_errors, query_choice, remember_choice
from brainmri.dashboard.teaching.leading import show_leading
from brainmri.dashboard.teaching.listing import show_actions
from brainmri.dashboard.teaching.live import show_live
from brainmri.dashboard.teaching.place import CODE, SESSION
from brainmri.dashboard.teaching.planning import describe_plan
from brainmri.dashboard.teaching.session_results import show_results
from brainmri.dashboard.teaching.words import escape_markdown
from brainmri.study import Study
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import OPEN, TeachingSession
from brainmri.teaching.sessions import list_sessions, read_session

_VIEWS: Final = {"code": "Code", "live": "Live", "lead": "On one screen", "results": "Results"}
_VIEW: Final = "teaching-view"


def show_hall(study: Study, session_id: str) -> None:
    """Show one session to its instructor."""
    if not may("instructor"):
        return
    session = read_session(study, session_id)
    view = _show_head(study, session)
    if view == "code":
        _show_code(study, session)
        return
    if not st.session_state.get(f"teaching-noted-{session_id}"):
        st.session_state[f"teaching-noted-{session_id}"] = True
        note("reveal answers", session_id)
    shows: dict[str, Callable[[Study, TeachingSession], None]] = {
        "live": show_live,
        "lead": show_leading,
        "results": show_results,
    }
    with explain_errors():
        shows[view](study, session)


def _show_head(study: Study, session: TeachingSession) -> str:
    with st.container(horizontal=True, vertical_alignment="center", key="teaching-head"):
        if st.button("", icon=":material/arrow_back:", type="tertiary", key="teaching-to-list", help="All sessions"):
            remember_choice(**{SESSION: None, "view": None})
            st.rerun()
        st.title(escape_markdown(session.title), anchor=False, width="stretch")
        st.badge(session.status, color="green" if session.status == OPEN else "gray")
        st.badge(session.code, icon=":material/key:", color="blue")
        view = st.segmented_control(
            "View",
            list(_VIEWS),
            format_func=_VIEWS.__getitem__,
            default=query_choice("view", list(_VIEWS), "code"),
            required=True,
            key=_VIEW,
            label_visibility="collapsed",
        )
        readers = next((one.readers for one in list_sessions(study) if one.session.session_id == session.session_id), 0)
        show_actions(study, session, readers=readers)
    remember_choice(view=None if view == "code" else view)
    return str(view)


def _show_code(study: Study, session: TeachingSession) -> None:
    """Show the code so large that it can be read from the last row."""
    found = next(one for one in list_sessions(study) if one.session.session_id == session.session_id)
    plan = SessionPlan.from_json(session.plan)
    with st.container(border=True, horizontal_alignment="center", key="teaching-poster"):
        if session.status != OPEN:
            st.warning("This session is closed: nobody can join or answer.", icon=":material/lock:")
        st.markdown("Open the teaching page, then enter this code")
        st.html(
            '<div style="font-size: clamp(4rem, 14vw, 11rem); font-weight: 700; letter-spacing: 0.12em; '
            f'line-height: 1.2; text-align: center; font-variant-numeric: tabular-nums">{session.code}</div>'
        )
        st.code(f"{st.context.url}?{CODE}={session.code}", language=None, wrap_lines=True)
        st.caption(f"{format_count(found.cases, 'case')} · {describe_plan(plan)}")
    _show_joined(study, session.session_id)


@st.fragment(run_every=2.0)
@explain_errors()
def _show_joined(study: Study, session_id: str) -> None:
    found = next(one for one in list_sessions(study) if one.session.session_id == session_id)
    st.subheader(f"{format_count(found.readers, 'reader')} joined", anchor=False)
