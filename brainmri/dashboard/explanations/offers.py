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


def offer_run(
    study: Study, run: FinishedRun, what: str, case: TestedCase | None = None, *, key: str = "explain-all"
) -> bool:
    """Offer to compute and store everything of a run in the background, or show how far that is.

    Parameters
    ----------
    study : Study
    run : FinishedRun
    what : str
        What is not stored, as part of a sentence.
    case : TestedCase, optional
        Offer to explain it alone, too, at once.
    key : str
        Of the button, one on a page.

    Returns
    -------
    bool
        True where the case has just been explained.
    """
    alone = "This case alone is explained in seconds. " if case is not None else ""
    text = (
        f"It is not stored yet {what} in this run. {alone}Explaining the run asks the stored network about every test "
        "image, in the background: some seconds to some minutes on a processor."
    )
    asked = offer_task(
        study,
        run.run_id,
        text,
        label="Explain this run",
        key=key,
        beside=lambda: case is not None and _offer_case(study, run),
    )
    return asked and case is not None and _explain_case(study, run, case)


def offer_task(
    study: Study,
    target: str,
    text: str,
    *,
    label: str,
    beside: Callable[[], bool] = lambda: False,
    key: str = "explain-all",
) -> bool:
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
        Shows what else is offered, before the button, and says whether it was asked for.

    key : str
        Of the button.

    Returns
    -------
    bool
        What ``beside`` said.
    """
    task = tasks.latest(study, _EXPLAIN)
    running = task is not None and task.status == tasks.RUNNING
    if not running:
        show_outcome(task, advice="Try again.")
        st.write(text)
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = beside()
        pressed = not running and st.button(label, icon=":material/neurology:", key=key)
    if pressed and start_task(study, _EXPLAIN, ["explain-all", target], subject=target):
        st.rerun()
    if task is not None and running:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))
    return asked


def _offer_case(study: Study, run: FinishedRun) -> bool:
    """Offer to explain one case; the process that does it gets ready meanwhile. Return whether it was asked for."""
    with explain_errors():
        helper_of(study).prepare(run.run_id)
    return st.button(
        "Explain this case now",
        type="primary",
        icon=":material/bolt:",
        key="explain-case",
        help="One to five seconds on a processor, by the network and its slices; some more for the first case.",
    )


def _explain_case(study: Study, run: FinishedRun, case: TestedCase) -> bool:
    """Explain one case and wait for it; return whether it could be done, and say why where it could not."""
    with explain_errors(), st.spinner(f"Asking the network about {case.case_id} …", show_time=True):
        helper_of(study).explain(run.run_id, case.case_id)
        return True
    return False
