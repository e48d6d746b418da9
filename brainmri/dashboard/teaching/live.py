"""The instructor's live view: who has joined, how far they are, and what the group says about a case."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from brainmri.dashboard.access import may
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.scored import answers_of
from brainmri.database import utc_now
from brainmri.figures.teaching import draw_case_answers
from brainmri.study import Study
from brainmri.teaching.answers import STEPS, ReadAnswers
from brainmri.teaching.board import Board, BoardRow, answers_on_case, draw_up_board
from brainmri.teaching.collecting import read_progress
from brainmri.teaching.records import OPEN, TeachingSession
from brainmri.teaching.sessions import read_cases
from brainmri.vocabulary import display_diagnosis

_EVERY_S: Final = 2.0
_HIDDEN: Final = "teaching-hidden"
_RANKED: Final = "teaching-ranked"
_STATES: Final = {"joined": "joined", "reading": "reading", "finished": "finished"}


def show_live(study: Study, session: TeachingSession) -> None:
    """Show who has joined and what they answer; drawn again by itself while the session is open."""
    if not may("instructor"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Hide names", value=True, key=_HIDDEN)
        st.toggle("Rank by what is right", key=_RANKED)
    answers = answers_of(study, session.session_id)
    left, right = st.columns([3, 2])
    every = _EVERY_S if session.status == OPEN else None
    with left.container(border=True):
        st.fragment(_show_board, run_every=every)(study, session)
    with right.container(border=True):
        case_id = pick_case(study, session, answers)
        if case_id is not None:
            st.fragment(_show_group, run_every=every)(study, session, case_id)


def pick_case(study: Study, session: TeachingSession, answers: ReadAnswers) -> str | None:
    """Let the instructor choose a case of the session."""
    positions = [row for row in read_cases(study, session.session_id) if row.case_id in answers.cases]
    if not positions:
        st.write("No case of this session has a diagnosis to choose from.")
        return None
    names = {row.case_id: f"Case {row.position + 1} · {row.case_id}" for row in positions}
    return st.selectbox("Case", list(names), format_func=names.__getitem__, key="teaching-live-case")


def _names_hidden() -> bool:
    """Return what the switch says now: a part that draws itself again may have begun before it was turned."""
    return bool(st.session_state.get(_HIDDEN, True))


@explain_errors()
def _show_board(study: Study, session: TeachingSession) -> None:
    ranked = bool(st.session_state.get(_RANKED))
    board: Board = draw_up_board(
        read_progress(study, session.session_id),
        salt=session.session_id,
        names_hidden=_names_hidden(),
        answers=answers_of(study, session.session_id) if ranked else None,
        now=utc_now(),
    )
    st.markdown(f"**{board.sentence}**")
    if board.rows:
        st.dataframe(
            [_line(row, ranked=ranked) for row in board.rows],
            hide_index=True,
            column_config={
                "Cases": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
                "Right alone": st.column_config.NumberColumn(format="percent"),
            },
            key="teaching-board",
        )


def _line(row: BoardRow, *, ranked: bool) -> dict[str, Any]:
    return {
        **({"Place": row.place} if ranked else {}),
        "Reader": row.name,
        "": _STATES[row.state],
        "Cases": row.answered / row.cases if row.cases else 0.0,
        "Done": f"{row.answered} of {row.cases}",
        "Now": "–" if row.state == "finished" else row.step,
        **({"Right alone": row.right} if ranked else {}),
        "Quiet": "–" if row.quiet_minutes is None else f"{row.quiet_minutes:.0f} min",
    }


@explain_errors()
def _show_group(study: Study, session: TeachingSession, case_id: str) -> None:
    step = st.segmented_control(
        "Answers", STEPS, default=STEPS[0], required=True, key="teaching-live-step", format_func=str.capitalize
    )
    shown = st.toggle("Show the pathology", key="teaching-live-truth")
    found = answers_on_case(
        answers_of(study, session.session_id),
        case_id,
        salt=session.session_id,
        step=step or STEPS[0],
        names_hidden=_names_hidden(),
    )
    st.plotly_chart(draw_case_answers(found, reveal=shown), key="teaching-group")
    st.caption(found.sentence)
    if shown:
        st.markdown(f"Pathology: **{display_diagnosis(found.truth)}**")
    for name, readers in found.who.items():
        if readers:
            st.text(f"{display_diagnosis(name)}: {', '.join(readers)}")
