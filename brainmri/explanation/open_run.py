"""A finished run opened to make its files: its network, its images and what it said of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.errors import ExplanationError
from brainmri.explanation.trained import TrainedRun, open_trained
from brainmri.imaging.datasets import read_sample_rows, read_samples
from brainmri.imaging.records import Sample
from brainmri.study import Study
from brainmri.training.devices import prepare_device, resolve_device
from brainmri.training.experiments import read_experiment, read_split
from brainmri.training.records import Prediction, Run, Split


@dataclass
class OpenRun:
    """A run and what its parts share, read when it is first asked for."""

    study: Study
    run: Run

    @cached_property
    def trained(self) -> TrainedRun:
        """Return the run with its network, on the device."""
        trained = open_trained(self.study, self.run.run_id)
        settings = read_experiment(self.study, self.run.experiment_id).settings
        device = resolve_device("cpu" if settings.get("device") == "cpu" else "auto")
        prepare_device(device)
        trained.model.to(device)
        return trained

    @cached_property
    def rows(self) -> list[Sample]:
        """Return the rows of all samples of the data set."""
        return read_sample_rows(self.study, self.trained.dataset.hash)

    @cached_property
    def split(self) -> Split:
        """Return the run's division of the samples."""
        return read_split(self.study, self.run.experiment_id, self.run.repeat)

    @cached_property
    def tested(self) -> NDArray[np.int64]:
        """Return the indices of the test images: shape (M,)."""
        return np.array(self.split.test, dtype=np.int64)

    @cached_property
    def samples(self) -> NDArray[np.uint8]:
        """Return all samples of the data set (N, 3, H, W), memory-mapped."""
        return read_samples(self.study, self.trained.dataset.hash)

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """Return what the run said of each test image: shape (M, K), 0 to 1."""
        query = select(Prediction.sample_index, Prediction.probabilities).where(Prediction.run_id == self.run.run_id)
        with self.study.session() as session:
            found = {int(index): probabilities for index, probabilities in session.execute(query)}
        absent = [int(index) for index in self.tested if int(index) not in found]
        if absent:
            raise ExplanationError(
                f"The run {self.run.run_id} has no prediction of its test image {absent[0]}; its rows are incomplete. "
                "Restore the database from a copy of the study, or train the experiment again."
            )
        return np.array([found[int(index)] for index in self.tested], dtype=np.float32)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """Return the class that the run predicted for each test image: shape (M,)."""
        return self.probabilities.argmax(axis=1).astype(np.int64)

    @cached_property
    def verdicts(self) -> NDArray[np.int64]:
        """Return the class that the run takes the case of each test image for: shape (M,).

        The one with the highest mean probability over the test images of the case.
        """
        case_ids = np.array([self.rows[index].case_id for index in self.tested])
        found = np.empty(len(case_ids), dtype=np.int64)
        for case_id in np.unique(case_ids):
            own = case_ids == case_id
            found[own] = self.probabilities[own].mean(axis=0, dtype=np.float64).argmax()
        return found
