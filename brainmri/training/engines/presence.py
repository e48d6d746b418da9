"""The processes on the nodes as the study shows them: one row each beside those of this machine."""

from __future__ import annotations

import time
from dataclasses import asdict

import psutil
from sqlalchemy import delete, update

from brainmri.database import utc_now
from brainmri.study import Study
from brainmri.training.engines.messages import Beat, Begun
from brainmri.training.processes import is_here
from brainmri.training.records import Worker


class NodeProcess:
    """One process that trains on a node.

    Parameters
    ----------
    study : Study
    experiment_id : str
    begun : Begun
        What it said of itself.
    """

    def __init__(self, study: Study, experiment_id: str, begun: Begun) -> None:
        self._study = study
        worker = Worker(
            pid=begun.pid,
            created=_created(begun),
            host=begun.host,
            experiment_id=experiment_id,
            device=begun.device,
        )
        with study.session() as session:
            session.add(worker)
            session.flush()
            self._id = worker.id

    def beat(self, beat: Beat) -> None:
        """Write a sign of life."""
        with self._study.session() as session:
            values = {"heartbeat_at": utc_now(), **asdict(beat)}
            session.execute(update(Worker).where(Worker.id == self._id).values(**values))

    def remove(self) -> None:
        """Forget the process."""
        with self._study.session() as session:
            session.execute(delete(Worker).where(Worker.id == self._id))


def _created(begun: Begun) -> float:
    """Return when a process was created: exactly where this machine can tell, as it will be looked for by it."""
    if is_here(begun.host):
        try:
            return psutil.Process(begun.pid).create_time()
        except psutil.NoSuchProcess:  # ended already, or of another container of the same name
            pass
    return time.time()
