"""The queue of runs in the database: taken one by one, put back, stopped. Safe with several processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, delete, select, update

from brainmri.database import utc_now
from brainmri.study import Study
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.processes import ProcessIdentity, is_alive
from brainmri.training.records import FAILED, FINISHED, QUEUED, RUNNING, STOPPED, Epoch, Experiment, Prediction, Run

_EMPTY: dict[str, Any] = {
    "message": None,
    "worker_pid": None,
    "worker_created": None,
    "worker_host": None,
    "started_at": None,
    "finished_at": None,
    "seconds": None,
    "images_per_second": None,
    "accuracy": None,
}


def claim_run(study: Study, experiment_id: str, worker: ProcessIdentity, *, task_id: int | None = None) -> Run | None:
    """Take the next queued run; None where none is left. No two processes get the same."""
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
            "started_at": utc_now(),
        }
        with study.session() as session:
            result = session.execute(update(Run).where(Run.run_id == run_id, Run.status == QUEUED).values(**values))
            if isinstance(result, CursorResult) and result.rowcount == 1:
                return session.get(Run, run_id)


def queued_runs(study: Study, experiment_id: str) -> int:
    """Return how many runs wait."""
    with study.session() as session:
        return len(session.scalars(_with_status(experiment_id, QUEUED)).all())


def requeue(study: Study, run_ids: Sequence[str]) -> None:
    """Put runs back into the queue, without what they had begun."""
    with study.session() as session:
        session.execute(delete(Epoch).where(Epoch.run_id.in_(run_ids)))
        session.execute(delete(Prediction).where(Prediction.run_id.in_(run_ids)))
        session.execute(update(Run).where(Run.run_id.in_(run_ids)).values(status=QUEUED, **_EMPTY))


def end_run(study: Study, run_id: str, status: str, message: str | None = None) -> None:
    """End a run that was taken and did not finish."""
    with study.session() as session:
        session.execute(
            update(Run)
            .where(Run.run_id == run_id, Run.status == RUNNING)
            .values(status=status, message=message, finished_at=utc_now())
        )


def stop_queued(study: Study, experiment_id: str) -> None:
    """Mark the runs that still wait as stopped."""
    with study.session() as session:
        session.execute(
            update(Run).where(Run.experiment_id == experiment_id, Run.status == QUEUED).values(status=STOPPED)
        )


def requeue_unfinished(study: Study, experiment_id: str) -> list[str]:
    """Put stopped and failed runs back into the queue and return their identifiers."""
    with study.session() as session:
        run_ids = list(session.scalars(_with_status(experiment_id, STOPPED, FAILED)))
    requeue(study, run_ids)
    return run_ids


def requeue_abandoned(study: Study, experiment_id: str) -> list[str]:
    """Put runs back whose process is gone, and return their identifiers."""
    with study.session() as session:
        runs = session.scalars(select(Run).where(Run.experiment_id == experiment_id, Run.status == RUNNING)).all()
    gone = [run.run_id for run in runs if not is_alive(run.worker_pid, run.worker_created, run.worker_host)]
    requeue(study, gone)
    return gone


def run_of_process(study: Study, experiment_id: str, pid: int) -> str | None:
    """Return the run that a process of this machine has taken and not ended."""
    query = _with_status(experiment_id, RUNNING).where(Run.worker_pid == pid)
    with study.session() as session:
        return session.scalars(query).first()


def open_runs(study: Study, experiment_id: str) -> int:
    """Return how many runs are not finished."""
    query = select(Run.run_id).where(Run.experiment_id == experiment_id, Run.status != FINISHED)
    with study.session() as session:
        return len(session.scalars(query).all())


def stop_requested(study: Study, experiment_id: str) -> bool:
    """Return whether somebody asked for a stop."""
    with study.session() as session:
        return bool(session.scalar(select(Experiment.stop_requested).where(Experiment.experiment_id == experiment_id)))


def set_stop(study: Study, experiment_id: str, *, requested: bool) -> None:
    """Ask for a stop, or take the request back."""
    with study.session() as session:
        session.execute(
            update(Experiment).where(Experiment.experiment_id == experiment_id).values(stop_requested=requested)
        )


def _next_queued(study: Study, experiment_id: str) -> str | None:
    """Return the first run of the queue: by repeat, so that all architectures have results early, the longest first.

    The longest first also keeps the last minutes short, when processes run out of work one after the other.
    """
    query = select(Run.run_id, Run.repeat, Run.architecture).where(
        Run.experiment_id == experiment_id, Run.status == QUEUED
    )
    with study.session() as session:
        waiting = session.execute(query).all()
    if not waiting:
        return None
    return str(min(waiting, key=lambda row: (row.repeat, -_cost(row.architecture), row.architecture)).run_id)


def _cost(architecture: str) -> float:
    entry = ARCHITECTURES.get(architecture)
    return entry.relative_cost if entry else 1.0


def _with_status(experiment_id: str, *statuses: str) -> Any:
    return select(Run.run_id).where(Run.experiment_id == experiment_id, Run.status.in_(statuses))
