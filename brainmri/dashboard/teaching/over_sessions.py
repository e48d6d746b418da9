"""How a reader does from session to session, for the instructor."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from sqlalchemy import select

from brainmri.figures.teaching import draw_learning
from brainmri.study import Study
from brainmri.teaching.collecting import read_results_of
from brainmri.teaching.learning import learn
from brainmri.teaching.records import Reader


def show_over_sessions(study: Study, session_id: str, names: Mapping[str, str]) -> None:
    """Show the accuracy of one reader over all sessions.

    Parameters
    ----------
    study : Study
    session_id : str
    names : mapping of str to str
        What is shown for each reader of this session.
    """
    st.markdown("**Learning over sessions**")
    reader = st.selectbox("Reader", list(names), format_func=names.__getitem__, key="teaching-learner")
    with study.session() as session:
        query = select(Reader.subject).where(Reader.session_id == session_id, Reader.name == reader)
        subject = session.scalar(query)
    learning = learn(read_results_of(study, name=reader, subject=subject))
    if learning.points:
        st.plotly_chart(draw_learning(learning), key="teaching-over-sessions")
    known = "" if subject is not None else " Nobody signs in: sessions are joined by the name that was typed."
    st.caption(f"{learning.sentence} Answers alone.{known}")
