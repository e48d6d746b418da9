"""The panels at the foot of the review page."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.before_after import show_before_after
from brainmri.dashboard.explanations import PANELS, show_architectures, show_checks, show_sequences, show_similar
from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.state import explain_errors, query_choice, remember_choice
from brainmri.dashboard.volume import show_volume
from brainmri.evaluation.reading import FinishedRun, read_finished_runs
from brainmri.study import Study

_PANEL: Final = "review-panel"
FIRST: Final = "cases"


def chosen_panel() -> str:
    """Return the panel that the visitor, or the address, has chosen."""
    return str(st.session_state.get(_PANEL) or query_choice("panel", list(PANELS), FIRST))


def pick_panel(*, repeats_another: bool) -> str:
    """Let the visitor choose a panel; before and after is there only where the experiment repeats another."""
    panels = [name for name in PANELS if repeats_another or name != "change"]
    if st.session_state.get(_PANEL) not in panels:
        st.session_state.pop(_PANEL, None)
    panel = st.segmented_control(
        "Panel",
        panels,
        format_func=PANELS.__getitem__,
        default=query_choice("panel", panels, FIRST),
        required=True,
        key=_PANEL,
        persist_state="session",
        label_visibility="collapsed",
    )
    panel = panel or FIRST
    remember_choice(panel=None if panel == FIRST else panel)
    return panel


@explain_errors()
def show_explanation(study: Study, panel: str, experiment_id: str, run: FinishedRun, case: TestedCase) -> None:
    """Show one of the panels that read what is stored of runs; an error there leaves the rest of the page."""
    runs = read_finished_runs(study, experiment_id)
    if panel == "networks":
        show_architectures(study, experiment_id, runs, case, run=run)
    elif panel == "sequences":
        show_sequences(study, run, runs, case)
    elif panel == "checks":
        show_checks(study, run, runs, case)
    elif panel == "volume":
        _show_volume(study, case)
    elif panel == "change":
        show_before_after(study, experiment_id, finished=len(runs))
    else:
        show_similar(study, run, case)


def _show_volume(study: Study, case: TestedCase) -> None:
    st.subheader("The whole volume", anchor=False)
    show_volume(study, case.case_id)
    st.caption(
        "Click or drag to move the crosshair, wheel to change the slice; drag in 3D to turn. Drawn by the graphics "
        "card: without one it takes some seconds."
    )
