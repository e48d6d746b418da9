"""What a run says of the cases that it tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.predictions import Predictions, verdicts_by_case
from brainmri.evaluation.reading import read_experiment, read_predictions
from brainmri.imaging.datasets import read_sample_rows
from brainmri.imaging.records import Sample
from brainmri.study import Study


@dataclass(frozen=True, kw_only=True)
class TestedImage:
    """What a run says of one slice."""

    sample_index: int
    slice_index: int
    row: int
    column: int
    size_px: int
    predicted_class: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TestedCase:
    """What a run says of one of its test cases.

    Parameters
    ----------
    case_id : str
    dataset_hash : str
        Of the data set that holds the case's samples.
    classes : tuple of str
        Diagnoses in the order of their class index.
    true_class, predicted_class : int
        The verdict is the class with the highest mean probability over the slices.
    probabilities : tuple of float
        These means, 0 to 1.
    images : tuple of TestedImage
        From inferior to superior.
    """

    case_id: str
    dataset_hash: str
    classes: tuple[str, ...]
    true_class: int
    predicted_class: int
    probabilities: tuple[float, ...]
    images: tuple[TestedImage, ...]

    __test__ = False  # no test, whatever its name looks like to pytest

    @property
    def diagnosis(self) -> str:
        """The pathology."""
        return self.classes[self.true_class]

    @property
    def predicted(self) -> str:
        """The network's verdict."""
        return self.classes[self.predicted_class]

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the pathology."""
        return self.true_class == self.predicted_class

    @property
    def certainty(self) -> float:
        """Probability of the verdict, 0 to 1."""
        return self.probabilities[self.predicted_class]

    @property
    def true_probability(self) -> float:
        """Probability of the pathology, 0 to 1."""
        return self.probabilities[self.true_class]

    @property
    def agreeing(self) -> int:
        """Slices that alone would have led to the verdict."""
        return sum(image.predicted_class == self.predicted_class for image in self.images)


def read_tested_cases(study: Study, experiment_id: str, run_id: str) -> tuple[TestedCase, ...]:
    """Return the cases that a run tested: wrong verdicts first, the surest of them first; then right ones, least sure.

    Raises
    ------
    EvaluationError
        Where there is no such experiment, or the run is not among its finished ones.
    """
    predictions = read_predictions(study, experiment_id, run_id=run_id)
    dataset_hash = read_experiment(study, experiment_id).dataset_hash
    samples = read_sample_rows(study, dataset_hash)
    verdicts = verdicts_by_case(predictions)
    cases = [
        TestedCase(
            case_id=predictions.case_ids[int(case)],
            dataset_hash=dataset_hash,
            classes=predictions.classes,
            true_class=int(verdicts.true_class[place]),
            predicted_class=int(verdicts.predicted_class[place]),
            probabilities=_shares(verdicts.probabilities[place]),
            images=_images(predictions, np.flatnonzero(predictions.case == case), samples),
        )
        for place, case in enumerate(verdicts.case)
    ]
    return tuple(sorted(cases, key=_difficulty))


def _images(predictions: Predictions, places: NDArray[np.intp], samples: Sequence[Sample]) -> tuple[TestedImage, ...]:
    images = []
    for place in places:
        sample = samples[int(predictions.sample_index[place])]
        images.append(
            TestedImage(
                sample_index=sample.sample_index,
                slice_index=sample.slice_index,
                row=sample.row,
                column=sample.column,
                size_px=sample.size_px,
                predicted_class=int(predictions.predicted_class[place]),
                probabilities=_shares(predictions.probabilities[place]),
            )
        )
    return tuple(sorted(images, key=lambda image: image.slice_index))


def _shares(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _difficulty(case: TestedCase) -> tuple[bool, float, str]:
    return case.is_right, case.certainty if case.is_right else -case.certainty, case.case_id
