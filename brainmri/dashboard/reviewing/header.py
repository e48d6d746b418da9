"""The head of the review page: what the case is, and what the network says of it."""

from __future__ import annotations

import streamlit as st

from brainmri.dashboard.formatting import format_count
from brainmri.dashboard.review import TestedCase, read_case_row
from brainmri.evaluation.predictions import VERDICT_RULE
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.wording import format_share
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis


def show_badges(study: Study, run: FinishedRun, case: TestedCase) -> None:
    """Show that the run did not train on the case, which run it is, and whether the case is a phantom."""
    st.badge("Held-out test case", icon=":material/lock:", color="blue")
    st.badge(f"{display_architecture(run.architecture)}, repeat {run.repeat}", color="gray")
    if read_case_row(study, case.case_id).synthetic:
        st.badge("Phantom", icon=":material/science:", color="violet")


def show_verdict(run: FinishedRun, case: TestedCase, *, place: str) -> None:
    """Show case, pathology, the network's verdict and its probability.

    Parameters
    ----------
    run : FinishedRun
    case : TestedCase
    place : str
        Of the case in the list, in words.
    """
    columns = st.columns(4)
    _show_metric(columns[0], "Case", case.case_id, place)
    _show_metric(
        columns[1],
        "Pathology",
        display_diagnosis(case.diagnosis),
        f"network gives it {format_share(case.true_probability, digits=0)}",
    )
    columns[2].metric(
        f"{display_architecture(run.architecture)} says",
        display_diagnosis(case.predicted),
        delta="right" if case.is_right else "wrong",
        delta_color="green" if case.is_right else "red",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=VERDICT_RULE,
    )
    _show_metric(
        columns[3],
        "Probability",
        format_share(case.certainty, digits=0),
        f"{case.agreeing} of {format_count(len(case.images), 'slice')} alone agree",
        explanation="Mean over the slices that the network saw.",
    )


def _show_metric(
    column: st.delta_generator.DeltaGenerator, label: str, value: str, beside: str, *, explanation: str | None = None
) -> None:
    column.metric(
        label,
        value,
        delta=beside,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=explanation,
    )
