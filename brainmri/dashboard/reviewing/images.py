"""The viewer with the case in it, and the offer to make its maps."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.case_maps import MapChoice, maps_of_run, read_summary
from brainmri.dashboard.corrections import draws_region
from brainmri.dashboard.explanations.asking import CaseWish, ask_for_case, can_ask, prepare
from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.review import TestedCase, packed_case, pick_choice, warm_up
from brainmri.dashboard.reviewing.panels import chosen_panel
from brainmri.dashboard.viewer import DrawnRegion, show_viewer
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_OFFERING: Final = ("sequences", "checks", "similar")
"""Panels that show how far the task is themselves."""


def show_images(study: Study, run: FinishedRun, case: TestedCase) -> DrawnRegion | None:
    """Show the case in the viewer; return a region that the reviewer has just drawn."""
    choice = pick_choice(study, run, case)
    summary = read_summary(study, run.run_id, choice, case_id=case.case_id)
    drawing = draws_region()
    drawn = show_viewer(
        packed_case(study, run.run_id, case, choice),
        key="drawing-viewer" if drawing else "viewer",
        draw_region=drawing,
    )
    if summary is not None:
        st.caption(summary.describe())
    else:
        _make_maps(study, run, case, choice)
    return drawn if isinstance(drawn, DrawnRegion) else None


def read_ahead(study: Study, case_id: str, run_id: str | None) -> None:
    """Read the volumes of the case that is likely to be opened next, and its network where it has to be asked.

    Parameters
    ----------
    study : Study
    case_id : str
    run_id : str or None
        The run that will show it.
    """
    warm_up(study, case_id)
    if run_id is not None and maps_of_run(study, run_id, "gradcam") is None:
        prepare(study, run_id)


def _make_maps(study: Study, run: FinishedRun, case: TestedCase, choice: MapChoice) -> None:
    """Ask the network for maps of the case; where it is not stored, offer what can be done, if no panel below does."""
    if can_ask(study, run.run_id):
        method = choice.stored_method
        ask_for_case(
            study,
            CaseWish(
                run_id=run.run_id,
                case_id=case.case_id,
                part="maps",
                method=None if method == "gradcam" else method,
                layer=choice.layer,
            ),
        )
    elif chosen_panel() in _OFFERING:
        st.caption("There are no maps of this case yet. They can be made below.")
    else:
        offer_run(study, run, "where the network looked, and why", key="explain-from-viewer")
