"""The viewer with the case in it, and the offer to make its maps."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.corrections import draws_region
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.review import TestedCase, packed_case, pick_method, read_map_summary
from brainmri.dashboard.reviewing.panels import chosen_panel
from brainmri.dashboard.viewer import DrawnRegion, show_viewer
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_EXPLAIN: Final = "explain"
_OFFERING: Final = ("sequences", "checks", "similar")
"""Panels that show how far the task is themselves."""


def show_images(study: Study, run: FinishedRun, case: TestedCase) -> DrawnRegion | None:
    """Show the case in the viewer; return a region that the reviewer has just drawn."""
    method = pick_method(study, run.run_id, case)
    summary = read_map_summary(study, run.run_id, method)
    drawing = draws_region()
    drawn = show_viewer(
        packed_case(study, run.run_id, case, method),
        key="drawing-viewer" if drawing else "viewer",
        draw_region=drawing,
    )
    if summary is not None:
        st.caption(summary.describe())
    else:
        _offer_maps(study, run)
    return drawn if isinstance(drawn, DrawnRegion) else None


def _offer_maps(study: Study, run: FinishedRun) -> None:
    """Offer to explain the run, or show how far that is, where no panel below does."""
    task = tasks.latest(study, _EXPLAIN)
    running = task is not None and task.status == tasks.RUNNING
    if chosen_panel() in _OFFERING:
        st.caption("There are no maps of this run yet." + (" They are being made, see below." if running else ""))
        return
    if task is not None and running:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))
        return
    show_outcome(task, advice="Try again, or look at the case without maps.")
    words, action = st.columns([5, 1], vertical_alignment="center")
    words.write(
        "There are no maps of this run yet. Explaining it shows which part of the square spoke for a diagnosis, what "
        "each sequence contributed, how far the maps can be believed, and similar cases. The stored network is asked "
        "about every test image once, in the background: some seconds to some minutes on a processor. Go on reviewing "
        "meanwhile."
    )
    pressed = action.button(
        "Explain this run",
        type="primary",
        icon=":material/blur_on:",
        width="stretch",
        key="explain-from-viewer",
    )
    if pressed and start_task(study, _EXPLAIN, ["explain-all", run.run_id], subject=run.run_id):
        st.rerun()
