"""The door of a reading session: a code and a name."""

from __future__ import annotations

import streamlit as st

from brainmri.dashboard.access import author_name, full_person
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.place import CODE, enter
from brainmri.study import Study
from brainmri.teaching.reading import MAXIMUM_NAME, join
from brainmri.teaching.sessions import CODE_LENGTH


def show_entry(study: Study) -> None:
    """Let a reader join with the code of a session and a name or a pseudonym; a sign-in gives the name itself."""
    signed = author_name()
    with st.form("teaching-join", border=True):
        st.subheader("Join a session", anchor=False)
        code = st.text_input(
            "Code",
            value=st.query_params.get(CODE, ""),
            max_chars=CODE_LENGTH + 4,
            placeholder="such as ABC234",
            help="Your instructor shows it: six letters and digits.",
            key="teaching-code",
        )
        chosen = st.text_input(
            "Your name or a pseudonym" if signed is None else "Your name, from your sign-in",
            value=signed or "",
            disabled=signed is not None,
            max_chars=MAXIMUM_NAME,
            help="The instructor can hide all names on the screen. A pseudonym does as well.",
            key="teaching-name",
        )
        pressed = st.form_submit_button("Join", type="primary", icon=":material/login:", width="stretch")
    if not pressed:
        st.caption("You will see cases without their diagnosis. Your answers are kept as you give them.")
        return
    with explain_errors():
        person = full_person()
        subject = person.subject if person.signed_in else None
        enter(join(study, code, chosen if signed is None else signed, subject=subject))
        st.rerun()
