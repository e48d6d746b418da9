"""A training process: takes runs from the queue until none is left, each a training, a checkpoint and its rows.

Imported only in such a process: it needs torch.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib import import_module
from itertools import combinations
from multiprocessing import parent_process
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from sqlalchemy import CursorResult, insert, select, update

from brainmri.database import utc_now
from brainmri.errors import BrainMRIError, StopRequested
from brainmri.imaging.datasets import read_dataset, read_sample_rows, read_samples
from brainmri.imaging.records import Dataset
from brainmri.study import Study, open_study
from brainmri.training.activation_cache import shared_activations
from brainmri.training.architectures import target_layer_name
from brainmri.training.checkpoints import FILE_NAME, write_checkpoint
from brainmri.training.devices import describe_device, measure_gpu, resolve_device, tune_allocator
from brainmri.training.experiments import read_experiment, read_split
from brainmri.training.heartbeats import Heartbeat
from brainmri.training.keeping import keep_best_checkpoints
from brainmri.training.loop import Capture, EpochRecord, RunResult, train_run
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.processes import own_identity
from brainmri.training.records import (
    FAILED,
    FINISHED,
    RUNNING,
    STOPPED,
    Epoch,
    Prediction,
    Run,
    Split,
    ValidationPrediction,
)
from brainmri.training.run_queue import claim_run, end_run, forget_epochs, is_paused, put_back, stop_requested
from brainmri.training.settings import SplitUnit, TrainingSettings
from brainmri.training.splits import check_no_leak
from brainmri.training.states import FILE_NAME as STATE_FILE_NAME
from brainmri.training.states import TrainingState, read_state, write_state
from brainmri.training.versions import THREADS_KEY, software_versions

_CHECK_S: Final = 1.0
"""How often the database is asked for a stop, and the system for the parent."""
_STATE_INTERVAL_S: Final = 5.0
"""Shortest time between two stored states: at most this much work, or one epoch, is done again after a kill."""
_STATE_SHARE: Final = 20.0
"""A state is stored no oftener than this many times as long as storing it takes: 5 % of the time at most."""


class _ParentGone(Exception):  # noqa: N818 - no failure of this process
    """The process that started this one has ended."""


class _Paused(Exception):  # noqa: N818 - no failure of this process
    """Somebody asked for a pause, and the state is stored."""


class _Lost(Exception):  # noqa: N818 - no failure of this process
    """Another process has taken the run meanwhile, because this one was silent for too long."""


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
            _call_after_run(study, run, after_run)
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
        self._path = study.run_folder(run.run_id) / STATE_FILE_NAME
        self._stored_at, self._store_seconds = time.monotonic(), 0.0

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
        age = time.monotonic() - self._stored_at
        if not paused and age < max(_STATE_INTERVAL_S, _STATE_SHARE * self._store_seconds):
            return
        started = time.monotonic()
        write_state(self._path, capture(), key=key)
        self._stored_at = time.monotonic()
        self._store_seconds = self._stored_at - started
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
    except _Lost:
        _log(study, run.run_id, f"process {os.getpid()} lost the run to another one; its result is not stored")
    except _Paused:
        put_back(study, run)
        _log(study, run.run_id, "paused; the run is back in the queue")
    except StopRequested as error:
        end_run(study, run, STOPPED, str(error))
    except BrainMRIError as error:
        _fail(study, run, str(error))
    except torch.OutOfMemoryError as error:
        _fail(study, run, f"The GPU has too little memory: {_first_line(error)} Choose smaller images.")
    except MemoryError:
        _fail(study, run, "Memory ran out. Close other programs, or choose a smaller batch size or fewer processes.")
    except Exception as error:  # one run's failure must not end the others
        text = f"Unexpected {type(error).__name__}: {_first_line(error)} Details are in runs/{run.run_id}/log.txt."
        _fail(study, run, text)


def _train_and_store(study: Study, run: Run, watch: _Watch) -> None:
    experiment = read_experiment(study, run.experiment_id)
    settings = TrainingSettings.from_dict(experiment.settings)
    dataset = read_dataset(study, experiment.dataset_hash)
    rows = read_sample_rows(study, dataset.hash)
    split = read_split(study, run.experiment_id, run.repeat)
    check_split([row.case_id for row in rows], split)
    key = f"{run.run_id}/{run.seed}/{dataset.hash}"
    state = watch.read_state(key)
    begun = f"goes on after epoch {len(state.epochs)}" if state else "started"
    _log(study, run.run_id, f"{begun}, by process {os.getpid()}, as repeat {run.repeat} of {run.architecture}")
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
        on_epoch=lambda record: _store_epoch(study, run, record),
        on_state=lambda capture: watch.keep_state(key, capture),
        should_stop=watch.should_stop,
    )
    remarks = [f"Went on after epoch {len(state.epochs)} where it was interrupted."] if state else []
    versions = {**software_versions(), THREADS_KEY: str(torch.get_num_threads())}
    meta = _checkpoint_meta(run, dataset, settings, versions)
    write_checkpoint(study.run_folder(run.run_id) / FILE_NAME, result.model, meta, settings.checkpoint_dtype)
    _store_result(study, run, result, versions, " ".join([*remarks, *result.remarks]) or None)
    watch.forget_state()
    _log(
        study, run.run_id, f"finished after {result.seconds:.1f} s, accuracy {result.accuracy:.3f}, {result.precision}"
    )


def check_split(case_ids: Sequence[str], split: Split) -> None:
    """Refuse a stored split in which a case stands on two sides."""
    unit: SplitUnit = "patient" if split.unit == "patient" else "image"
    for one, other in combinations((split.train, split.validation, split.test), 2):
        check_no_leak(case_ids, one, other, unit=unit)


def _checkpoint_meta(
    run: Run, dataset: Dataset, settings: TrainingSettings, versions: dict[str, str]
) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "architecture": run.architecture,
        "repeat": run.repeat,
        "seed": run.seed,
        "classes": list(dataset.classes),
        "size_px": dataset.size_px,
        "dataset": dataset.hash,
        "normalisation": IMAGENET_NORMALISATION,
        "target_layer": target_layer_name(run.architecture, dataset.size_px),
        "settings": settings.to_dict(),
        "versions": versions,
        "created_at": utc_now().isoformat(timespec="seconds"),
    }


def _store_epoch(study: Study, run: Run, record: EpochRecord) -> None:
    with study.session() as session:
        if session.scalar(select(Run.attempt).where(Run.run_id == run.run_id)) != run.attempt:
            raise _Lost
        session.add(Epoch(run_id=run.run_id, **asdict(record)))


def _store_result(study: Study, run: Run, result: RunResult, versions: dict[str, str], remark: str | None) -> None:
    """Store predictions and close the run, in one transaction: a finished run has all its predictions."""
    values = {
        "status": FINISHED,
        "message": None,
        "remark": remark,
        "device": f"{result.device}, {result.precision}",
        "versions": versions,
        "finished_at": utc_now(),
        "seconds": result.seconds,
        "images_per_second": result.images_per_second,
        "accuracy": result.accuracy,
        "peak_memory_bytes": result.peak_memory_bytes,
    }
    own = (Run.run_id == run.run_id) & (Run.status == RUNNING) & (Run.attempt == run.attempt)
    with study.session() as session:
        closed = session.execute(update(Run).where(own).values(**values))
        if isinstance(closed, CursorResult) and closed.rowcount != 1:
            raise _Lost
        session.execute(insert(Prediction), _prediction_rows(run.run_id, result))
        if len(result.validation):
            session.execute(insert(ValidationPrediction), _validation_rows(run.run_id, result))


def _prediction_rows(run_id: str, result: RunResult) -> list[dict[str, Any]]:
    return [
        {
            "run_id": run_id,
            "sample_index": int(sample),
            "true_class": int(true),
            "predicted_class": int(predicted),
            "probabilities": [float(p) for p in probabilities],
        }
        for sample, true, predicted, probabilities in zip(
            result.test, result.true, result.predicted, result.probabilities, strict=True
        )
    ]


def _validation_rows(run_id: str, result: RunResult) -> list[dict[str, Any]]:
    return [
        {
            "run_id": run_id,
            "sample_index": int(sample),
            "true_class": int(true),
            "probabilities": [float(p) for p in probabilities],
        }
        for sample, true, probabilities in zip(
            result.validation, result.validation_true, result.validation_probabilities, strict=True
        )
    ]


def _call_after_run(study: Study, run: Run, after_run: str | None) -> None:
    """Call ``module:function`` with (study, run_id) after a finished run; its failure leaves the run as it is."""
    with study.session() as session:
        now = session.get(Run, run.run_id)
    if after_run is None or now is None or now.status != FINISHED or now.attempt != run.attempt:
        return
    try:
        module, function = after_run.split(":")
        getattr(import_module(module), function)(study, run.run_id)
    except Exception as error:  # the run itself is whole
        _log(study, run.run_id, f"after the run: {traceback.format_exc()}")
        message = f"The run finished, but what follows it did not: {_first_line(error)}"
        with study.session() as session:
            session.execute(update(Run).where(Run.run_id == run.run_id).values(message=message))


def _fail(study: Study, run: Run, message: str) -> None:
    _log(study, run.run_id, traceback.format_exc())
    end_run(study, run, FAILED, message)


def _log(study: Study, run_id: str, text: str) -> None:
    path = study.run_folder(run_id) / "log.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{utc_now().isoformat(timespec='seconds')} {text}\n")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if text.endswith(".") else f"{text}."


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "1"))
