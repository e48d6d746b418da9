"""The queue of runs in the database: taken one by one, put back, stopped, moved. Safe with several processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, true, update

from brainmri.database import utc_now
from brainmri.study import Study
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.processes import ProcessIdentity, is_alive, is_here
from brainmri.training.records import (
    FAILED,
    FINISHED,
    QUEUED,
    RUNNING,
    STOPPED,
    Epoch,
    Experiment,
    Prediction,
    Run,
    ValidationPrediction,
)

SILENCE_S: Final = 120
"""A process of another machine that has not been heard of for so long is taken for gone."""

_WITHOUT_PROCESS: Final[dict[str, Any]] = {
    "message": None,
    "worker_pid": None,
    "worker_created": None,
    "worker_host": None,
    "heartbeat_at": None,
    "started_at": None,
    "finished_at": None,
    "seconds": None,
    "images_per_second": None,
    "accuracy": None,
    "peak_memory_bytes": None,
}


def claim_run(
    study: Study, experiment_id: str | None, worker: ProcessIdentity, *, task_id: int | None = None
) -> Run | None:
    """Take the next queued run; None where none is left. No two processes get the same.

    Parameters
    ----------
    study : Study
    experiment_id : str or None
        None: of any experiment that is not paused.
    worker : ProcessIdentity
    task_id : int, optional
        Background task that the process belongs to.
    """
    while True:
        run_id = _next_queued(study, experiment_id)
        if run_id is None:
            return None
        values = {
            "status": RUNNING,
            "task_id": task_id,
            "worker_pid": worker.pid,
            "worker_created": worker.created,
            "worker_host": worker.host,
            "attempt": Run.attempt + 1,
            "started_at": utc_now(),
            "heartbeat_at": utc_now(),
        }
        with study.session() as session:
            result = session.execute(update(Run).where(Run.run_id == run_id, Run.status == QUEUED).values(**values))
            if isinstance(result, CursorResult) and result.rowcount == 1:
                return session.get(Run, run_id)


def queued_runs(study: Study, experiment_id: str | None) -> int:
    """Return how many runs wait to be taken."""
    with study.session() as session:
        return int(session.scalar(select(func.count()).select_from(_waiting(experiment_id).subquery())) or 0)


def put_back(study: Study, run: Run) -> bool:
    """Put a run back that this process has in hand, with its finished epochs; False where it is no longer its own."""
    with study.session() as session:
        result = session.execute(update(Run).where(_owned(run)).values(status=QUEUED, **_WITHOUT_PROCESS))
        return isinstance(result, CursorResult) and result.rowcount == 1


def requeue(study: Study, run_ids: Sequence[str]) -> None:
    """Put runs into the queue again; they go on from their last stored state, where there is one."""
    with study.session() as session:
        session.execute(update(Run).where(Run.run_id.in_(run_ids)).values(status=QUEUED, **_WITHOUT_PROCESS))


def forget_epochs(study: Study, run_id: str, *, after: int) -> None:
    """Forget the epochs of a run after one of them, and what it said of samples."""
    with study.session() as session:
        session.execute(delete(Epoch).where(Epoch.run_id == run_id, Epoch.epoch > after))
        for table in (Prediction, ValidationPrediction):
            session.execute(delete(table).where(table.run_id == run_id))


def end_run(study: Study, run: Run, status: str, message: str | None = None) -> bool:
    """End a run that was taken and did not finish; False where it is no longer the caller's."""
    values = {"status": status, "message": message, "finished_at": utc_now()}
    with study.session() as session:
        result = session.execute(update(Run).where(_owned(run)).values(**values))
        return isinstance(result, CursorResult) and result.rowcount == 1


def stop_queued(study: Study, experiment_id: str) -> None:
    """Mark the runs that still wait as stopped."""
    with study.session() as session:
        session.execute(
            update(Run).where(Run.experiment_id == experiment_id, Run.status == QUEUED).values(status=STOPPED)
        )


def requeue_unfinished(study: Study, experiment_id: str) -> list[str]:
    """Put stopped and failed runs back into the queue and return their identifiers."""
    query = select(Run.run_id).where(Run.experiment_id == experiment_id, Run.status.in_((STOPPED, FAILED)))
    with study.session() as session:
        run_ids = list(session.scalars(query))
    requeue(study, run_ids)
    return run_ids


def requeue_abandoned(study: Study, experiment_id: str | None) -> list[str]:
    """Put runs back whose process is gone, and return their identifiers."""
    with study.session() as session:
        runs = session.scalars(select(Run).where(Run.status == RUNNING, _of(experiment_id))).all()
    return [run.run_id for run in runs if not is_at_work(run) and put_back(study, run)]


def is_at_work(run: Run) -> bool:
    """Tell whether the process that took a run is still there: by its identity here, by its last word elsewhere."""
    if is_here(run.worker_host):
        return is_alive(run.worker_pid, run.worker_created, run.worker_host)
    return run.heartbeat_at is not None and utc_now() - run.heartbeat_at < timedelta(seconds=SILENCE_S)


def run_of_process(study: Study, experiment_id: str | None, pid: int) -> Run | None:
    """Return the run that a process of this machine has taken and not ended."""
    query = select(Run).where(Run.status == RUNNING, Run.worker_pid == pid, _of(experiment_id))
    with study.session() as session:
        return next((run for run in session.scalars(query) if is_here(run.worker_host)), None)


def open_runs(study: Study, experiment_id: str) -> int:
    """Return how many runs are not finished."""
    query = select(func.count()).select_from(Run).where(Run.experiment_id == experiment_id, Run.status != FINISHED)
    with study.session() as session:
        return int(session.scalar(query) or 0)


def open_experiments(study: Study) -> list[str]:
    """Return the experiments that have runs at work or waiting, the oldest first."""
    query = select(Run.experiment_id).where(Run.status.in_((QUEUED, RUNNING))).distinct().order_by(Run.experiment_id)
    with study.session() as session:
        return list(session.scalars(query))


def stopping_experiments(study: Study) -> list[str]:
    """Return the experiments of which somebody asked for a stop."""
    with study.session() as session:
        return list(session.scalars(select(Experiment.experiment_id).where(Experiment.stop_requested.is_(True))))


def stop_requested(study: Study, experiment_id: str) -> bool:
    """Return whether somebody asked for a stop."""
    return _read_flag(study, experiment_id, Experiment.stop_requested)


def set_stop(study: Study, experiment_id: str, *, requested: bool) -> None:
    """Ask for a stop, or take the request back."""
    _write(study, experiment_id, stop_requested=requested)


def is_paused(study: Study, experiment_id: str) -> bool:
    """Return whether somebody asked for a pause."""
    return _read_flag(study, experiment_id, Experiment.paused)


def set_paused(study: Study, experiment_id: str, *, paused: bool) -> None:
    """Pause an experiment, or let it go on."""
    _write(study, experiment_id, paused=paused)


def move_first(study: Study, run_ids: Sequence[str]) -> None:
    """Let waiting runs be the next ones, before those of all experiments."""
    with study.session() as session:
        first = session.scalar(select(func.min(Run.position)).where(Run.status == QUEUED)) or 0
        session.execute(update(Run).where(Run.run_id.in_(run_ids), Run.status == QUEUED).values(position=first - 1))


def _next_queued(study: Study, experiment_id: str | None) -> str | None:
    """Return the first run of the queue: by repeat, so that all architectures have results early, the longest first.

    The longest first also keeps the last minutes short, when processes run out of work one after the other.
    """
    with study.session() as session:
        waiting = session.execute(_waiting(experiment_id)).all()
    if not waiting:
        return None

    def place(row: Any) -> tuple[Any, ...]:
        return row.position, row.experiment_id, row.repeat, -_cost(row.architecture), row.architecture

    return str(min(waiting, key=place).run_id)


def _waiting(experiment_id: str | None) -> Any:
    """Return a query for the runs that may be taken."""
    return (
        select(Run.run_id, Run.position, Run.experiment_id, Run.repeat, Run.architecture)
        .join(Experiment, Experiment.experiment_id == Run.experiment_id)
        .where(Run.status == QUEUED, Experiment.paused.is_(False), _of(experiment_id))
    )


def _owned(run: Run) -> ColumnElement[bool]:
    """Return the condition that a run is still what the process with this row took: nobody else took it since."""
    return (Run.run_id == run.run_id) & (Run.status == RUNNING) & (Run.attempt == run.attempt)


def _of(experiment_id: str | None) -> ColumnElement[bool]:
    return true() if experiment_id is None else Run.experiment_id == experiment_id


def _read_flag(study: Study, experiment_id: str, flag: Any) -> bool:
    with study.session() as session:
        return bool(session.scalar(select(flag).where(Experiment.experiment_id == experiment_id)))


def _write(study: Study, experiment_id: str, **values: bool) -> None:
    with study.session() as session:
        session.execute(update(Experiment).where(Experiment.experiment_id == experiment_id).values(**values))


def _cost(architecture: str) -> float:
    entry = ARCHITECTURES.get(architecture)
    return entry.relative_cost if entry else 1.0
