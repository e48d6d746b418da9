"""Reading sessions: readers look at cases without their diagnosis; an instructor makes, leads and closes them."""

import streamlit as st

from brainmri.dashboard.state import current_study
from brainmri.dashboard.teaching.entry import show_entry
from brainmri.dashboard.teaching.place import reader_here, show_message
from brainmri.dashboard.teaching.reading import show_reading
from brainmri.study import Study


def show_page() -> None:
    study = current_study()
    reader = reader_here(study)
    if reader is None:
        show_door(study)
        return
    now = show_reading(study, reader)
    if now.step == "done":
        st.title("All cases read")


def show_door(study: Study) -> None:
    st.title("Teaching", anchor=False)
    show_message()
    show_entry(study)


show_page()
