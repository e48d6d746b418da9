"""What all runs say of the case, and what the run on the screen says slice by slice."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.formatting import fit_table
from brainmri.dashboard.review import TestedCase, image_table
from brainmri.dashboard.state import remember_choice
from brainmri.evaluation.case_verdicts import verdicts_on_case
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.verdicts import Verdicts
from brainmri.figures.explanation import draw_case_verdicts, draw_probabilities
from brainmri.figures.palette import CHART_CONFIG
from brainmri.vocabulary import display_diagnosis

_PER_CENT: Final = st.column_config.NumberColumn(format="%.0f %%")
_MOST_SLICES: Final = 6


def show_all_verdicts(verdicts: Verdicts, run: FinishedRun, case: TestedCase) -> None:
    """Show one cell for each run that tested the case; a click opens the run."""
    found = verdicts_on_case(verdicts, case.case_id)
    st.subheader("What all runs say", anchor=False)
    clicked = st.plotly_chart(
        draw_case_verdicts(found, chosen_run=run.run_id),
        theme=None,
        config={**CHART_CONFIG, "displayModeBar": False},
        key=f"verdicts-{case.case_id}-{run.run_id}",
        on_select="rerun",
        selection_mode="points",
        alt="Verdicts of all runs that tested the case, one cell a run",
    )
    st.caption(
        f"{found.describe()} The colour is the diagnosis that the run gives, ✓ right, ✗ wrong; empty where the run "
        "trained on the case. The framed cell is the run above; click another to open it."
    )
    points = clicked.selection.points
    if points and points[0]["customdata"][0] != run.run_id:
        remember_choice(run=points[0]["customdata"][0])
        st.rerun()


def show_slices(case: TestedCase) -> None:
    """Show the probability of each diagnosis, over the slices and slice by slice."""
    st.subheader("What the network takes it for", anchor=False)
    st.plotly_chart(
        draw_probabilities(case.classes, case.probabilities),
        theme=None,
        config={**CHART_CONFIG, "displayModeBar": False},
        key="probabilities",
        alt="Mean probability of each diagnosis over the slices of the case",
    )
    st.dataframe(
        image_table(case),
        hide_index=True,
        height=fit_table(len(case.images), _MOST_SLICES),
        column_config={display_diagnosis(name): _PER_CENT for name in case.classes},
        key="slices",
    )
    st.caption("One row a slice that the network saw. The bars are the means.")
