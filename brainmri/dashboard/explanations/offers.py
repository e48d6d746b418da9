"""The offers to compute what is not stored: of a run in the background, of one case at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.explanations.helper import helper_of
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.state import explain_errors
from brainmri.evaluation.reading import FinishedRun
from brainmri.study import Study

_EXPLAIN: Final = "explain"


def offer_run(study: Study, run: FinishedRun, what: str, case: TestedCase | None = None) -> None:
    """Offer to compute and store everything of a run in the background, or show how far that is.

    Parameters
    ----------
    study : Study
    run : FinishedRun
    what : str
        What is not stored, as part of a sentence.
    case : TestedCase, optional
        Offer to explain it alone, too.
    """
    alone = "This case alone is explained in seconds. " if case is not None else ""
    text = (
        f"It is not stored yet {what} in this run. {alone}Explaining the run asks the stored network about every test "
        "image, in the background: some seconds to some minutes on a processor."
    )
    offer_task(study, run.run_id, text, label="Explain this run", beside=lambda: _offer_case(study, run, case))


def offer_task(study: Study, target: str, text: str, *, label: str, beside: Callable[[], None] = lambda: None) -> None:
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
    beside : callable
        Shows what else is offered, before the button.
    """
    task = tasks.latest(study, _EXPLAIN)
    running = task is not None and task.status == tasks.RUNNING
    if not running:
        show_outcome(task, advice="Try again.")
        st.write(text)
    with st.container(horizontal=True, vertical_alignment="center"):
        beside()
        pressed = not running and st.button(label, icon=":material/neurology:", key="explain-all")
    if pressed and start_task(study, _EXPLAIN, ["explain-all", target], subject=target):
        st.rerun()
    if task is not None and running:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))


def _offer_case(study: Study, run: FinishedRun, case: TestedCase | None) -> None:
    """Offer to explain one case, and wait for it; the process that does it gets ready meanwhile."""
    if case is None:
        return
    helper = helper_of(study)
    with explain_errors():
        helper.prepare(run.run_id)
    pressed = st.button(
        "Explain this case now",
        type="primary",
        icon=":material/bolt:",
        key="explain-case",
        help="One to five seconds on a processor, by the network and its slices; some more for the first case.",
    )
    if not pressed:
        return
    with explain_errors(), st.spinner(f"Asking the network about {case.case_id} …", show_time=True):
        helper.explain(run.run_id, case.case_id)
        st.rerun()
