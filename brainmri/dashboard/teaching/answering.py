"""The form of an answer: the diagnosis, how sure, where, and why. What is filled in is kept at every change."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.place import say_later
from brainmri.errors import TeachingError
from brainmri.study import Study
from brainmri.teaching.answers import Step
from brainmri.teaching.course import Present
from brainmri.teaching.plans import MAXIMUM_REASONING, GivenAnswer, Mark, SessionPlan
from brainmri.teaching.reading import present, save_draft, send
from brainmri.vocabulary import display_diagnosis

MIDDLE: Final = 50
"""Where the slider of the confidence starts, in per cent."""

_STEP: Final = 5
_KEYS: Final = "Keys: 1, 2, … diagnosis · Enter sends · Ctrl+Enter from the line · ? keys of the viewer"


def show_form(study: Study, reader_id: str, now: Present, step: Step) -> None:
    """Ask for the answer of a step, with what was filled in before."""
    _form(study, reader_id, now, step)


@st.fragment
@explain_errors()
def _form(study: Study, reader_id: str, now: Present, step: Step) -> None:
    plan = now.plan
    with st.container(border=True):
        if plan.exercise == "diagnosis":
            _ask_diagnosis(now, step)
        elif read_mark(now, step) is None:
            st.write("Where is the tumour? Press **Mark** (M) in the viewer, then click on it on T1c.")
        else:
            st.write(":material/check: Marked. Click elsewhere to move the mark, or send it.")
        given = read_form(now, step)
        _keep(study, reader_id, now, step, given)
        before = now.answers.get("alone")
        kept = step == "with network" and given == before
        label = "Keep my answer" if kept else "Change my answer" if step == "with network" else "Send"
        pressed = st.button(
            label,
            type="primary",
            icon=":material/check:" if kept else ":material/send:",
            key=f"teaching-action-{now.key}-{_short(step)}",
            width="stretch",
        )
        st.caption(_KEYS)
    if pressed:
        _send(study, reader_id, now, step, given)


def read_form(now: Present, step: Step) -> GivenAnswer:
    """Return the answer as it stands on the screen."""
    plan, state = now.plan, st.session_state
    mark = read_mark(now, step)
    if plan.exercise == "locate":
        return GivenAnswer(diagnosis=None, confidence={}, mark=mark)
    diagnosis = state.get(_name("diagnosis", now, step))
    asked = plan.classes if plan.confidence == "each" else (diagnosis,) if diagnosis else ()
    return GivenAnswer(
        diagnosis=diagnosis,
        confidence={name: float(state.get(_slider(plan, name, now, step), MIDDLE)) for name in asked},
        mark=mark,
        reasoning=" ".join(str(state.get(_name("reasoning", now, step), "")).split()),
    )


def read_mark(now: Present, step: Step) -> Mark | None:
    """Return the point that the reader marked in this step, or before it."""
    return st.session_state.get(_name("mark", now, step))


def set_mark(study: Study, reader_id: str, now: Present, step: Step, mark: Mark) -> None:
    """Take the point that the reader has marked, and keep it."""
    st.session_state[_name("mark", now, step)] = mark
    _keep(study, reader_id, now, step, read_form(now, step))


def _ask_diagnosis(now: Present, step: Step) -> None:
    plan = now.plan
    st.segmented_control(
        "Your diagnosis" if step == "alone" else "Your diagnosis now",
        plan.classes,
        format_func=lambda name: f"{plan.classes.index(name) + 1}  {display_diagnosis(name)}",
        required=False,
        key=_name("diagnosis", now, step),
        width="stretch",
    )
    if plan.confidence == "chosen":
        _ask_confidence("How sure are you?", _slider(plan, "", now, step))
    if plan.reasoning:
        st.text_input(
            "Why? One line",
            max_chars=MAXIMUM_REASONING,
            key=_name("reasoning", now, step),
            placeholder="What decided it. No names of patients.",
        )
    if plan.confidence == "each":
        st.caption("How sure are you of each? They need not add up to 100.")
        with st.container(key="teaching-confidence"):
            for name in plan.classes:
                _ask_confidence(display_diagnosis(name), _slider(plan, name, now, step))


def _ask_confidence(label: str, key: str) -> None:
    st.slider(label, 0, 100, step=_STEP, format="%d %%", key=key)


def fill_in(now: Present, step: Step) -> None:
    """Start the form with the draft, else with the answer that counts, else with the answer given alone."""
    shown = "mark" if now.plan.exercise == "locate" else "diagnosis"  # Streamlit forgets a control that is not shown
    if _name(shown, now, step) in st.session_state:
        return
    stored = now.draft
    if stored is None:
        answer = now.answers.get(step) or now.answers.get("alone")
        stored = {} if answer is None else answer.to_json()
    state, plan = st.session_state, now.plan
    mark = stored.get("mark")
    state[_name("mark", now, step)] = None if mark is None else Mark(**mark)
    if plan.exercise == "locate":
        return
    confidence = stored.get("confidence", {})
    state[_name("diagnosis", now, step)] = stored.get("diagnosis")
    state[_name("reasoning", now, step)] = stored.get("reasoning", "")
    if plan.confidence == "chosen":
        state[_slider(plan, "", now, step)] = round(next(iter(confidence.values()), MIDDLE))
    else:
        for name in plan.classes:
            state[_slider(plan, name, now, step)] = round(confidence.get(name, MIDDLE))


def _keep(study: Study, reader_id: str, now: Present, step: Step, given: GivenAnswer) -> None:
    """Store the draft where it differs from what was stored last."""
    content = given.to_json()
    last = _name("kept", now, step)
    if st.session_state.get(last, now.draft) == content or now.position is None:
        return
    if given == GivenAnswer(diagnosis=None, confidence=given.confidence) and now.draft is None:
        return  # nothing has been filled in yet
    save_draft(study, reader_id, now.position, step, content)
    st.session_state[last] = content


def _send(study: Study, reader_id: str, now: Present, step: Step, given: GivenAnswer) -> None:
    """Send the answer; a refusal is said where the reader is then."""
    if now.position is None:
        return
    try:
        send(study, reader_id, now.position, step, given)
    except TeachingError as error:
        after = present(study, reader_id)
        if (after.key, after.step) == (now.key, now.step):
            raise
        say_later(str(error))
    st.rerun()


def _name(part: str, now: Present, step: Step) -> str:
    return f"teaching-{part}-{now.key}-{_short(step)}"


def _slider(plan: SessionPlan, name: str, now: Present, step: Step) -> str:
    place = plan.classes.index(name) if plan.confidence == "each" else 0
    return _name(f"sure{place}", now, step)


def _short(step: Step) -> str:
    return "1" if step == "alone" else "2"
