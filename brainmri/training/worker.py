"""A training process: takes runs from the queue until none is left, each a training, a checkpoint and its rows.

Imported only in such a process: it needs torch.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from functools import partial
from multiprocessing import parent_process
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

import numpy as np
import torch

from brainmri.errors import StopRequested
from brainmri.imaging.datasets import read_dataset, read_sample_rows, read_samples
from brainmri.study import Study, open_study
from brainmri.training.activation_cache import shared_activations
from brainmri.training.checkpoints import write_checkpoint
from brainmri.training.devices import describe_device, measure_gpu, resolve_device, tune_allocator
from brainmri.training.experiments import read_experiment, read_split
from brainmri.training.failures import explain_failure
from brainmri.training.file_names import CHECKPOINT_FILE, STATE_FILE
from brainmri.training.heartbeats import Heartbeat
from brainmri.training.keeping import keep_best_checkpoints
from brainmri.training.loop import Capture, train_run
from brainmri.training.processes import own_identity
from brainmri.training.records import STOPPED, Run
from brainmri.training.run_queue import claim_run, end_run, forget_epochs, is_paused, put_back, stop_requested
from brainmri.training.settings import TrainingSettings
from brainmri.training.state_pace import StatePace
from brainmri.training.states import TrainingState, read_state, write_state
from brainmri.training.storing import (
    Lost,
    call_after_run,
    check_split,
    checkpoint_meta,
    fail,
    log,
    state_key,
    store_epoch,
    store_result,
)
from brainmri.training.versions import THREADS_KEY, software_versions

_CHECK_S: Final = 1.0
"""How often the database is asked for a stop, and the system for the parent."""


class _ParentGone(Exception):  # noqa: N818 - no failure of this process
    """The process that started this one has ended."""


class _Paused(Exception):  # noqa: N818 - no failure of this process
    """Somebody asked for a pause, and the state is stored."""


def serve(
    folder: Path, experiment_id: str | None, stop: Event, after_run: str | None, task_id: int | None, device: str
) -> None:
    """Work through the queue; the target of `multiprocessing.Process`.

    Parameters
    ----------
    folder : Path
        Of the study.
    experiment_id : str or None
        The one experiment to work for; None: any.
    stop : Event
        Set: end at the next batch.
    after_run : str or None
        ``module:function``, called with (study, run_id) after every finished run.
    task_id : int or None
        Background task that this process belongs to.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal reaches the parent, which stops in order
    tune_allocator()
    study = open_study(folder, create=False)
    target = resolve_device(device)
    if target.type == "cpu":
        torch.set_num_threads(_threads())
    identity = own_identity()
    measure = partial(measure_gpu, target) if target.type == "cuda" else None
    with Heartbeat(study, identity, experiment_id, describe_device(target), measure):
        while not stop.is_set():
            run = claim_run(study, experiment_id, identity, task_id=task_id)
            if run is None:
                return
            try:
                _do_run(study, run, _Watch(study, run, stop, leaves_queue=experiment_id is None))
            except _ParentGone:
                put_back(study, run)
                return
            call_after_run(study, run, after_run)
            keep_best_checkpoints(study, run.experiment_id)


class _Watch:
    """Asked before every batch: has somebody asked for a stop, is the parent still there; and keeps the state.

    Parameters
    ----------
    study : Study
    run : Run
        As it was taken.
    stop : Event
        Of the process.
    leaves_queue : bool
        Whether a stop of the process leaves the run in the queue for others, as a worker of all experiments does.
    """

    def __init__(self, study: Study, run: Run, stop: Event, *, leaves_queue: bool) -> None:
        self._study, self._run, self._stop, self._leaves_queue = study, run, stop, leaves_queue
        self._checked_at = 0.0
        self._stop_requested = False
        self._path = study.run_folder(run.run_id) / STATE_FILE
        self._pace = StatePace()

    def should_stop(self) -> bool:
        if time.monotonic() - self._checked_at > _CHECK_S:
            self._checked_at = time.monotonic()
            parent = parent_process()
            if parent is not None and not parent.is_alive():
                raise _ParentGone
            self._stop_requested = stop_requested(self._study, self._run.experiment_id)
        if self._stop.is_set() and self._leaves_queue:
            raise _ParentGone
        return self._stop_requested or self._stop.is_set()

    def read_state(self, key: str) -> TrainingState | None:
        """Return the state to go on from, and forget the epochs after it."""
        state = read_state(self._path, key=key)
        forget_epochs(self._study, self._run.run_id, after=len(state.epochs) if state else 0)
        return state

    def keep_state(self, key: str, capture: Capture) -> None:
        """Store the state where the last one is old enough, or a pause is asked for: storing takes time, too."""
        paused = is_paused(self._study, self._run.experiment_id)
        if not paused and not self._pace.is_due():
            return
        started = time.monotonic()
        write_state(self._path, capture(), key=key)
        self._pace.note_stored(time.monotonic() - started)
        if paused:
            raise _Paused

    def forget_state(self) -> None:
        self._path.unlink(missing_ok=True)


def _do_run(study: Study, run: Run, watch: _Watch) -> None:
    """Do one run; its row ends finished, stopped or failed, or goes back into the queue."""
    try:
        _train_and_store(study, run, watch)
    except _ParentGone:
        raise
    except Lost:
        log(study, run.run_id, f"process {os.getpid()} lost the run to another one; its result is not stored")
    except _Paused:
        put_back(study, run)
        log(study, run.run_id, "paused; the run is back in the queue")
    except StopRequested as error:
        end_run(study, run, STOPPED, str(error))
    except Exception as error:  # one run's failure must not end the others
        fail(study, run, explain_failure(error, run.run_id), traceback.format_exc())


def _train_and_store(study: Study, run: Run, watch: _Watch) -> None:
    experiment = read_experiment(study, run.experiment_id)
    settings = TrainingSettings.from_dict(experiment.settings)
    dataset = read_dataset(study, experiment.dataset_hash)
    rows = read_sample_rows(study, dataset.hash)
    split = read_split(study, run.experiment_id, run.repeat)
    check_split([row.case_id for row in rows], split)
    key = state_key(run, dataset)
    state = watch.read_state(key)
    begun = f"goes on after epoch {len(state.epochs)}" if state else "started"
    log(study, run.run_id, f"{begun}, by process {os.getpid()}, as repeat {run.repeat} of {run.architecture}")
    samples = read_samples(study, dataset.hash)
    result = train_run(
        samples,
        np.array([dataset.classes.index(row.diagnosis) for row in rows]),
        split.train,
        split.test,
        architecture=run.architecture,
        settings=settings,
        seed=run.seed,
        classes=len(dataset.classes),
        validation=split.validation,
        activations=shared_activations(study, dataset, samples, run.architecture, settings, watch.should_stop),
        state=state,
        on_epoch=lambda record: store_epoch(study, run, record),
        on_state=lambda capture: watch.keep_state(key, capture),
        should_stop=watch.should_stop,
    )
    versions = {**software_versions(), THREADS_KEY: str(torch.get_num_threads())}
    meta = checkpoint_meta(run, dataset, settings, versions)
    write_checkpoint(study.run_folder(run.run_id) / CHECKPOINT_FILE, result.model, meta, settings.checkpoint_dtype)
    store_result(study, run, result, versions, resumed_after=len(state.epochs) if state else 0)
    watch.forget_state()


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "1"))
