"""A training process: takes runs from the queue until none is left, each a training, a checkpoint and its rows.

Imported only in such a process: it needs torch.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sqlalchemy import insert, update

from brainmri.database import utc_now
from brainmri.errors import BrainMRIError, StopRequested
from brainmri.imaging.datasets import read_dataset, read_sample_rows, read_samples
from brainmri.imaging.records import Dataset
from brainmri.study import Study, open_study
from brainmri.training.architectures import target_layer_name
from brainmri.training.checkpoints import FILE_NAME, write_checkpoint
from brainmri.training.devices import resolve_device, tune_allocator
from brainmri.training.experiments import read_experiment, read_split
from brainmri.training.loop import EpochRecord, RunResult, train_run
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.processes import own_identity
from brainmri.training.records import FAILED, FINISHED, RUNNING, STOPPED, Epoch, Prediction, Run
from brainmri.training.run_queue import claim_run, end_run, requeue
from brainmri.training.settings import SplitUnit, TrainingSettings
from brainmri.training.splits import check_no_leak
from brainmri.training.versions import software_versions

_PARENT_CHECK_S = 1.0


class _ParentGone(Exception):  # noqa: N818 - no failure of this process
    """The process that started this one has ended."""


def serve(folder: Path, experiment_id: str, stop: Event, after_run: str | None, task_id: int | None) -> None:
    """Work through the queue; the target of `multiprocessing.Process`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal reaches the parent, which stops in order
    tune_allocator()
    study = open_study(folder, create=False)
    settings = TrainingSettings.from_dict(read_experiment(study, experiment_id).settings)
    if resolve_device(settings.device).type == "cpu":
        torch.set_num_threads(_threads())
    identity = own_identity()
    while not stop.is_set():
        run = claim_run(study, experiment_id, identity, task_id=task_id)
        if run is None:
            return
        try:
            _do_run(study, run, settings, _StopCheck(stop))
        except _ParentGone:
            requeue(study, [run.run_id])
            return
        _call_after_run(study, run.run_id, after_run)


class _StopCheck:
    """Asked before every batch: has somebody asked for a stop, is the parent still there."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._checked_at = 0.0

    def __call__(self) -> bool:
        if time.monotonic() - self._checked_at > _PARENT_CHECK_S:
            self._checked_at = time.monotonic()
            parent = parent_process()
            if parent is not None and not parent.is_alive():
                raise _ParentGone
        return self._stop.is_set()


def _do_run(study: Study, run: Run, settings: TrainingSettings, should_stop: Callable[[], bool]) -> None:
    """Do one run; its row ends finished, stopped or failed."""
    try:
        _train_and_store(study, run, settings, should_stop)
    except _ParentGone:
        raise
    except StopRequested as error:
        end_run(study, run.run_id, STOPPED, str(error))
    except BrainMRIError as error:
        _fail(study, run.run_id, str(error))
    except torch.OutOfMemoryError as error:
        _fail(study, run.run_id, f"The GPU has too little memory: {_first_line(error)} Choose a smaller batch size.")
    except MemoryError:
        _fail(
            study,
            run.run_id,
            "Memory ran out. Close other programs, or choose a smaller batch size or fewer processes.",
        )
    except Exception as error:  # one run's failure must not end the others
        text = f"Unexpected {type(error).__name__}: {_first_line(error)} Details are in runs/{run.run_id}/log.txt."
        _fail(study, run.run_id, text)


def _train_and_store(study: Study, run: Run, settings: TrainingSettings, should_stop: Callable[[], bool]) -> None:
    experiment = read_experiment(study, run.experiment_id)
    dataset = read_dataset(study, experiment.dataset_hash)
    rows = read_sample_rows(study, dataset.hash)
    split = read_split(study, run.experiment_id, run.repeat)
    unit: SplitUnit = "patient" if split.unit == "patient" else "image"
    check_no_leak([row.case_id for row in rows], split.train, split.test, unit=unit)
    _log(study, run.run_id, f"started by process {os.getpid()} as repeat {run.repeat} of {run.architecture}")
    result = train_run(
        read_samples(study, dataset.hash),
        np.array([dataset.classes.index(row.diagnosis) for row in rows]),
        split.train,
        split.test,
        architecture=run.architecture,
        settings=settings,
        seed=run.seed,
        classes=len(dataset.classes),
        on_epoch=lambda record: _store_epoch(study, run.run_id, record),
        should_stop=should_stop,
    )
    versions = software_versions()
    meta = _checkpoint_meta(run, dataset, settings, versions)
    write_checkpoint(study.run_folder(run.run_id) / FILE_NAME, result.model, meta, settings.checkpoint_dtype)
    _store_result(study, run.run_id, result, versions)
    _log(
        study, run.run_id, f"finished after {result.seconds:.1f} s, accuracy {result.accuracy:.3f}, {result.precision}"
    )


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


def _store_epoch(study: Study, run_id: str, record: EpochRecord) -> None:
    with study.session() as session:
        session.add(
            Epoch(
                run_id=run_id,
                epoch=record.epoch,
                train_loss=record.train_loss,
                train_accuracy=record.train_accuracy,
                learning_rate=record.learning_rate,
                seconds=record.seconds,
            )
        )


def _store_result(study: Study, run_id: str, result: RunResult, versions: dict[str, str]) -> None:
    """Store predictions and close the run, in one transaction: a finished run has all its predictions."""
    predictions = [
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
    values = {
        "status": FINISHED,
        "message": None,
        "device": f"{result.device}, {result.precision}",
        "versions": versions,
        "finished_at": utc_now(),
        "seconds": result.seconds,
        "images_per_second": result.images_per_second,
        "accuracy": result.accuracy,
    }
    with study.session() as session:
        session.execute(insert(Prediction), predictions)
        session.execute(update(Run).where(Run.run_id == run_id, Run.status == RUNNING).values(**values))


def _call_after_run(study: Study, run_id: str, after_run: str | None) -> None:
    """Call ``module:function`` with (study, run_id) after a finished run; its failure leaves the run as it is."""
    with study.session() as session:
        run = session.get(Run, run_id)
    if after_run is None or run is None or run.status != FINISHED:
        return
    try:
        module, function = after_run.split(":")
        getattr(import_module(module), function)(study, run_id)
    except Exception as error:  # the run itself is whole
        _log(study, run_id, f"after the run: {traceback.format_exc()}")
        message = f"The run finished, but what follows it did not: {_first_line(error)}"
        with study.session() as session:
            session.execute(update(Run).where(Run.run_id == run_id).values(message=message))


def _fail(study: Study, run_id: str, message: str) -> None:
    _log(study, run_id, traceback.format_exc())
    end_run(study, run_id, FAILED, message)


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
