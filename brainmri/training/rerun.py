"""Repeat a run from what is stored of it, and compare its predictions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.errors import TrainingError
from brainmri.imaging.datasets import read_dataset, read_sample_rows, read_samples
from brainmri.study import Study
from brainmri.tasks import Progress
from brainmri.training.experiments import read_experiment, read_run, read_split
from brainmri.training.loop import RunResult, train_run
from brainmri.training.records import FINISHED, Prediction, Run
from brainmri.training.settings import TrainingSettings
from brainmri.training.versions import THREADS_KEY, software_versions


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """What a repetition of a run found.

    Parameters
    ----------
    run : str
    matched : bool
        Every probability is the same to the last bit.
    largest_difference : float
        Of a probability.
    differing_classes : int
        Test images that are classified otherwise.
    accuracy, accuracy_again : float
        0 to 1.
    differences : dict of str to str
        What is not as it was: software, device; ``"before → now"``.
    """

    run: str
    matched: bool
    largest_difference: float
    differing_classes: int
    accuracy: float
    accuracy_again: float
    differences: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return asdict(self)

    def describe(self) -> str:
        """Say it in a few sentences."""
        if self.matched:
            text = f"{self.run} gives the same predictions again, to the last bit."
        else:
            text = (
                f"{self.run} does not give the same predictions: probabilities differ by up to "
                f"{self.largest_difference:.2g}, {self.differing_classes} test images are classified otherwise, "
                f"accuracy {self.accuracy:.4f} before and {self.accuracy_again:.4f} now."
            )
        changed = "; ".join(f"{name} {change}" for name, change in self.differences.items())
        return f"{text} What is not as it was: {changed}." if changed else text


def rerun_run(study: Study, run_id: str, *, progress: Progress) -> Rerun:
    """Train a finished run again with its stored settings, split, seed and number of threads.

    Nothing is stored.

    Raises
    ------
    TrainingError
        Where there is no such run, or it has not finished.
    """
    run = read_run(study, run_id)
    if run.status != FINISHED:
        raise TrainingError(f"The run {run_id} is {run.status}; only a finished run can be compared with a repetition.")
    threads = int(run.versions.get(THREADS_KEY, torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        result = _train_again(study, run, progress)
    finally:
        torch.set_num_threads(before)
    stored = _read_probabilities(study, run_id)
    if stored.shape != result.probabilities.shape:
        raise TrainingError(
            f"The run {run_id} has {len(stored)} stored predictions and {len(result.test)} test images."
        )
    again = result.probabilities.astype(np.float64)
    return Rerun(
        run=run_id,
        matched=bool(np.array_equal(stored, again)),
        largest_difference=float(np.abs(stored - again).max()),
        differing_classes=int((stored.argmax(axis=1) != again.argmax(axis=1)).sum()),
        accuracy=float(run.accuracy or 0.0),
        accuracy_again=result.accuracy,
        differences=_find_differences(run, result),
    )


def _train_again(study: Study, run: Run, progress: Progress) -> RunResult:
    experiment = read_experiment(study, run.experiment_id)
    settings = TrainingSettings.from_dict(experiment.settings)
    dataset = read_dataset(study, experiment.dataset_hash)
    split = read_split(study, run.experiment_id, run.repeat)
    rows = read_sample_rows(study, dataset.hash)
    return train_run(
        read_samples(study, dataset.hash),
        np.array([dataset.classes.index(row.diagnosis) for row in rows]),
        split.train,
        split.test,
        architecture=run.architecture,
        settings=settings,
        seed=run.seed,
        classes=len(dataset.classes),
        validation=split.validation,
        on_epoch=lambda record: progress(record.epoch / settings.epochs, f"Epoch {record.epoch} of {settings.epochs}"),
    )


def _read_probabilities(study: Study, run_id: str) -> NDArray[np.float64]:
    query = select(Prediction.probabilities).where(Prediction.run_id == run_id).order_by(Prediction.sample_index)
    with study.session() as session:
        return np.array([list(row) for row in session.scalars(query)])


def _find_differences(run: Run, result: RunResult) -> dict[str, str]:
    now = {**software_versions(), "device": f"{result.device}, {result.precision}"}
    before = {**run.versions, "device": run.device}
    return {
        name: f"{before[name]} → {value}" for name, value in now.items() if name in before and before[name] != value
    }
