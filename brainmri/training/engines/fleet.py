"""The driver: hands runs to the cluster, and stores what comes back. It alone touches the database and the study."""

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import TrainingError
from brainmri.study import Study
from brainmri.training.engines.cluster import Cancelled, Cluster, ClusterLost, NodeLost, TaskFailed
from brainmri.training.engines.follow_ups import FollowUps
from brainmri.training.engines.material import Material
from brainmri.training.engines.messages import (
    GO,
    PAUSE,
    STOP,
    Beat,
    Begun,
    NodeOutcome,
    NodeResult,
    Note,
    Order,
)
from brainmri.training.engines.presence import NodeProcess
from brainmri.training.failures import explain_failure
from brainmri.training.file_names import CHECKPOINT_FILE, STATE_FILE
from brainmri.training.processes import ProcessIdentity
from brainmri.training.records import FAILED, STOPPED, Run
from brainmri.training.run_queue import claim_run, end_run, forget_epochs, is_paused, put_back, queued_runs
from brainmri.training.states import EpochRecord
from brainmri.training.storing import Lost, fail, log, store_epoch, store_result

_POLL_S: Final = 0.25
_ORDER_S: Final = 1.0
"""How often the database is asked for a stop or a pause."""
_REPORT_S: Final = 0.5
_STOP_GRACE_S: Final = 30.0
"""How long tasks may take to end their batch after a request to stop."""
_NO_ROOM_S: Final = 600.0
"""How long to wait for a cluster that has no room for a single run: its nodes may be starting."""
MOST_DEATHS: Final = 3
"""Nodes or processes that may be lost over one run before it has failed."""


@dataclass
class _Task:
    """One run in the cluster."""

    run: Run
    key: str
    reference: Any
    process: NodeProcess | None = None
    """On the node; None before it has begun."""
    resumed_after: int = 0


class Fleet:
    """The runs of one experiment that the cluster has in hand.

    Parameters
    ----------
    study : Study
    experiment_id : str
    cluster : Cluster
    identity : ProcessIdentity
        Of this process, under which runs are taken from the queue.
    follow_ups : FollowUps
    task_id : int or None
        Background task that this process is.
    """

    def __init__(
        self,
        study: Study,
        experiment_id: str,
        cluster: Cluster,
        identity: ProcessIdentity,
        follow_ups: FollowUps,
        task_id: int | None,
    ) -> None:
        self._study, self._experiment_id, self._cluster = study, experiment_id, cluster
        self._identity, self._follow_ups, self._task_id = identity, follow_ups, task_id
        self._material = Material(study, experiment_id, cluster)
        self._tasks: dict[str, _Task] = {}
        self._deaths: Counter[str] = Counter()
        self._order: Order = GO
        self._ordered_at = 0.0
        self._room_at = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether the tasks have been asked to end."""
        return self._order == STOP

    @property
    def waits(self) -> bool:
        """Whether the cluster has nothing in hand, and no room."""
        return not self._tasks and time.monotonic() - self._room_at > _ORDER_S

    def run(self, report: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Hand runs over and store what comes back, until the queue is empty or somebody asks for a stop."""
        reported_at = 0.0
        while True:
            if time.monotonic() - self._ordered_at >= _ORDER_S:
                self._ordered_at = time.monotonic()
                self._give_order(self._wanted_order(stop))
            self._start_waiting()
            self._step()
            self._follow_ups.step()
            if time.monotonic() - reported_at >= _REPORT_S and not self.stopping:
                reported_at = time.monotonic()
                report()
            if not self._tasks and not self._follow_ups.busy and not self._has_work():
                return

    def end(self) -> None:
        """See to it that nothing is left in the cluster; what it still had in hand is stopped."""
        try:
            if self._tasks:
                self._give_order(STOP)
            deadline = time.monotonic() + _STOP_GRACE_S
            while self._tasks and time.monotonic() < deadline:
                self._step()
        except TrainingError:  # the cluster is lost meanwhile
            self.abandon()
        for task in list(self._tasks.values()):
            self._release(task)
            end_run(self._study, task.run, STOPPED, "The training was stopped before this run's end.")
        self._follow_ups.end()

    def abandon(self) -> None:
        """Put all runs in hand back into the queue, where the cluster cannot go on."""
        for task in list(self._tasks.values()):
            self._release(task)
            put_back(self._study, task.run)

    def _wanted_order(self, stop: Callable[[], bool]) -> Order:
        if self.stopping or stop():
            return STOP
        return PAUSE if is_paused(self._study, self._experiment_id) else GO

    def _give_order(self, order: Order) -> None:
        """Tell the tasks, and take those back that have not begun where they need not."""
        if order == self._order:
            return
        self._order = order
        if order == STOP:
            self._follow_ups.drop()
        if not self._tasks:
            return
        self._cluster.ask("order", order)
        for task in self._tasks.values():
            if order != GO and task.process is None:
                self._cluster.cancel(task.reference)

    def _has_work(self) -> bool:
        return self._order == GO and queued_runs(self._study, self._experiment_id) > 0

    def _start_waiting(self) -> None:
        """Take runs from the queue, as many as the cluster has room for."""
        if self._order != GO:
            return
        room = self._cluster.slots(self._material.demand) - len(self._tasks)
        if room > 0 or self._tasks:
            self._room_at = time.monotonic()
        elif time.monotonic() - self._room_at > _NO_ROOM_S:
            raise TrainingError(
                f"The Ray cluster has {self._cluster.nodes()} nodes, and for {_NO_ROOM_S / 60:.0f} minutes none of "
                f"them had {self._material.demand.describe()} for a run. Start nodes that have."
            )
        for _ in range(room):
            run = claim_run(self._study, self._experiment_id, self._identity, task_id=self._task_id)
            if run is None:
                return
            self._start(run)

    def _start(self, run: Run) -> None:
        key = f"{run.run_id}/{run.attempt}"
        try:
            self._cluster.ask("expect", key)
            reference = self._material.submit(run, key)
        except ClusterLost:
            put_back(self._study, run)
            raise
        except Exception as error:  # one run's failure must not end the others
            fail(self._study, run, explain_failure(error, run.run_id), traceback.format_exc())
            return
        log(self._study, run.run_id, f"handed to the Ray cluster as repeat {run.repeat} of {run.architecture}")
        self._tasks[key] = _Task(run, key, reference)

    def _step(self) -> None:
        """Wait a moment for the cluster, and store what it has."""
        tasks = list(self._tasks.values())
        done = self._cluster.wait([task.reference for task in tasks], _POLL_S)
        self._collect()  # after the ends are known: what a task said before its end is stored before its end
        for task in tasks:
            if task.reference in done and task.key in self._tasks:
                self._settle(task)

    def _collect(self) -> None:
        """Store what the tasks have said and handed over since the last time."""
        notes, with_state = self._cluster.ask("collect")
        for key, note in notes:
            if key in self._tasks:
                self._take_note(self._tasks[key], note)
        for key in with_state:
            state = self._cluster.ask("take_state", key)
            if key in self._tasks and state is not None:
                _write(self._run_folder(self._tasks[key]) / STATE_FILE, state)

    def _take_note(self, task: _Task, note: Note) -> None:
        if isinstance(note, Begun):
            forget_epochs(self._study, task.run.run_id, after=note.epochs)
            task.resumed_after = note.epochs
            task.process = NodeProcess(self._study, self._experiment_id, note)
            begun = f"goes on after epoch {note.epochs}" if note.epochs else "started"
            log(self._study, task.run.run_id, f"{begun}, by process {note.pid} of {note.host}, on {note.device}")
        elif isinstance(note, Beat):
            if task.process is not None:
                task.process.beat(note)
        else:
            try:
                store_epoch(self._study, task.run, EpochRecord(**note.record))
            except Lost:
                self._lose(task)

    def _settle(self, task: _Task) -> None:
        """Store how a task ended."""
        self._release(task)
        try:
            self._cluster.ask("forget", task.key)
            self._close(task, self._cluster.result(task.reference))
        except NodeLost as error:
            self._bury(task, str(error))
        except Cancelled:
            self._take_back(task)
        except TaskFailed as error:
            fail(self._study, task.run, explain_failure(error.cause, task.run.run_id), error.detail)
        except TrainingError:  # of the whole cluster, not of this run
            put_back(self._study, task.run)
            raise

    def _close(self, task: _Task, outcome: NodeOutcome) -> None:
        run = task.run
        if outcome.ending == "finished" and outcome.result is not None:
            self._store(task, outcome.result)
        elif outcome.ending == "failed":
            fail(self._study, run, outcome.message, outcome.detail)
        elif outcome.ending == "unfit":
            raise TrainingError(outcome.message)
        elif outcome.ending == "stopped" and not self.stopping:
            raise NodeLost("Its node could no longer reach this process.")
        else:
            self._take_back(task)

    def _store(self, task: _Task, result: NodeResult) -> None:
        run, folder = task.run, self._run_folder(task)
        try:
            _write(folder / CHECKPOINT_FILE, result.checkpoint)
            store_result(self._study, run, result, result.versions, resumed_after=task.resumed_after)
        except Lost:
            log(self._study, run.run_id, "lost to another process; the result is not stored")
            return
        except Exception as error:  # one run's failure must not end the others
            fail(self._study, run, explain_failure(error, run.run_id), traceback.format_exc())
            return
        (folder / STATE_FILE).unlink(missing_ok=True)
        self._follow_ups.add(run)

    def _take_back(self, task: _Task) -> None:
        """End a run that was stopped; put one back that was paused, or taken back before it began."""
        if self.stopping:
            end_run(self._study, task.run, STOPPED, "The training was stopped as asked.")
        else:
            put_back(self._study, task.run)
            log(self._study, task.run.run_id, "paused; the run is back in the queue")

    def _bury(self, task: _Task, reason: str) -> None:
        """Let a run go on elsewhere whose node is gone, unless that keeps happening."""
        run_id = task.run.run_id
        self._deaths[run_id] += 1
        log(self._study, run_id, f"its node or process was lost: {reason}")
        if self._deaths[run_id] < MOST_DEATHS:
            put_back(self._study, task.run)
            return
        message = (
            f"The node, or the training process on it, was lost {MOST_DEATHS} times over this run, the last time so: "
            f"{reason} Most often memory ran out: choose a smaller batch size, or fewer runs at once on a node, and go "
            "on with the experiment."
        )
        end_run(self._study, task.run, FAILED, message)

    def _lose(self, task: _Task) -> None:
        """Let go of a run that another process has taken."""
        self._release(task)
        self._cluster.ask("forget", task.key)  # which stops it
        log(self._study, task.run.run_id, "lost to another process; its result is not stored")

    def _release(self, task: _Task) -> None:
        del self._tasks[task.key]
        if task.process is not None:
            task.process.remove()

    def _run_folder(self, task: _Task) -> Path:
        return self._study.run_folder(task.run.run_id)


def _write(path: Path, content: NDArray[np.uint8]) -> None:
    """Write under a temporary name and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content.data)
            stream.flush()
            os.fsync(stream.fileno())  # a machine that loses power after the renaming must not leave half a file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
