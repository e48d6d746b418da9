"""Reading sessions: readers look at cases without their diagnosis; an instructor makes, leads and closes them."""

import streamlit as st

from brainmri.dashboard.access import may
from brainmri.dashboard.state import current_study
from brainmri.dashboard.teaching.entry import show_entry
from brainmri.dashboard.teaching.hall import show_hall
from brainmri.dashboard.teaching.listing import show_sessions
from brainmri.dashboard.teaching.making import show_making
from brainmri.dashboard.teaching.own_results import show_own_results
from brainmri.dashboard.teaching.place import SESSION, reader_here, show_message
from brainmri.dashboard.teaching.reading import show_reading
from brainmri.study import Study


def show_page() -> None:
    study = current_study()
    reader = reader_here(study)
    if reader is not None:
        now = show_reading(study, reader)
        if now.step == "done":
            show_own_results(study, reader, now)
    elif SESSION in st.query_params and may("instructor"):
        show_hall(study, st.query_params[SESSION])
    else:
        show_door(study)


def show_door(study: Study) -> None:
    st.title("Teaching", anchor=False)
    show_message()
    if not may("instructor"):
        _, middle, _ = st.columns([1, 2, 1])
        with middle:
            show_entry(study)
        return
    left, right = st.columns([3, 1])
    with right:
        show_entry(study)
    with left:
        show_sessions(study)
        show_making(study)


show_page()
