"""The networks of one experiment compared, one by one, and on their cases."""

from importlib import import_module

import streamlit as st

from brainmri.dashboard.results.choice import Choice, choose, choose_experiment
from brainmri.dashboard.results.panels import choose_figure_format
from brainmri.dashboard.state import current_study, query_choice, remember_choice, show_phantom_notice
from brainmri.evaluation.reading import EvaluatedExperiment
from brainmri.evaluation.wording import IMAGE_SPLIT_CAVEAT, describe_experiment, describe_missing, label_experiment
from brainmri.training.monitor import list_experiments

SECTIONS = {
    "comparison": ("Comparison", "comparison"),
    "tests": ("Every test", "every_test"),
    "network": ("One network", "network"),
    "cases": ("Cases", "cases"),
    "leakage": ("Leakage", "leakage"),
}
# What the address calls a section, its label, and its module: only the chosen one is imported, computed and drawn.


def show_page() -> None:
    study = current_study()
    summaries = list_experiments(study)
    evaluated = {summary.experiment_id: label_experiment(summary) for summary in summaries if summary.finished}
    header = st.container(horizontal=True, vertical_alignment="bottom")
    header.title("Results", width="stretch")
    if not evaluated:
        show_nothing_yet(waiting=bool(summaries))
        return
    with header:
        experiment_id = choose_experiment(evaluated)
        chosen = choose(study, experiment_id)
    show_summary(chosen.experiment)
    show_section(chosen)
    choose_figure_format()


def show_nothing_yet(*, waiting: bool) -> None:
    with st.container(border=True):
        st.subheader("Nothing to compare yet")
        if waiting:
            st.write("No run has finished. Results appear here as soon as the first one has.")
        else:
            st.write("Train the networks first. Their accuracies, and whether they differ, then appear here.")
        st.page_link("pages/training.py", label="Go to training", icon=":material/model_training:")


def show_summary(experiment: EvaluatedExperiment) -> None:
    st.write(describe_experiment(experiment))
    if experiment.synthetic:
        show_phantom_notice()
    if missing := describe_missing(experiment):
        st.info(missing, icon=":material/hourglass_top:")
    if experiment.settings.split_by == "image":
        st.warning(IMAGE_SPLIT_CAVEAT, icon=":material/content_copy:")


def show_section(chosen: Choice) -> None:
    view = st.segmented_control(
        "Section",
        list(SECTIONS),
        format_func=lambda name: SECTIONS[name][0],
        default=query_choice("view", list(SECTIONS), "comparison"),
        required=True,
        key="view",  # it stays the same control while its default follows the address
        label_visibility="collapsed",
    )
    remember_choice(view=view)
    import_module(f"brainmri.dashboard.results.{SECTIONS[view][1]}").show(chosen)


show_page()
