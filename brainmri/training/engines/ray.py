"""Training on many machines: the runs of an experiment as tasks of a Ray cluster.

This process, the driver, takes runs from the queue in the database, as a worker does, and hands them to the cluster.
The nodes get arrays and settings and send back epochs, states and results; they see neither the database nor the study
folder, and need torch, torchvision, numpy, safetensors and Ray only. A run whose node is lost goes on from its last
state on another. With the same seed and one thread of torch a run, predictions are those of the local engine to the
last bit on processors of the same kind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from typing import Final

from brainmri.errors import TrainingError
from brainmri.study import Study
from brainmri.tasks import Progress
from brainmri.training import run_queue
from brainmri.training.engines.cluster import Cluster, ClusterLost
from brainmri.training.engines.fleet import Fleet
from brainmri.training.engines.follow_ups import FollowUps
from brainmri.training.experiments import read_experiment
from brainmri.training.heartbeats import Heartbeat
from brainmri.training.jobs import describe_progress, recover, resume_experiment
from brainmri.training.monitor import experiment_progress
from brainmri.training.processes import own_identity

_CONNECTIONS: Final = 3
"""How often a cluster may be lost before the training is given up; runs go on from their last states."""


def work_on_ray(
    study: Study,
    experiment_id: str,
    *,
    address: str | None = None,
    after_run: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    task_id: int | None = None,
) -> None:
    """Do all runs of an experiment that are not finished, on a Ray cluster; else as `brainmri.training.jobs.work`.

    A run takes one processor core, and where nodes have GPUs, of one of them the share that the experiment's setting
    ``processes`` leaves it (half, where that is 0).

    Parameters
    ----------
    study : Study
    experiment_id : str
    address : str, optional
        ``host:port`` of the cluster; default: the one that this machine belongs to.
    after_run : str, optional
        ``module:function``, called with (study, run_id) after every finished run, in a process of this machine.
    progress : callable, optional
    stop : callable, optional
        Returns True where somebody asked for a stop. `brainmri.training.jobs.request_stop` has the same effect.
    task_id : int, optional
        Background task that this process is.

    Raises
    ------
    TrainingError
        For an unknown experiment; where Ray is not installed, no cluster answers, the cluster is lost, or its nodes
        cannot train.
    """
    read_experiment(study, experiment_id)

    with redirect_stdout(sys.stderr):  # Ray prints there what befalls nodes
        for left in reversed(range(_CONNECTIONS)):
            try:
                with closing(Cluster(address)) as cluster:
                    if left == _CONNECTIONS - 1:
                        _begin(study, experiment_id)
                    _work(study, experiment_id, cluster, after_run, progress or _ignore, stop or _never, task_id)
                return
            except ClusterLost:
                if not left:
                    raise


def _work(
    study: Study,
    experiment_id: str,
    cluster: Cluster,
    after_run: str | None,
    progress: Progress,
    stop: Callable[[], bool],
    task_id: int | None,
) -> None:
    """Do what is in the queue, over one connection to the cluster."""
    identity = own_identity()
    follow_ups = FollowUps(study, experiment_id, after_run)
    fleet = Fleet(study, experiment_id, cluster, identity, follow_ups, task_id)

    def report() -> None:
        state = experiment_progress(study, experiment_id)
        waiting = ", waiting for a node of the cluster with room" if fleet.waits else ""
        progress(state.fraction, f"{describe_progress(state)}{waiting}")

    def stops() -> bool:
        return stop() or run_queue.stop_requested(study, experiment_id)

    with Heartbeat(study, identity, experiment_id, cluster.describe()):
        try:
            fleet.run(report, stops)
        except TrainingError:
            fleet.abandon()
            raise
        finally:
            fleet.end()
            if fleet.stopping:
                run_queue.stop_queued(study, experiment_id)
            run_queue.set_stop(study, experiment_id, requested=False)


def _begin(study: Study, experiment_id: str) -> None:
    """Put what is not finished back into the queue, unless somebody asked for a stop before this process was ready."""
    asked_before = run_queue.stop_requested(study, experiment_id)
    if recover(study, experiment_id):
        asked_before = False  # the request was to the processes that are gone
    if not asked_before:
        resume_experiment(study, experiment_id)


def _ignore(_fraction: float, _step: str) -> None:
    return None


def _never() -> bool:
    return False
