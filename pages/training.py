"""Choose a protocol, launch it, watch it, pause it, stop it, go on with it."""

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.contents import read_contents
from brainmri.dashboard.experiments import pick_experiment, read_activity, show_experiment, watch_activity
from brainmri.dashboard.progress import may_start, missing_for, show_outcome
from brainmri.dashboard.state import current_study, show_phantom_notice
from brainmri.dashboard.training import show_form

study = current_study()
contents = read_contents(study)
activity = read_activity(study)
busy = bool(activity.preparing or activity.experiments)

st.title("Training")
if contents.phantoms:
    show_phantom_notice()
for kind in ("train", tasks.WORKER):
    show_outcome(tasks.latest(study, kind), advice="Finished runs are kept.")
if busy:
    watch_activity(study, activity)
if may_start("train"):
    with st.expander(
        "New training", key="new-training", icon=":material/add_circle:", expanded=not contents.experiments and not busy
    ):
        show_form(study, contents, preparing=bool(activity.preparing), busy=busy)
else:
    st.info(missing_for("train"), icon=":material/lock:")
if contents.experiments:
    st.subheader("Experiments")
    chosen = pick_experiment(contents.experiments)
    if chosen is not None and chosen.experiment_id not in activity.experiments:
        show_experiment(study, chosen)
