"""The instructor's list of sessions."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.access import author_name, may, note
from brainmri.dashboard.formatting import format_count, format_date
from brainmri.dashboard.state import explain_errors, remember_choice
from brainmri.dashboard.teaching.place import SESSION
from brainmri.dashboard.teaching.words import escape_markdown
from brainmri.study import Study
from brainmri.teaching.records import OPEN, TeachingSession
from brainmri.teaching.sessions import (
    SessionSummary,
    close_session,
    copy_session,
    delete_session,
    list_sessions,
    reopen_session,
)

_MOST: Final = 50


def show_sessions(study: Study) -> None:
    """Show all sessions, the newest first, with what can be done with each."""
    if not may("instructor"):
        return
    sessions = list_sessions(study)
    with st.container(border=True):
        st.subheader("Sessions", anchor=False)
        if not sessions:
            st.write("There is none yet. Make the first one, then show its code to your readers.")
        for one in sessions[:_MOST]:
            _show_line(study, one)


def _show_line(study: Study, one: SessionSummary) -> None:
    session = one.session
    words, opening, more = st.columns([12, 2, 1], vertical_alignment="center")
    badge = ":green-badge[open]" if session.status == OPEN else ":gray-badge[closed]"
    words.markdown(
        f"**{escape_markdown(session.title)}** {badge}  \n:gray[{session.code} · {format_count(one.cases, 'case')} · "
        f"{format_count(one.readers, 'reader')}, {one.finished} finished · {escape_markdown(session.author)}, "
        f"{format_date(session.created_at)}]"
    )
    if opening.button("Open", key=f"teaching-open-{session.session_id}", width="stretch"):
        remember_choice(**{SESSION: session.session_id})
        st.rerun()
    with more:
        show_actions(study, session, readers=one.readers)


def show_actions(study: Study, session: TeachingSession, *, readers: int) -> None:
    """Offer to copy a session, to close or to open it again, and to delete one that nobody has joined."""
    with st.popover("", icon=":material/more_vert:", key=f"teaching-more-{session.session_id}"), explain_errors():
        if st.button(
            "Copy", icon=":material/content_copy:", type="tertiary", key=f"teaching-copy-{session.session_id}"
        ):
            made = copy_session(study, session.session_id, title=session.title, author=author_name() or session.author)
            note("create session", made.session_id, copied_from=session.session_id)
            remember_choice(**{SESSION: made.session_id})
            st.rerun()
        if session.status == OPEN:
            if st.button("Close", icon=":material/lock:", type="tertiary", key=f"teaching-close-{session.session_id}"):
                close_session(study, session.session_id)
                note("close session", session.session_id)
                st.rerun()
        elif st.button(
            "Open again", icon=":material/lock_open:", type="tertiary", key=f"teaching-reopen-{session.session_id}"
        ):
            reopen_session(study, session.session_id)
            note("reopen session", session.session_id)
            st.rerun()
        if not readers and st.button(
            "Delete", icon=":material/delete:", type="tertiary", key=f"teaching-delete-{session.session_id}"
        ):
            delete_session(study, session.session_id)
            note("delete session", session.session_id)
            remember_choice(**{SESSION: None})
            st.rerun()
