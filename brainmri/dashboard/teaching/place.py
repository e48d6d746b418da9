"""Who is before the page: a reader with a place in a session, or somebody who has yet to come in."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.access import become_reader, full_person, leave_reading, reading_as
from brainmri.dashboard.state import remember_choice
from brainmri.errors import TeachingError
from brainmri.study import Study
from brainmri.teaching.reading import resume
from brainmri.teaching.records import Reader

READER: Final = "reader"
CODE: Final = "code"
SESSION: Final = "session"

_MESSAGE: Final = "teaching-message"


def reader_here(study: Study) -> Reader | None:
    """Return the reader that the address, or this browser session, holds; None where nobody has joined."""
    token = st.query_params.get(READER) or reading_as()
    if not token:
        return None
    try:
        reader = resume(study, str(token))
        person = full_person()
        if person.signed_in and reader.subject not in (None, person.subject):
            raise TeachingError("This place in a session belongs to somebody else. Join with the session's code.")
    except TeachingError as error:
        leave_reading()
        say_later(str(error))
        return None
    enter(reader)
    return reader


def enter(reader: Reader) -> None:
    """Keep a reader's place, so that a reload and a lost connection come back to it; nothing else is in the address."""
    become_reader(reader.reader_id)
    remember_choice(**{CODE: None, SESSION: None, READER: reader.reader_id})


def say_later(message: str) -> None:
    """Keep a sentence for the next time the page is drawn."""
    st.session_state[_MESSAGE] = message


def show_message() -> None:
    """Show the sentence that was kept, once."""
    message = st.session_state.pop(_MESSAGE, None)
    if message:
        st.warning(message, icon=":material/info:")
