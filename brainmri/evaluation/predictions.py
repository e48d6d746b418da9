"""From predictions on images to verdicts on cases, confusion counts and hard cases. Arrays in, records out.

A case's verdict in a run is the class with the highest mean probability over those of its images that the run tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.loading import ExperimentPredictions as Predictions
from brainmri.evaluation.loading import Level, PredictedRun
from brainmri.evaluation.verdicts import VERDICT_RULE, Verdicts, verdicts_by_case

__all__ = [
    "VERDICT_RULE",
    "CaseErrors",
    "CaseRow",
    "Confusion",
    "Level",
    "PredictedRun",
    "Predictions",
    "Verdicts",
    "case_accuracies",
    "count_confusions",
    "tabulate_cases",
    "verdicts_by_case",
]


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
