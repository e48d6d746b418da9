"""The offer to compute what is not stored of a run."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_EXPLAIN: Final = "explain"


def offer_run(study: Study, run: FinishedRun, what: str) -> None:
    """Offer to compute and store everything of a run in the background, or show how far that is."""
    task = tasks.latest(study, _EXPLAIN)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))
        return
    show_outcome(task, advice="Try again.")
    st.write(
        f"It is not stored yet {what} in this run. Explaining the run asks the stored network about every test image, "
        "in the background: some seconds to some minutes on a processor."
    )
    pressed = st.button("Explain this run", type="primary", icon=":material/neurology:", key="explain-all")
    if pressed and start_task(study, _EXPLAIN, ["explain-all", run.run_id], subject=run.run_id):
        st.rerun()
