"""The viewer with the case in it, and the offer to make its maps."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.corrections import draws_region
from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.review import TestedCase, packed_case, pick_method, read_map_summary
from brainmri.dashboard.reviewing.panels import chosen_panel
from brainmri.dashboard.viewer import DrawnRegion, show_viewer
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_OFFERING: Final = ("sequences", "checks", "similar")
"""Panels that show how far the task is themselves."""


def show_images(study: Study, run: FinishedRun, case: TestedCase) -> DrawnRegion | None:
    """Show the case in the viewer; return a region that the reviewer has just drawn."""
    method = pick_method(study, run.run_id, case)
    summary = read_map_summary(study, run.run_id, method, case_id=case.case_id)
    drawing = draws_region()
    drawn = show_viewer(
        packed_case(study, run.run_id, case, method),
        key="drawing-viewer" if drawing else "viewer",
        draw_region=drawing,
    )
    if summary is not None:
        st.caption(summary.describe())
    else:
        _offer_maps(study, run, case)
    return drawn if isinstance(drawn, DrawnRegion) else None


def _offer_maps(study: Study, run: FinishedRun, case: TestedCase) -> None:
    """Offer to explain the case or the run, or show how far that is, where no panel below does."""
    if chosen_panel() in _OFFERING:
        st.caption("There are no maps of this case yet. They can be made below.")
    elif offer_run(study, run, "where the network looked, and why", case, key="explain-from-viewer"):
        st.rerun()
