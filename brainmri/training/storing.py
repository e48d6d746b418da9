"""What a training leaves in the study: epochs, predictions, the end of the run, its log. Both engines store with it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import CursorResult, insert, select, update

from brainmri.database import utc_now
from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.architectures import target_layer_name
from brainmri.training.failures import first_line
from brainmri.training.loop import EpochRecord
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import (
    FAILED,
    FINISHED,
    RUNNING,
    Epoch,
    Prediction,
    Run,
    Split,
    ValidationPrediction,
)
from brainmri.training.run_queue import end_run
from brainmri.training.settings import SplitUnit, TrainingSettings
from brainmri.training.splits import check_no_leak


class Lost(Exception):  # noqa: N818 - no failure of this process
    """Another process has taken the run meanwhile, because this one was silent for too long."""


class StoredResult(Protocol):
    """What is stored of a finished run, its network apart; see `brainmri.training.loop.RunResult`."""

    @property
    def test(self) -> NDArray[np.int64]: ...
    @property
    def true(self) -> NDArray[np.int64]: ...
    @property
    def predicted(self) -> NDArray[np.int64]: ...
    @property
    def probabilities(self) -> NDArray[np.float32]: ...
    @property
    def validation(self) -> NDArray[np.int64]: ...
    @property
    def validation_true(self) -> NDArray[np.int64]: ...
    @property
    def validation_probabilities(self) -> NDArray[np.float32]: ...
    @property
    def images_per_second(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def device(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def peak_memory_bytes(self) -> int | None: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...
    @property
    def accuracy(self) -> float: ...


def check_split(case_ids: Sequence[str], split: Split) -> None:
    """Refuse a stored split in which a case stands on two sides."""
    unit: SplitUnit = "patient" if split.unit == "patient" else "image"
    for one, other in combinations((split.train, split.validation, split.test), 2):
        check_no_leak(case_ids, one, other, unit=unit)


def checkpoint_meta(
    run: Run, dataset: Dataset, settings: TrainingSettings, versions: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a checkpoint says of itself: enough to use its network without this study."""
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
        "versions": dict(versions),
        "created_at": utc_now().isoformat(timespec="seconds"),
    }


def state_key(run: Run, dataset: Dataset) -> str:
    """Return what a stored state of a run is of, so that no other is gone on from."""
    return f"{run.run_id}/{run.seed}/{dataset.hash}"


def store_epoch(study: Study, run: Run, record: EpochRecord) -> None:
    """Store an epoch; `Lost` where somebody else has the run by now."""
    with study.session() as session:
        if session.scalar(select(Run.attempt).where(Run.run_id == run.run_id)) != run.attempt:
            raise Lost
        session.add(Epoch(run_id=run.run_id, **asdict(record)))


def store_result(
    study: Study, run: Run, result: StoredResult, versions: Mapping[str, str], *, resumed_after: int
) -> None:
    """Store predictions and close the run, in one transaction: a finished run has all its predictions.

    Parameters
    ----------
    study : Study
    run : Run
        As it was taken.
    result : StoredResult
    versions : mapping
        Software that computed it.
    resumed_after : int
        Epoch after which it went on; 0 where it was not interrupted.

    Raises
    ------
    Lost
        Where somebody else has the run by now; nothing is stored.
    """
    remarks = [f"Went on after epoch {resumed_after} where it was interrupted."] if resumed_after else []
    values = {
        "status": FINISHED,
        "message": None,
        "remark": " ".join([*remarks, *result.remarks]) or None,
        "device": f"{result.device}, {result.precision}",
        "versions": dict(versions),
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
            raise Lost
        session.execute(insert(Prediction), _prediction_rows(run.run_id, result))
        if len(result.validation):
            session.execute(insert(ValidationPrediction), _validation_rows(run.run_id, result))
    log(study, run.run_id, f"finished after {result.seconds:.1f} s, accuracy {result.accuracy:.3f}, {result.precision}")


def _prediction_rows(run_id: str, result: StoredResult) -> list[dict[str, Any]]:
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


def _validation_rows(run_id: str, result: StoredResult) -> list[dict[str, Any]]:
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


def call_after_run(study: Study, run: Run, after_run: str | None) -> None:
    """Call ``module:function`` with (study, run_id) after a finished run; its failure leaves the run as it is."""
    with study.session() as session:
        now = session.get(Run, run.run_id)
    if after_run is None or now is None or now.status != FINISHED or now.attempt != run.attempt:
        return
    try:
        module, function = after_run.split(":")
        getattr(import_module(module), function)(study, run.run_id)
    except Exception as error:  # the run itself is whole
        log(study, run.run_id, f"after the run: {traceback.format_exc()}")
        message = f"The run finished, but what follows it did not: {first_line(error)}"
        with study.session() as session:
            session.execute(update(Run).where(Run.run_id == run.run_id).values(message=message))


def fail(study: Study, run: Run, message: str, detail: str) -> None:
    """End a run as failed: sentences for its row, and where in the program it failed for its log."""
    log(study, run.run_id, detail)
    end_run(study, run, FAILED, message)


def log(study: Study, run_id: str, text: str) -> None:
    """Add a line to a run's log, with the time."""
    path = study.run_folder(run_id) / "log.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{utc_now().isoformat(timespec='seconds')} {text}\n")
