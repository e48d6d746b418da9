"""What is shown after an answer: the network's probabilities, then what closes the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from brainmri.dashboard.formatting import format_count
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.alike import show_alike
from brainmri.dashboard.teaching.images import NetworkView, read_network
from brainmri.dashboard.teaching.locating import show_located
from brainmri.evaluation.wording import format_share
from brainmri.study import Study
from brainmri.teaching.answers import Step
from brainmri.teaching.course import Present
from brainmri.teaching.records import Reader
from brainmri.teaching.reveals import Outcome, ShownNetwork, read_outcome
from brainmri.vocabulary import display_diagnosis

_WHOSE: Final[dict[str, Step]] = {"You, alone": "alone", "You, with the network": "with network"}


def show_network(network: NetworkView, now: Present) -> None:
    """Show the network's probability of each diagnosis beside what the reader said alone."""
    own = now.answers.get("alone")
    said = f"You said {display_diagnosis(own.diagnosis)}." if own is not None and own.diagnosis else ""
    show_probabilities(network, beside=said)


def show_probabilities(network: NetworkView, *, beside: str = "") -> None:
    """Show the network's probability of each diagnosis."""
    case = network.case
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"The network says **{display_diagnosis(case.predicted)}**", width="content")
            if beside:
                st.caption(beside)
        bars = st.columns(len(case.classes))
        for bar, name, share in zip(bars, case.classes, case.probabilities, strict=True):
            bar.progress(float(share), text=f"{display_diagnosis(name)} **{format_share(share, digits=0)}**")


@explain_errors()
def show_outcome(study: Study, reader: Reader, now: Present, position: int) -> None:
    """Show the pathology and whatever else the session shows at the end of a case."""
    outcome = read_outcome(study, reader.reader_id, position)
    with st.container(border=True):
        if now.plan.exercise == "locate":
            answer = now.answers.get("alone")
            show_located(study, outcome.case_id, None if answer is None else answer.mark)
        if outcome.diagnosis is not None:
            _show_pathology(outcome.diagnosis, now)
        if outcome.clinical:
            _show_clinical(outcome)
        if outcome.note:
            st.markdown("**Teaching note**")
            st.text(outcome.note)
        if outcome.others is not None:
            _show_others(outcome.others)
        if outcome.similar and outcome.run_id is not None:
            shown = ShownNetwork(case_id=outcome.case_id, run_id=outcome.run_id)
            show_alike(study, reader.session_id, read_network(study, shown))


def _show_pathology(diagnosis: str, now: Present) -> None:
    st.metric("Pathology", display_diagnosis(diagnosis))
    for label, step in _WHOSE.items():
        answer = now.answers.get(step)
        if answer is not None and answer.diagnosis is not None:
            verdict = ":green-badge[right]" if answer.diagnosis == diagnosis else ":red-badge[wrong]"
            st.markdown(f"{label}: {display_diagnosis(answer.diagnosis)} {verdict}")
        elif step == "alone" and now.plan.exercise == "diagnosis":
            st.markdown(f"{label}: not answered")


def _show_clinical(outcome: Outcome) -> None:
    st.markdown("**Clinical**")
    st.text("\n".join(f"{name}: {value}" for name, value in outcome.clinical.items()))


def _show_others(others: Mapping[str, int]) -> None:
    answered = sum(others.values())
    st.markdown("**The other readers**")
    if not answered:
        st.caption("No other reader has answered this case yet.")
        return
    for name, count in others.items():
        st.progress(count / answered, text=f"{display_diagnosis(name)}: {format_count(count, 'reader')}")
