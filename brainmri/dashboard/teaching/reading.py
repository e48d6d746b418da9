"""A reader's way: the case alone, the network's answer, what closes the case, and the next one."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

import streamlit as st

from brainmri.dashboard.access import leave_reading
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.answering import fill_in, read_mark, set_mark, show_form
from brainmri.dashboard.teaching.images import (
    NetworkView,
    asks_for_mark,
    describe_map,
    pack_images,
    read_ahead,
    read_network,
    show_images,
)
from brainmri.dashboard.teaching.listening import listen_to_keys, show_clock
from brainmri.dashboard.teaching.locating import pack_tumour
from brainmri.dashboard.teaching.outcome import show_network, show_outcome
from brainmri.dashboard.teaching.place import show_message
from brainmri.dashboard.teaching.words import escape_markdown
from brainmri.errors import BrainMRIError
from brainmri.study import Study
from brainmri.teaching.answers import Step
from brainmri.teaching.course import Present
from brainmri.teaching.plans import Mark
from brainmri.teaching.reading import go_back, move_on, present
from brainmri.teaching.records import Reader
from brainmri.teaching.reveals import case_on_screen, shown_network
from brainmri.teaching.sessions import read_cases

_STEPS: Final = {
    "alone": "Your answer",
    "with network": "With the network",
    "pathology": "The answer",
}
_WIDTHS: Final = (19, 7)
_NO_IMAGES: Final = "The images of this case cannot be shown. Tell your instructor; the server's log says why."
_NO_NETWORK: Final = "The network's answer on this case cannot be shown. Answer as before, and go on."
_LOG: Final = logging.getLogger(__name__)


def show_reading(study: Study, reader: Reader) -> Present:
    """Show what is before a reader, and return it; at the end the caller shows the results."""
    now = present(study, reader.reader_id)
    if now.position is not None:
        st.set_page_config(initial_sidebar_state="collapsed")
        st.html(Path(__file__).with_name("desk.css"))
        with st.container(key="teaching-desk"):
            _show_head(study, reader, now)
            show_message()
            _show_case(study, reader, now, now.position)
        listen_to_keys()
        _prepare_next(study, reader, now)
    return now


def _show_head(study: Study, reader: Reader, now: Present) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="teaching-head"):
        st.title(f"Case {now.number} of {now.count}", anchor=False, width="content")
        st.badge(_STEPS[now.step], color="blue")
        st.caption(f"{escape_markdown(now.title)} · {escape_markdown(reader.name)}", width="stretch")
        show_clock(now)
        if now.can_go_back and st.button("Back", icon=":material/chevron_left:", key="teaching-back"):
            go_back(study, reader.reader_id)
            st.rerun()
        if st.button("Leave", type="tertiary", icon=":material/logout:", key="teaching-leave"):
            _confirm_leaving()
    st.progress((now.number - 1) / now.count)


def _show_case(study: Study, reader: Reader, now: Present, position: int) -> None:
    step: Step = "alone" if now.step == "alone" else "with network"
    network = _network(study, reader, now, position)
    if now.step != "pathology":
        fill_in(now, step)
    images, answer = st.columns(_WIDTHS)
    with images:
        _show_images(study, reader, now, position, network)
        if network is not None:
            show_network(network, now)
            st.caption(describe_map(study, network))
    with answer:
        if now.timed_out and now.step != "alone":
            st.info(_describe_time_out(now), icon=":material/timer_off:")
        if now.step == "pathology":
            _show_end(study, reader, now, position)
        if now.step != "pathology":
            show_form(study, reader.reader_id, now, step)


def _show_images(study: Study, reader: Reader, now: Present, position: int, network: NetworkView | None) -> None:
    step: Step = "alone" if now.step == "alone" else "with network"
    try:
        case_id = case_on_screen(study, reader.reader_id, position)
        if now.step == "pathology" and now.plan.exercise == "locate" and network is None:
            packed = pack_tumour(study, case_id, now.key)
        else:
            packed = pack_images(study, case_id, now.key, network)
    except BrainMRIError:
        _LOG.exception("The images of a case of session %s cannot be shown", reader.session_id)
        st.error(_NO_IMAGES, icon=":material/error:")  # the reason names the case
    else:
        _images(study, reader.reader_id, now, step, packed)


def _show_end(study: Study, reader: Reader, now: Present, position: int) -> None:
    last = now.number == now.count
    if st.button(
        "Finish" if last else "Next case",
        type="primary",
        icon=":material/chevron_right:",
        key=f"teaching-action-{now.key}-3",
        width="stretch",
    ):
        move_on(study, reader.reader_id, position)
        st.rerun()
    show_outcome(study, reader, now, position)


@st.fragment
@explain_errors()
def _images(study: Study, reader_id: str, now: Present, step: Step, packed: bytes) -> None:
    """Show the viewer; a mark is kept without drawing the rest again."""
    closed = now.step == "pathology"
    with st.container(border=True):
        marked = show_images(packed, mark=_shown_mark(now, step), marking=asks_for_mark(now), closed=closed)
    if marked is None or closed or marked == read_mark(now, step):
        return
    set_mark(study, reader_id, now, step, marked)
    st.rerun()


def _shown_mark(now: Present, step: Step) -> Mark | None:
    if now.step != "pathology":
        return read_mark(now, step)
    answer = now.answers.get("with network") or now.answers.get("alone")
    return None if answer is None else answer.mark


def _network(study: Study, reader: Reader, now: Present, position: int) -> NetworkView | None:
    """Return the network's answer where it may be shown now."""
    if now.step == "alone" or "network" not in now.plan.reveals:
        return None
    try:
        return read_network(study, shown_network(study, reader.reader_id, position))
    except BrainMRIError:
        _LOG.exception("The network's answer on a case of session %s cannot be shown", reader.session_id)
        st.warning(_NO_NETWORK, icon=":material/info:")
        return None


def _prepare_next(study: Study, reader: Reader, now: Present) -> None:
    if now.number < now.count:
        following = reader.order[now.number]
        with suppress(BrainMRIError):  # it is said when the case comes
            read_ahead(study, read_cases(study, reader.session_id)[following].case_id)


def _describe_time_out(now: Present) -> str:
    if "alone" in now.answers:
        return "The time was over. What you had filled in counts as your answer."
    return "The time was over before you answered. The case counts as not answered."


@st.dialog("Leave the session?")
def _confirm_leaving() -> None:
    st.write("Your answers are kept. To come back to the same case, keep the address of this page: it is your key.")
    if st.button("Leave", type="primary", width="stretch", key="teaching-leave-now"):
        leave_reading()
        st.rerun()
