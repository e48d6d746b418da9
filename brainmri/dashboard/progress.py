"""Live progress of a background task: bar, step, time left, stop button; and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.access import act, may, missing, note
from brainmri.dashboard.formatting import format_duration, format_time_left
from brainmri.dashboard.state import explain_errors, rerun_page
from brainmri.database import utc_now
from brainmri.errors import StudyError
from brainmri.people.roles import Role
from brainmri.study import Study
from brainmri.tasks import Task

REFRESH_S: Final = 1.0

_DISMISSED: Final = "dismissed_tasks"
_NEWS_S: Final = 24 * 3600
"""After a day, how a task ended is no news."""

_TRAINING: Final[tuple[Role, ...]] = ("may-train",)
_CURATION: Final[tuple[Role, ...]] = ("reviewer", "may-train")
_ROLES: Final = {"train": _TRAINING, "demo": _TRAINING, "measure": _TRAINING, tasks.WORKER: _TRAINING}
"""Who may start and stop a task of a kind; any other kind: reviewers too."""


def watch_task(study: Study, task: Task, draw: Callable[[Task], None]) -> None:
    """Draw a running task, again every second, and the whole page once when it ends.

    Parameters
    ----------
    study : Study
    task : Task
        A running one.
    draw : callable
        Draws the task as it stands.
    """

    @st.fragment(run_every=REFRESH_S)
    @explain_errors()
    def watched() -> None:
        now = tasks.read(study, task.id)
        if now is None or now.status != tasks.RUNNING:
            rerun_page()
        draw(now)

    watched()


def show_task(study: Study, task: Task, title: str, *, seconds_left: float | None = None) -> None:
    """Show a running task: title, stop button, bar, step and time left.

    Parameters
    ----------
    study : Study
    task : Task
    title : str
        What is being done.
    seconds_left : float, optional
        A better estimate than the share done so far allows.
    """
    with st.container(border=True, key=f"task-{task.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}**")
            _show_stop_button(study, task)
        st.progress(task.fraction)
        left = seconds_left if seconds_left is not None else tasks.seconds_left(task)
        elapsed = format_duration((utc_now() - task.started_at).total_seconds())
        step = "Stopping at the next safe point" if task.stop_requested else task.step
        st.caption(f"{step} · {task.fraction:.0%} · {format_time_left(left)} · running for {elapsed}")
        if tasks.runs_elsewhere(task):
            _show_elsewhere(study, task)


def show_outcome(task: Task | None, *, advice: str) -> None:
    """Say how the newest task of a kind ended, where it did not finish, until the visitor closes the message.

    Parameters
    ----------
    task : Task or None
    advice : str
        What to do now, a sentence; left out where somebody asked for the stop.
    """
    dismissed: set[int] = st.session_state.setdefault(_DISMISSED, set())
    if task is None or task.status in (tasks.RUNNING, tasks.FINISHED) or task.id in dismissed or _is_old(task):
        return
    text = task.message or "It ended without a message."
    row = st.container(horizontal=True, vertical_alignment="center")
    if task.status == tasks.STOPPED:
        row.info(text, icon=":material/stop_circle:")
    else:
        row.error(f"{text} {advice}".strip(), icon=":material/error:")
    row.button(
        "Close",
        key=f"dismiss-{task.id}",
        icon=":material/close:",
        type="tertiary",
        on_click=dismissed.add,
        args=(task.id,),
    )


def start_task(study: Study, kind: str, arguments: list[str], *, subject: str | None = None) -> bool:
    """Start a background task and note who did; where that is not possible or not allowed, show why, return False."""
    if not may_start(kind):
        st.error(missing_for(kind), icon=":material/lock:")
        return False
    try:
        tasks.start(study, kind, arguments, subject=subject)
    except StudyError as error:
        st.error(str(error), icon=":material/error:")
        return False
    _note_start(kind, arguments, subject)
    return True


def may_start(kind: str) -> bool:
    """Tell whether who is looking may start and stop tasks of a kind."""
    return may(*_roles_for(kind))


def missing_for(kind: str) -> str:
    """Say which role tasks of a kind need, and whom to ask."""
    words = {"train": "start or stop trainings", "import": "import cases", "demo": "make the demo study"}
    return missing(*_roles_for(kind), to=words.get(kind, "start or stop this"))


def _roles_for(kind: str) -> tuple[Role, ...]:
    return _ROLES.get(kind, _CURATION)


def _note_start(kind: str, arguments: list[str], subject: str | None) -> None:
    """Note the start of a task; what names a file stays out, because file names may name patients."""
    if arguments[:1] == ["retrain"]:
        note("freeze corrections and train", arguments[1])
        return
    told = [] if kind == "import" else ["(a file)" if "/" in one or "\\" in one else one for one in arguments[1:]]
    note(f"start {kind}", subject or "", **({"arguments": told} if told else {}))


def _is_old(task: Task) -> bool:
    return task.finished_at is not None and (utc_now() - task.finished_at).total_seconds() > _NEWS_S


def _show_stop_button(study: Study, task: Task) -> None:
    if not may_start(task.kind):
        return
    stopping = task.stop_requested
    st.button(
        "Stopping …" if stopping else "Stop",
        key=f"stop-{task.id}",
        icon=":material/stop_circle:",
        disabled=stopping,
        on_click=act,
        args=(_roles_for(task.kind), f"stop {task.kind}", task.subject or "", tasks.request_stop, study, task.id),
    )


def _show_elsewhere(study: Study, task: Task) -> None:
    st.caption(
        f"It runs on the computer {task.host}, which alone can tell whether it still does. If you know that it does "
        "not, close it here."
    )
    if may_start(task.kind):
        st.button(
            "It does not run any more",
            key=f"give-up-{task.id}",
            on_click=act,
            args=(_roles_for(task.kind), f"give up {task.kind}", task.subject or "", tasks.give_up, study, task.id),
        )
