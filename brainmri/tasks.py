"""Background tasks: operating-system processes that outlive the page, the browser and the server.

A task is a row and a process. The process writes its progress into the row; any page reads it there. A row whose
process is gone is told apart from a running one by the process's identity (number and creation time), so that a reused
process number or a restart of the machine does not look like work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import psutil
from sqlalchemy import Index, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now
from brainmri.errors import BrainMRIError, StopRequested, StudyError
from brainmri.study import Study

Progress = Callable[[float, str], None]
"""Takes the finished share, 0 to 1, and a short text for people."""

RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
INTERRUPTED: Final = "interrupted"

WORKER: Final = "worker"
"""The kind of the task that takes runs from the queue."""

PRIVATE_KINDS: Final = ("import",)
"""Kinds whose output and messages name files, and file names may name patients: neither enters the study folder."""

_PRIVATE_MESSAGE: Final = (
    "The import could not be done. The reason may name files, so it is not stored: only the terminal or the page that "
    "started it shows it. Start it again to see it."
)

_START_GRACE_S = 60
"""How long a new row may be without a process: the child imports torch before it reports."""
_CREATE_TIME_TOLERANCE_S = 1.0
"""psutil derives the creation time from the boot time, which drifts by a fraction of a second."""


class Task(Base):
    """One background process and how far it is."""

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``demo``, ``import``, ``train``, ``worker`` or ``explain``."""
    subject: Mapped[str | None]
    """What it works on, for example an experiment's identifier."""
    status: Mapped[str] = mapped_column(default=RUNNING)
    step: Mapped[str] = mapped_column(default="Starting")
    fraction: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str | None]
    """Why it failed, and what to do."""
    result: Mapped[dict[str, Any] | None]
    stop_requested: Mapped[bool] = mapped_column(default=False)
    pid: Mapped[int | None]
    process_created: Mapped[float | None]
    """The process's creation time in seconds since 1970: tells a reused number."""
    host: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ux_tasks_one_running_of_a_kind",
            "kind",
            unique=True,
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
    )


class TaskHandle:
    """What the process of a task holds: reports progress and sees a request to stop."""

    def __init__(self, study: Study, task_id: int) -> None:
        self._study = study
        self.task_id = task_id
        self._reported_at: datetime | None = None
        self._step = ""

    def report(self, fraction: float, step: str) -> None:
        """Write progress, at most twice a second unless the step changed."""
        now = utc_now()
        recent = self._reported_at is not None and (now - self._reported_at).total_seconds() < 0.5
        if recent and step == self._step and fraction < 1.0:
            return
        self._reported_at, self._step = now, step
        values = {"fraction": min(max(fraction, 0.0), 1.0), "step": step}
        with self._study.session() as session:
            session.execute(update(Task).where(Task.id == self.task_id).values(**values))

    def advance(self, fraction: float, step: str) -> None:
        """Write progress, and raise `StopRequested` where somebody asked for a stop."""
        self.report(fraction, step)
        if self.stop_requested():
            raise StopRequested("Stopped as asked. What was finished until then is kept.")

    def set_subject(self, subject: str) -> None:
        """Name what the task works on, once it is known."""
        with self._study.session() as session:
            session.execute(update(Task).where(Task.id == self.task_id).values(subject=subject))

    def stop_requested(self) -> bool:
        """Return whether somebody asked for a stop."""
        with self._study.session() as session:
            return bool(session.scalar(select(Task.stop_requested).where(Task.id == self.task_id)))

    def finish(self, status: str, *, message: str | None = None, result: dict[str, object] | None = None) -> None:
        """Close the row. Only the first call counts."""
        values: dict[str, object] = {"status": status, "message": message, "finished_at": utc_now()}
        if status == FINISHED:
            values["fraction"] = 1.0
        if result is not None:
            values["result"] = result
        with self._study.session() as session:
            session.execute(update(Task).where(Task.id == self.task_id, Task.status == RUNNING).values(**values))


@contextmanager
def running(study: Study, kind: str, *, subject: str | None = None, task_id: int | None = None) -> Iterator[TaskHandle]:
    """Run the block as a task of this process.

    Parameters
    ----------
    study : Study
    kind : str
        ``demo``, ``import``, ``train`` or ``explain``.
    subject : str, optional
        What it works on.
    task_id : int, optional
        Row that `start` made for this process; without it a new row is made.

    Raises
    ------
    StudyError
        Where another process does the same kind of work on this study.
    """
    handle = TaskHandle(study, task_id if task_id is not None else _insert(study, kind, subject))
    own = psutil.Process()
    with study.session() as session:
        session.execute(
            update(Task)
            .where(Task.id == handle.task_id)
            .values(pid=own.pid, process_created=own.create_time(), host=_host(), step="Starting")
        )
    try:
        yield handle
    except StopRequested as error:
        handle.finish(STOPPED, message=str(error))
        raise
    except BrainMRIError as error:
        handle.finish(FAILED, message=_storable(kind, str(error)))
        raise
    except KeyboardInterrupt:
        handle.finish(STOPPED, message="Stopped from the terminal.")
        raise
    except BaseException as error:
        handle.finish(FAILED, message=_storable(kind, f"Unexpected {type(error).__name__}: {error}"))
        raise
    handle.finish(FINISHED)


def start(study: Study, kind: str, arguments: Sequence[str], *, subject: str | None = None) -> int:
    """Start ``python -m brainmri ARGUMENTS --task ID`` as a process of its own and return the task's number.

    The process gets its own session, so that it outlives the server. Its output goes to ``logs/`` of the study; that of
    `PRIVATE_KINDS` to nameless files outside the study, which `read_output` reads.

    Raises
    ------
    StudyError
        Where another process does the same kind of work on this study, or the process cannot be started.
    """
    task_id = _insert(study, kind, subject)
    command = [sys.executable, "-m", "brainmri", *arguments, "--study", str(study.folder), "--task", str(task_id)]
    try:
        spawn = _spawn_private if kind in PRIVATE_KINDS else _spawn
        _CHILDREN[study.url, task_id] = spawn(study, task_id, kind, command)
    except OSError as error:
        TaskHandle(study, task_id).finish(FAILED, message=f"The process could not be started: {error}.")
        raise StudyError(f"The {kind} process could not be started: {error}.") from error
    return task_id


@dataclass(frozen=True)
class TaskOutput:
    """What a process of one of `PRIVATE_KINDS` has printed."""

    stdout: str
    stderr: str


def read_output(study: Study, task_id: int, *, timeout_s: float = 0.0) -> TaskOutput | None:
    """Return what a process of one of `PRIVATE_KINDS` printed, once it has ended.

    None while it runs, and where another process started it: the output is gone with the one that did.

    Parameters
    ----------
    study : Study
    task_id : int
    timeout_s : float
        How long to wait for the end of the process: it prints after it has closed its row.
    """
    child, streams = _CHILDREN.get((study.url, task_id)), _OUTPUTS.get((study.url, task_id))
    if child is None or streams is None:
        return None
    try:
        child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    for stream in streams:
        stream.seek(0)
    stdout, stderr = (stream.read().decode("utf-8", errors="replace") for stream in streams)
    return TaskOutput(stdout, stderr)


def forget_output(study: Study, task_id: int) -> None:
    """Throw away what `read_output` returns."""
    for stream in _OUTPUTS.pop((study.url, task_id), ()):
        stream.close()


def request_stop(study: Study, task_id: int) -> None:
    """Ask a task to stop at its next safe point."""
    with study.session() as session:
        session.execute(update(Task).where(Task.id == task_id).values(stop_requested=True))


def runs_elsewhere(task: Task) -> bool:
    """Return whether a task belongs to another machine, so that nothing here can tell if its process is still there."""
    return task.host is not None and task.host != _host()


def give_up(study: Study, task_id: int) -> None:
    """Close the row of a task that `runs_elsewhere`, for somebody who knows that it does not run any more."""
    TaskHandle(study, task_id).finish(INTERRUPTED, message="Closed by hand: its process was on another machine.")


def read(study: Study, task_id: int) -> Task | None:
    """Return a task as it stands now; one whose process is gone is closed first."""
    with study.session() as session:
        task = session.get(Task, task_id)
    return None if task is None else _settle(study, task)


def latest(study: Study, kind: str, *, subject: str | None = None) -> Task | None:
    """Return the newest task of a kind, or None; one whose process is gone is closed first."""
    query = select(Task).where(Task.kind == kind).order_by(Task.id.desc()).limit(1)
    if subject is not None:
        query = query.where(Task.subject == subject)
    with study.session() as session:
        task = session.scalar(query)
    return None if task is None else _settle(study, task)


def is_running(study: Study, kind: str, *, subject: str | None = None) -> bool:
    """Return whether the newest task of a kind runs."""
    task = latest(study, kind, subject=subject)
    return task is not None and task.status == RUNNING


def seconds_left(task: Task) -> float | None:
    """Estimate the time left from the share done so far; None before there is anything to go by."""
    if task.status != RUNNING or task.fraction < 0.02:
        return None
    elapsed = (utc_now() - task.started_at).total_seconds()
    return elapsed * (1 - task.fraction) / task.fraction


_CHILDREN: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
"""Processes that this process started, by study and task: polled, because an ended child stays a zombie until then."""

_OUTPUTS: dict[tuple[str, int], tuple[IO[bytes], IO[bytes]]] = {}
"""Standard output and error of private children, in files that have no name and end with this process."""


def _spawn(study: Study, task_id: int, kind: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a process whose output goes into the study's logs."""
    log = study.folder / "logs" / f"task-{task_id:04d}-{kind}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        return _popen(command, stream, stream)


def _spawn_private(study: Study, task_id: int, _kind: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a process whose output stays out of the study.

    Files, not pipes: a child that outlives this process can go on printing.
    """
    streams = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115 - `forget_output` closes them
    _OUTPUTS[study.url, task_id] = streams
    return _popen(command, *streams)


def _popen(command: Sequence[str], stdout: IO[bytes], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": _python_path(), "PYTHONIOENCODING": "utf-8"},
    )


def _storable(kind: str, message: str) -> str:
    """Return the message, or for `PRIVATE_KINDS` one that names no file."""
    return _PRIVATE_MESSAGE if kind in PRIVATE_KINDS else message


def _insert(study: Study, kind: str, subject: str | None) -> int:
    latest(study, kind)  # closes a row whose process is gone, which would block the next line for ever
    task = Task(kind=kind, subject=subject)
    try:
        with study.session() as session:
            session.add(task)
            session.flush()
            return task.id
    except IntegrityError as error:
        raise StudyError(
            f"A task of the kind '{kind}' is already running on the study {study.folder}. "
            "Wait for it, or stop it on its page."
        ) from error


def _settle(study: Study, task: Task) -> Task:
    """Close the row of a task whose process is gone."""
    if task.status != RUNNING or _alive(study, task):
        return task
    message = "The process ended before its work was done (stopped from outside, out of memory, or a restart)."
    TaskHandle(study, task.id).finish(INTERRUPTED, message=message)
    with study.session() as session:
        settled = session.get(Task, task.id)
    return settled or task


def _alive(study: Study, task: Task) -> bool:
    child = _CHILDREN.get((study.url, task.id))
    if child is not None:
        return child.poll() is None
    if task.pid is None:
        return (utc_now() - task.started_at).total_seconds() < _START_GRACE_S
    if runs_elsewhere(task):
        return True  # another machine's process: only that machine can tell
    try:
        process = psutil.Process(task.pid)
        same = abs(process.create_time() - (task.process_created or 0.0)) < _CREATE_TIME_TOLERANCE_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _host() -> str:
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def _python_path() -> str:
    """Return a PYTHONPATH under which the child finds this package, whatever its working directory."""
    here = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH")
    return here if not inherited else os.pathsep.join([here, inherited])
