"""Panels on comparisons on the same cases: verdicts, areas under ROC curves, intervals over patients."""

from __future__ import annotations

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.every_test_data import areas, case_tests
from brainmri.dashboard.results.loaded import bootstrap
from brainmri.dashboard.results.panels import show_figure, show_heading, show_table
from brainmri.evaluation.metric_text import is_share, title_axis
from brainmri.evaluation.rows_of_case_tests import (
    area_notes,
    area_pair_rows,
    bootstrap_notes,
    describe_areas,
    describe_cochran,
    mcnemar_rows,
    patient_difference_rows,
    without_empty,
)
from brainmri.figures.tests_on_cases import draw_areas, draw_patient_differences, draw_patient_intervals
from brainmri.vocabulary import display_diagnosis


def show_case_tests(chosen: Choice) -> None:
    """Show Cochran's Q and McNemar's test of every pair."""
    with st.container(border=True):
        show_heading("Right and wrong verdicts")
        tests = case_tests(chosen)
        if isinstance(tests, str):
            st.write(tests)
            return
        st.write(describe_cochran(tests.cochran))
        points, p = st.column_config.NumberColumn(format="%+.1f"), st.column_config.TextColumn(alignment="right")
        show_table(
            without_empty(mcnemar_rows(tests)),
            column_config={
                **dict.fromkeys(("Difference (points)", "Lower", "Upper"), points),
                **dict.fromkeys(("p, exact", "p, mid", "p, mid, Holm"), p),
            },
        )
        st.caption(
            "McNemar's test. Each case counts once, by the network's probabilities averaged over the repeats in which "
            "all networks tested it. Lower and upper: 95 % interval of the difference of accuracy, of the pair alone."
        )


@st.fragment
def show_areas(chosen: Choice) -> None:
    """Show the areas under the ROC curves of a class that the reader chooses."""
    classes = [display_diagnosis(name) for name in chosen.experiment.classes]
    with show_heading("Area under the ROC curve"):
        name = st.selectbox(
            "Diagnosis", classes, key="area_class", persist_state="session", label_visibility="collapsed", width=200
        )
    compared = areas(chosen, classes.index(name))
    if isinstance(compared, str):
        st.write(compared)
        return
    notes = area_notes(compared)
    for note in notes:
        st.info(note, icon=":material/info:")
    if any(area.auc is not None for area in compared.areas):
        show_figure(draw_areas(compared), key="areas", alt=f"Areas under the ROC curves for {name} with 95 % intervals")
        if compared.pairs:
            show_table(
                without_empty(area_pair_rows(compared)),
                column_config={
                    **dict.fromkeys(("Difference", "Lower", "Upper"), st.column_config.NumberColumn(format="%+.3f")),
                    **dict.fromkeys(("p", "p, Holm"), st.column_config.TextColumn(alignment="right")),
                },
            )
    st.caption(f"{name} against the rest, by DeLong's method: {describe_areas(compared)} Intervals: 95 %.")


def show_patients(chosen: Choice) -> None:
    """Show intervals of the chosen metric over patients."""
    show_heading("With other patients")
    found = bootstrap(chosen)
    for note in bootstrap_notes(found):
        st.info(note, icon=":material/info:")
    if any(one.value is not None for one in found.architectures):
        show_figure(
            draw_patient_intervals(found, title_axis(chosen.metric, chosen.experiment.classes, chosen.level)),
            key="patient_intervals",
            alt=f"{chosen.metric_name} of each network with 95 % intervals over patients",
        )
    if any(one.difference is not None for one in found.differences):
        show_figure(
            draw_patient_differences(found),
            key="patient_differences",
            alt=f"Differences of {chosen.metric_name} with 95 % intervals over patients",
        )
        signed = st.column_config.NumberColumn(format="%+.1f" if is_share(chosen.metric) else "%+.3f")
        with st.expander("Numbers"):
            show_table(
                without_empty(patient_difference_rows(found)),
                column_config=dict.fromkeys(("Difference", "Lower", "Upper"), signed),
            )
    st.caption(
        f"Mean over the runs. 95 % intervals from {found.resamples:,} draws of the {found.patients} patients with all "
        "their images: how far it would move with other patients of the same kind. Networks stay as they were trained."
    )
