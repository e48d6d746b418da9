"""What the study holds and what to do next; creates the demo study."""

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.contents import read_contents
from brainmri.dashboard.overview import (
    show_case_counts,
    show_demo_progress,
    show_header,
    show_newest_result,
    show_next_steps,
    show_numbers,
    show_ways_to_begin,
    show_what_it_does,
)
from brainmri.dashboard.state import current_study

study = current_study()
contents = read_contents(study)
demo = tasks.latest(study, "demo")

show_header(contents)
show_demo_progress(study, demo)
if contents.cases == 0:
    show_what_it_does()
    show_ways_to_begin(study, demo)
else:
    show_numbers(contents)
    left, right = st.columns([3, 2])
    with left:
        show_case_counts(contents)
    with right:
        show_next_steps(study, contents, demo)
    show_newest_result(study, contents)
