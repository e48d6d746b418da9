"""From predictions on images to verdicts on cases, confusion counts and hard cases. Arrays in, records out.

A case's verdict in a run is the class with the highest mean probability over those of its images that the run tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["image", "case"]
"""What is counted: every test image, or every test case once by its verdict."""

VERDICT_RULE: Final = "A case's verdict is the class with the highest mean probability over its images in that run."
"""The rule in one sentence, for pages."""


@dataclass(frozen=True, kw_only=True)
class PredictedRun:
    """One finished run."""

    run_id: str
    architecture: str
    repeat: int


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What several runs say of their test images, as columns of one length P, ordered by run and image.

    Parameters
    ----------
    classes : tuple of str
        Diagnoses in the order of their class index.
    runs : tuple of PredictedRun
    case_ids : tuple of str
        Every case once.
    run : ndarray, shape (P,), int
        Index into ``runs``.
    case : ndarray, shape (P,), int
        Index into ``case_ids``.
    sample_index : ndarray, shape (P,), int
    true_class, predicted_class : ndarray, shape (P,), int
    probabilities : ndarray, shape (P, K), float64
        One column a class, 0 to 1.
    """

    classes: tuple[str, ...]
    runs: tuple[PredictedRun, ...]
    case_ids: tuple[str, ...]
    run: NDArray[np.intp]
    case: NDArray[np.intp]
    sample_index: NDArray[np.intp]
    true_class: NDArray[np.intp]
    predicted_class: NDArray[np.intp]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """Predictions aggregated to cases: columns of one length V, ordered by run and case.

    Parameters
    ----------
    run, case, true_class, predicted_class : ndarray, shape (V,), int
        As in `Predictions`.
    images : ndarray, shape (V,), int
        Test images of the case in the run.
    probabilities : ndarray, shape (V, K), float64
        Mean over these images.
    """

    run: NDArray[np.intp]
    case: NDArray[np.intp]
    true_class: NDArray[np.intp]
    predicted_class: NDArray[np.intp]
    images: NDArray[np.intp]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Confusion counts of one architecture over its runs.

    Parameters
    ----------
    architecture : str
    classes : tuple of str
    counts : ndarray, shape (R, K, K), int
        For each run the number of images (or cases): row true, column predicted.
    """

    architecture: str
    classes: tuple[str, ...]
    counts: NDArray[np.intp]

    @property
    def mean_counts(self) -> NDArray[np.float64]:
        """Mean over the runs, shape (K, K)."""
        return np.asarray(self.counts.mean(axis=0), dtype=np.float64)

    @property
    def row_shares(self) -> NDArray[np.float64]:
        """Share of each true class that was predicted as each class, all runs pooled; NaN for a class never tested."""
        pooled = self.counts.sum(axis=0)
        totals = pooled.sum(axis=1, keepdims=True)
        return np.divide(pooled, totals, out=np.full(pooled.shape, np.nan), where=totals > 0)


@dataclass(frozen=True, kw_only=True)
class CaseErrors:
    """In how many of the runs that tested a case one architecture's verdict was wrong."""

    architecture: str
    tested: int
    wrong: int

    @property
    def share(self) -> float | None:
        """Wrong verdicts as a share of the runs that tested the case."""
        return self.wrong / self.tested if self.tested else None


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One case over all runs that tested it.

    Parameters
    ----------
    case_id : str
    diagnosis : str
        True class.
    tested, wrong : int
        Runs that tested the case, and those whose verdict was wrong.
    mean_true_probability : float
        Mean over these runs of the probability that the verdict gives to the true class.
    taken_for : str or None
        The wrong class that it was taken for most often.
    by_architecture : tuple of CaseErrors
        One an architecture, in the order of the experiment.
    example_run_id : str
        A run to look at: the wrong one that was surest, else the right one that was least sure.
    """

    case_id: str
    diagnosis: str
    tested: int
    wrong: int
    mean_true_probability: float
    taken_for: str | None
    by_architecture: tuple[CaseErrors, ...]
    example_run_id: str

    @property
    def wrong_share(self) -> float:
        """Wrong verdicts as a share of the runs that tested the case."""
        return self.wrong / self.tested


def verdicts_by_case(predictions: Predictions) -> Verdicts:
    """Aggregate predictions on images to one verdict for each run and case, see `VERDICT_RULE`."""
    cases = max(len(predictions.case_ids), 1)
    keys, first, member = np.unique(predictions.run * cases + predictions.case, return_index=True, return_inverse=True)
    images = np.bincount(member, minlength=keys.size).astype(np.intp)
    sums = np.zeros((keys.size, len(predictions.classes)))
    np.add.at(sums, member, predictions.probabilities)
    means = sums / images[:, None]
    return Verdicts(
        run=(keys // cases).astype(np.intp),
        case=(keys % cases).astype(np.intp),
        true_class=predictions.true_class[first],
        predicted_class=means.argmax(axis=1).astype(np.intp) if keys.size else np.empty(0, dtype=np.intp),
        images=images,
        probabilities=means,
    )


def count_confusions(predictions: Predictions, *, level: Level = "image") -> dict[str, Confusion]:
    """Count true against predicted classes for each architecture and run.

    Parameters
    ----------
    predictions : Predictions
    level : {'image', 'case'}

    Returns
    -------
    dict of str to Confusion
        By architecture, in the order of the runs.
    """
    source = predictions if level == "image" else verdicts_by_case(predictions)
    size = len(predictions.classes)
    counts = np.zeros((len(predictions.runs), size, size), dtype=np.intp)
    np.add.at(counts, (source.run, source.true_class, source.predicted_class), 1)
    return {
        architecture: Confusion(
            architecture=architecture,
            classes=predictions.classes,
            counts=counts[[i for i, run in enumerate(predictions.runs) if run.architecture == architecture]],
        )
        for architecture in _architectures(predictions.runs)
    }


def case_accuracies(predictions: Predictions) -> dict[str, float]:
    """Return for each run the share of its test cases whose verdict is right, by ``run_id``."""
    verdicts = verdicts_by_case(predictions)
    right = verdicts.true_class == verdicts.predicted_class
    size = len(predictions.runs)
    tested = np.bincount(verdicts.run, minlength=size)
    hits = np.bincount(verdicts.run[right], minlength=size)
    return {run.run_id: float(hits[i] / tested[i]) for i, run in enumerate(predictions.runs) if tested[i]}


def tabulate_cases(predictions: Predictions) -> tuple[CaseRow, ...]:
    """List every tested case, the hardest first: by share of wrong verdicts, then by probability of the true class."""
    verdicts = verdicts_by_case(predictions)
    architectures = _architectures(predictions.runs)
    rows = [_case_row(predictions, verdicts, np.flatnonzero(verdicts.case == case), architectures)
            for case in np.unique(verdicts.case)]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (-row.wrong_share, row.mean_true_probability, row.case_id)))


def _case_row(
    predictions: Predictions, verdicts: Verdicts, rows: NDArray[np.intp], architectures: Sequence[str]
) -> CaseRow:
    true_class = int(verdicts.true_class[rows[0]])
    predicted = verdicts.predicted_class[rows]
    wrong = predicted != true_class
    certainty = verdicts.probabilities[rows, true_class]
    named = [predictions.runs[run].architecture for run in verdicts.run[rows]]
    tested, failed = Counter(named), Counter(name for name, bad in zip(named, wrong, strict=True) if bad)
    mistaken = Counter(predicted[wrong].tolist()).most_common(1)
    return CaseRow(
        case_id=predictions.case_ids[int(verdicts.case[rows[0]])],
        diagnosis=predictions.classes[true_class],
        tested=int(rows.size),
        wrong=int(wrong.sum()),
        mean_true_probability=float(certainty.mean()),
        taken_for=predictions.classes[mistaken[0][0]] if mistaken else None,
        by_architecture=tuple(CaseErrors(architecture=a, tested=tested[a], wrong=failed[a]) for a in architectures),
        # A wrong verdict can hold a higher probability of the truth than a right one where classes are many.
        example_run_id=predictions.runs[int(verdicts.run[rows[np.lexsort((certainty, ~wrong))[0]]])].run_id,
    )


def _architectures(runs: Sequence[PredictedRun]) -> list[str]:
    return list(dict.fromkeys(run.architecture for run in runs))
