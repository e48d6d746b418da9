"""Signs of life of training processes: who trains where, on what, and how loaded it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psutil
from sqlalchemy import delete, select, update

from brainmri.database import utc_now
from brainmri.study import Study
from brainmri.training.processes import ProcessIdentity, is_alive, is_here
from brainmri.training.records import RUNNING, Run, Worker
from brainmri.training.run_queue import SILENCE_S

INTERVAL_S: Final = 5.0

Measure = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class WorkerRow:
    """One training process as it stands."""

    host: str
    pid: int
    device: str
    experiment_id: str | None
    load: float | None
    """Share of one core (can pass 1), or of the GPU."""
    memory_bytes: int | None


class Heartbeat:
    """Says every few seconds, from a thread, that this process is there; a context manager.

    Parameters
    ----------
    study : Study
    identity : ProcessIdentity
        Of this process.
    experiment_id : str or None
        The one experiment it works for; None: any.
    device : str
        As `brainmri.training.devices.describe_device` names it.
    measure : callable, optional
        Returns ``load`` and ``memory_bytes``; default: those of the process.
    """

    def __init__(
        self,
        study: Study,
        identity: ProcessIdentity,
        experiment_id: str | None,
        device: str,
        measure: Measure | None = None,
    ) -> None:
        self._study, self._identity = study, identity
        self._worker = Worker(
            pid=identity.pid,
            created=identity.created,
            host=identity.host,
            experiment_id=experiment_id,
            device=device,
        )
        self._measure = measure or _measure_process()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        with self._study.session() as session:
            session.add(self._worker)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        with self._study.session() as session:
            session.execute(delete(Worker).where(Worker.id == self._worker.id))

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            self.beat()

    def beat(self) -> None:
        """Write one sign of life."""
        own = self._identity
        mine = (Run.worker_pid == own.pid) & (Run.worker_created == own.created) & (Run.worker_host == own.host)
        with self._study.session() as session:
            values = {"heartbeat_at": utc_now(), **self._measure()}
            session.execute(update(Worker).where(Worker.id == self._worker.id).values(**values))
            session.execute(update(Run).where(mine, Run.status == RUNNING).values(heartbeat_at=utc_now()))


def list_workers(study: Study) -> list[WorkerRow]:
    """Return the processes that train now, those of this machine first; rows of processes that are gone are removed."""
    with study.session() as session:
        workers = session.scalars(select(Worker)).all()
        gone = [worker.id for worker in workers if not _lives(worker)]
        if gone:
            session.execute(delete(Worker).where(Worker.id.in_(gone)))
    alive = [worker for worker in workers if worker.id not in gone]
    alive.sort(key=lambda one: (not is_here(one.host), one.host, one.id))
    return [WorkerRow(one.host, one.pid, one.device, one.experiment_id, one.load, one.memory_bytes) for one in alive]


def _lives(worker: Worker) -> bool:
    if is_here(worker.host):
        return is_alive(worker.pid, worker.created, worker.host)
    return utc_now() - worker.heartbeat_at < timedelta(seconds=SILENCE_S)


def _measure_process() -> Measure:
    process = psutil.Process()
    process.cpu_percent()  # the first call only starts the count

    def measure() -> dict[str, Any]:
        return {"load": process.cpu_percent() / 100, "memory_bytes": process.memory_info().rss}

    return measure
