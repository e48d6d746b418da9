"""The scores of a session, computed once for each state of its answers."""

from __future__ import annotations

import streamlit as st

from brainmri.study import Study
from brainmri.teaching.answers import ReadAnswers
from brainmri.teaching.collecting import read_answers
from brainmri.teaching.export import report_session
from brainmri.teaching.sessions import count_answers, list_sessions
from brainmri.teaching.summary import SessionReport

State = tuple[int, int]
"""Answers and readers of a session: another state has other scores."""


def state_of(study: Study, session_id: str) -> State:
    """Return how many answers and readers a session has."""
    readers = next((one.readers for one in list_sessions(study) if one.session.session_id == session_id), 0)
    return count_answers(study, session_id), readers


def answers_of(study: Study, session_id: str) -> ReadAnswers:
    """Return the answers of a session that count; never changed, never copied."""
    return _answers(study, study.url, session_id, state_of(study, session_id))


def report_of(study: Study, session_id: str, *, names_hidden: bool) -> SessionReport:
    """Return what a session says; for the instructor."""
    return _report(study, study.url, session_id, state_of(study, session_id), names_hidden)


@st.cache_resource(show_spinner=False, max_entries=32)
def _answers(_study: Study, url: str, session_id: str, state: State) -> ReadAnswers:
    return read_answers(_study, session_id)


@st.cache_resource(show_spinner="Scoring …", max_entries=16)
def _report(_study: Study, url: str, session_id: str, state: State, names_hidden: bool) -> SessionReport:
    return report_session(_study, session_id, names_hidden=names_hidden)
