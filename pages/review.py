"""One test case under one network: three sequences with the map, verdicts, findings, and the way to the next."""

import streamlit as st

from brainmri.dashboard.corrections import show_changes, show_corrections
from brainmri.dashboard.findings import show_findings
from brainmri.dashboard.review import read_verdicts
from brainmri.dashboard.reviewing.choices import pick_case, pick_experiment, pick_run, tested_cases
from brainmri.dashboard.reviewing.filtering import read_filter, show_conditions, show_filter
from brainmri.dashboard.reviewing.header import show_badges, show_verdict
from brainmri.dashboard.reviewing.images import read_ahead, show_images
from brainmri.dashboard.reviewing.keys import listen_to_keys, show_keys
from brainmri.dashboard.reviewing.panels import FIRST, pick_panel, show_explanation
from brainmri.dashboard.reviewing.verdicts import show_all_verdicts, show_slices
from brainmri.dashboard.reviewing.walk import (
    describe_place,
    pick_scope,
    run_that_tested,
    show_steps,
    whole_worklist,
)
from brainmri.dashboard.reviewing.worklist import show_agreement, show_worklist
from brainmri.dashboard.state import current_study, explain_errors, remember_choice
from brainmri.dashboard.takeaway import show_takeaway
from brainmri.evaluation.reading import read_finished_runs
from brainmri.evaluation.wording import label_experiment
from brainmri.study import Study
from brainmri.training.experiments import read_experiment
from brainmri.training.monitor import list_experiments


def show_page() -> None:
    study = current_study()
    summaries = list_experiments(study)
    reviewed = {one.experiment_id: label_experiment(one) for one in summaries if one.finished}
    if reviewed:
        show_review(study, reviewed)
        return
    st.title("Case review")
    show_nothing_yet(waiting=bool(summaries))


def show_nothing_yet(*, waiting: bool) -> None:
    with st.container(border=True):
        st.subheader("Nothing to review yet", anchor=False)
        if waiting:
            st.write("No run has finished. Its test cases appear here as soon as the first one has.")
        else:
            st.write(
                "Train the networks first. Every case that a network was tested on can then be looked at here, with "
                "what the network took it for and where it looked."
            )
        st.page_link("pages/training.py", label="Go to training", icon=":material/model_training:")


def show_review(study: Study, reviewed: dict[str, str]) -> None:
    header = st.container(horizontal=True, vertical_alignment="center")
    header.title("Case review", width="stretch", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        experiment_id = pick_experiment(study, reviewed)
        runs = read_finished_runs(study, experiment_id)
        verdicts = read_verdicts(study, experiment_id, len(runs))
        whole = whole_worklist(study, experiment_id, len(runs))
        run = pick_run(study, experiment_id, runs, whole.select(read_filter()))
        tested = tested_cases(study, experiment_id, run)
        listed = pick_scope(whole, tested)
    show_conditions(whole)
    case = pick_case(tested, listed)
    if case is None:
        st.info("This run has no stored predictions, so there is no case to review.", icon=":material/info:")
        return
    remember_choice(experiment=experiment_id, run=run.run_id, case=case.case_id)
    with header:
        show_badges(study, run, case)
        show_filter(study, whole)
        show_takeaway(study, experiment_id, run, case)
        following = show_steps(verdicts, run, case.case_id, listed)
    show_verdict(run, case, place=describe_place(listed, case.case_id))
    drawn = None
    with st.container(border=True), explain_errors():
        drawn = show_images(study, run, case)
    left, right = st.columns([3, 2])
    with left.container(border=True, height="stretch"):
        show_all_verdicts(verdicts, run, case)
        show_slices(case)
    with right.container(border=True, height="stretch"):
        show_findings(study, experiment_id, case_id=case.case_id, run_id=run.run_id)
        show_keys()
        show_corrections(study, case.case_id, diagnosis=case.diagnosis, drawn=drawn)
    show_changes(study, experiment_id, case.dataset_hash)
    panel = pick_panel(repeats_another=read_experiment(study, experiment_id).parent_id is not None)
    with st.container(border=True):
        if panel == FIRST:
            show_worklist(study, experiment_id, listed, tested, case.case_id, run_id=run.run_id, verdicts=verdicts)
            show_agreement(study, experiment_id)
        else:
            show_explanation(study, panel, experiment_id, run, case)
    listen_to_keys()
    if following is not None:
        with explain_errors():
            read_ahead(study, following, run_that_tested(verdicts, following, run.run_id))


show_page()
