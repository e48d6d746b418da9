"""The offers to compute in the background what is not stored of a run."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_EXPLAIN: Final = "explain"


def offer_run(study: Study, run: FinishedRun, what: str, *, key: str = "explain-all") -> None:
    """Offer to compute and store everything of a run in the background, or show how far that is.

    Parameters
    ----------
    study : Study
    run : FinishedRun
    what : str
        What is not stored, as part of a sentence.
    key : str
        Of the button, one on a page.
    """
    text = (
        f"It is not stored yet {what} in this run. Explaining the run asks the stored network about every test image, "
        "in the background: some seconds to some minutes on a processor."
    )
    offer_task(study, run.run_id, text, label="Explain this run", key=key)


def offer_task(study: Study, target: str, text: str, *, label: str, key: str = "explain-all") -> None:
    """Offer to explain a run, or all runs of an experiment, in the background, or show how far that is.

    Parameters
    ----------
    study : Study
    target : str
        A run or an experiment.
    text : str
        What is not there, and what the button does.
    label : str
        Of the button.
    key : str
        Of the button.
    """
    task = tasks.latest(study, _EXPLAIN)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))
        return
    show_outcome(task, advice="Try again.")
    st.write(text)
    pressed = st.button(label, icon=":material/neurology:", key=key)
    if pressed and start_task(study, _EXPLAIN, ["explain-all", target], subject=target):
        st.rerun()
