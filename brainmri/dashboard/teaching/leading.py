"""One screen for the whole group: the instructor shows a case, the group discusses, and the answer comes in steps."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from brainmri.dashboard.access import may
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.images import describe_map, pack_images, read_network, show_images
from brainmri.dashboard.teaching.listening import listen_to_keys
from brainmri.dashboard.teaching.outcome import show_probabilities
from brainmri.dashboard.teaching.scored import answers_of
from brainmri.figures.teaching import draw_case_answers
from brainmri.study import Study
from brainmri.teaching.board import answers_on_case
from brainmri.teaching.course import opaque_key
from brainmri.teaching.records import SessionCase, TeachingSession
from brainmri.teaching.reveals import ShownNetwork
from brainmri.teaching.sessions import read_cases, read_truth
from brainmri.vocabulary import display_diagnosis

_SCREEN: Final = "screen"
_PLACE: Final = "teaching-lead-place"
_SHOWN: Final = "teaching-lead-shown"
_NEXT: Final = {
    "images": "Show the group's answers",
    "group": "Show the network",
    "network": "Show the pathology",
    "pathology": "Next case",
}
_WIDTHS: Final = (19, 7)


def show_leading(study: Study, session: TeachingSession) -> None:
    """Show the cases of a session one by one, each blind at first."""
    if not may("instructor"):
        return
    rows = read_cases(study, session.session_id)
    place = min(st.session_state.setdefault(f"{_PLACE}-{session.session_id}", 0), len(rows) - 1)
    row = rows[place]
    steps = [name for name in _NEXT if name != "network" or row.run_id is not None]
    shown = st.session_state.get(f"{_SHOWN}-{session.session_id}", "images")
    shown = shown if shown in steps else "images"
    st.set_page_config(initial_sidebar_state="collapsed")
    st.html("<style>[data-testid='stMainBlockContainer'] { padding: 4rem 2.5rem 1rem; }</style>")
    images, side = st.columns(_WIDTHS)
    with images, explain_errors():
        _show_images(study, session, row, with_network=steps.index(shown) >= steps.index("group") + 1)
    with side:
        _show_steps(session.session_id, place, len(rows), steps, shown)
        if shown != "images":
            _show_group(study, session, row.case_id, reveal=shown == "pathology")
        if shown == "pathology":
            with st.container(border=True):
                st.metric("Pathology", display_diagnosis(read_truth(study, session.session_id)[place]))
                if row.note:
                    st.text(row.note)
    listen_to_keys()


def _show_images(study: Study, session: TeachingSession, row: SessionCase, *, with_network: bool) -> None:
    network = None
    if with_network and row.run_id is not None:
        network = read_network(study, ShownNetwork(case_id=row.case_id, run_id=row.run_id))
    key = opaque_key(session, _SCREEN, row.position)
    with st.container(border=True):
        show_images(pack_images(study, row.case_id, key, network), mark=None, marking=False, key="teaching-lead")
    if network is not None:
        show_probabilities(network)
        st.caption(describe_map(study, network))


def _show_steps(session_id: str, place: int, count: int, steps: list[str], shown: str) -> None:
    following = steps[steps.index(shown) + 1] if shown != steps[-1] else None
    st.markdown(f"### Case {place + 1} of {count}")
    label = _NEXT[shown]
    if shown == "group" and following == "pathology":
        label = _NEXT["network"]
    last = following is None and place + 1 == count
    st.button(
        "This was the last case" if last else label,
        type="primary",
        disabled=last,
        icon=":material/chevron_right:",
        key=f"teaching-action-lead-{place}-{shown}",
        on_click=_go,
        args=(session_id, place if following else place + 1, following or "images"),
        width="stretch",
    )
    with st.container(horizontal=True):
        st.button("Previous", disabled=place == 0, key="teaching-lead-back", shortcut="P", **_to(session_id, place - 1))
        st.button(
            "Skip", disabled=place + 1 == count, key="teaching-lead-skip", shortcut="N", **_to(session_id, place + 1)
        )


def _show_group(study: Study, session: TeachingSession, case_id: str, *, reveal: bool) -> None:
    answers = answers_of(study, session.session_id)
    if case_id not in answers.cases or not answers.readers:
        return
    found = answers_on_case(answers, case_id, salt=session.session_id)
    with st.container(border=True):
        st.plotly_chart(draw_case_answers(found, reveal=reveal), key="teaching-lead-group")
        st.caption(found.sentence)


def _to(session_id: str, place: int) -> dict[str, Any]:
    return {"on_click": _go, "args": (session_id, place, "images")}


def _go(session_id: str, place: int, shown: str) -> None:
    st.session_state[f"{_PLACE}-{session_id}"] = place
    st.session_state[f"{_SHOWN}-{session_id}"] = shown
