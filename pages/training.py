"""Choose a protocol, launch it, watch it, stop it, go on with it."""

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.contents import read_contents
from brainmri.dashboard.experiments import pick_experiment, running_training, show_experiment, show_live
from brainmri.dashboard.progress import show_outcome, watch_task
from brainmri.dashboard.state import current_study, show_phantom_notice
from brainmri.dashboard.training import show_form

study = current_study()
contents = read_contents(study)
task = running_training(study)
busy = task is not None

st.title("Training")
if contents.phantoms:
    show_phantom_notice()
if task is not None:
    watch_task(study, task, lambda now: show_live(study, now))
else:
    show_outcome(tasks.latest(study, "train"), advice="Finished runs are kept.")
with st.expander("New training", icon=":material/add_circle:", expanded=not contents.experiments and not busy):
    show_form(study, contents, busy=busy)
if contents.experiments:
    st.subheader("Experiments")
    chosen = pick_experiment(contents.experiments)
    if chosen is not None and chosen.status != "running":
        show_experiment(study, chosen, busy=busy)
