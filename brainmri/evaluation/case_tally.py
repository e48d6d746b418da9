"""Metrics of runs under weights of their cases: one implementation for plain metrics and for the bootstrap.

Drawing cases with replacement gives each case a whole-number weight, and leaving one out gives it the weight 0. What a
metric needs is summed for each case once, so that a metric under thousands of weightings is a product of two matrices.

References
----------
Brier score, sum over the classes, 0 to 2: Brier GW. Monthly Weather Review 1950;78:1-3.
AUC as the share of pairs in order, ties half: Hanley JA, McNeil BJ. Radiology 1982;143:29-36,
doi:10.1148/radiology.143.1.7063747.
Expected calibration error of the predicted class, 15 bins of equal width: Guo C et al. ICML 2017, arXiv:1706.04599.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.verdicts import Scored

CALIBRATION_BINS: Final = 15
"""Bins of equal width from 0 to 1, each with its upper bound."""

PROBABILITY_FLOOR: Final = float(np.finfo(np.float64).eps)
"""Smallest probability whose logarithm is taken, 2.2e-16: a class that was given none would cost infinitely much."""

_FEW: Final = 100
"""Weightings up to which nothing is won by float32."""

Weights = NDArray[np.floating[Any]]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CaseTally:
    """Sums for each run and case of what metrics need.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    cases : ndarray, shape (C,), int
        The cases that any of the runs tested: places in ``case_ids``, ascending.
    column : ndarray, shape (n,), int
        For each row of ``scored`` the place of its case in ``cases``.
    """

    scored: Scored
    cases: NDArray[np.intp]
    column: NDArray[np.intp]

    @classmethod
    def of(cls, scored: Scored) -> CaseTally:
        """Prepare the sums of predictions or verdicts."""
        cases, column = np.unique(scored.case, return_inverse=True)
        return cls(scored, cases, column.astype(np.intp))

    @property
    def even(self) -> Weights:
        """Weight 1 for every case, shape (1, C)."""
        return np.ones((1, self.cases.size))

    def confusions(self, weights: Weights) -> Values:
        """Return weighted confusion counts: row true, column predicted.

        Parameters
        ----------
        weights : ndarray, shape (B, C)

        Returns
        -------
        ndarray, shape (B, R, K, K)
        """
        size = len(self.scored.classes)
        return (weights @ self._confusions).reshape(len(weights), len(self.scored.runs), size, size)

    def rows(self, weights: Weights) -> Values:
        """Return the weighted number of rows (images, or cases) of each run, shape (B, R)."""
        return np.asarray(weights @ self._sums_by_case(np.ones(self.column.size)))

    def mean_loss(self, loss: Values, weights: Weights) -> Values:
        """Return the weighted mean of a loss, given for each row of ``scored``; shape (B, R)."""
        return ratio(weights @ self._sums_by_case(loss), self.rows(weights))

    def calibration_error(self, weights: Weights, *, bins: int = CALIBRATION_BINS) -> Values:
        """Return the expected calibration error of the predicted class, shape (B, R)."""
        confidence = confidences(self.scored)
        right = self.scored.predicted_class == self.scored.true_class
        gap = np.zeros((self.cases.size, len(self.scored.runs), bins))
        np.add.at(gap, (self.column, self.scored.run, bin_of(confidence, bins)), right - confidence)
        flat = gap.reshape(self.cases.size, len(self.scored.runs) * bins)
        gaps = (weights @ flat).reshape(len(weights), len(self.scored.runs), bins)
        return ratio(np.abs(gaps).sum(axis=2), self.rows(weights))

    def auc(self, class_index: int, weights: Weights) -> Values:
        """Return the area under the ROC curve of one class against the rest, shape (B, R).

        Not-a-number where a run has only this class, or none of it.
        """
        areas = np.full((len(self.scored.runs), len(weights)), np.nan)
        # pairs are whole or half, weights whole: float32 holds their sums to 1e-7, and halves the time of a bootstrap
        precision: type[np.floating[Any]] = np.float64 if len(weights) < _FEW else np.float32
        by_case: NDArray[np.floating[Any]] = np.ascontiguousarray(weights.T, dtype=precision)
        for run, pairs in enumerate(self._ordered_pairs(class_index, precision)):
            if pairs is not None:
                high, low = by_case[pairs.positive], by_case[pairs.negative]
                total = (pairs.size_positive @ high) * (pairs.size_negative @ low)
                low *= pairs.ordered.T @ high
                areas[run] = ratio(low.sum(axis=0), total)
        return areas.T

    @cached_property
    def _confusions(self) -> Values:
        size = len(self.scored.classes)
        counts = np.zeros((self.cases.size, len(self.scored.runs), size, size))
        np.add.at(counts, (self.column, self.scored.run, self.scored.true_class, self.scored.predicted_class), 1)
        return counts.reshape(self.cases.size, len(self.scored.runs) * size * size)

    def _sums_by_case(self, values: Values) -> Values:
        """Return the sums of a column of ``scored``, shape (C, R)."""
        runs = len(self.scored.runs)
        flat = np.bincount(self.column * runs + self.scored.run, weights=values, minlength=self.cases.size * runs)
        return np.asarray(flat, dtype=np.float64).reshape(self.cases.size, runs)

    def _ordered_pairs(self, class_index: int, precision: type[np.floating[Any]]) -> list[_Pairs | None]:
        """Count for each run the pairs of a positive and a negative row in order, for each pair of their cases."""
        is_positive = self.scored.true_class == class_index
        found: list[_Pairs | None] = []
        for run in range(len(self.scored.runs)):
            here = self.scored.run == run
            positive, negative = np.flatnonzero(here & is_positive), np.flatnonzero(here & ~is_positive)
            if positive.size and negative.size:
                score = self.scored.probabilities[:, class_index]
                found.append(_count_pairs(score, self.column, positive, negative, precision))
            else:
                found.append(None)
        return found


class _Pairs(NamedTuple):
    """Cases of positive rows and of negative ones, pairs in order between them (ties half), and rows of either."""

    positive: NDArray[np.intp]
    negative: NDArray[np.intp]
    ordered: NDArray[np.floating[Any]]
    size_positive: NDArray[np.floating[Any]]
    size_negative: NDArray[np.floating[Any]]


def _count_pairs(
    score: NDArray[np.floating[Any]],
    column: NDArray[np.intp],
    positive: NDArray[np.intp],
    negative: NDArray[np.intp],
    precision: type[np.floating[Any]],
) -> _Pairs:
    positive = positive[np.argsort(column[positive], kind="stable")]
    negative = negative[np.argsort(column[negative], kind="stable")]
    high, low = score[positive][:, None], score[negative][None, :]
    ordered = (high > low).astype(precision)
    ordered += (high == low) * precision(0.5)
    cases_positive, starts_positive, sizes_positive = np.unique(column[positive], return_index=True, return_counts=True)
    cases_negative, starts_negative, sizes_negative = np.unique(column[negative], return_index=True, return_counts=True)
    if cases_positive.size < positive.size:
        ordered = np.add.reduceat(ordered, starts_positive, axis=0)
    if cases_negative.size < negative.size:
        ordered = np.add.reduceat(ordered, starts_negative, axis=1)
    return _Pairs(
        cases_positive, cases_negative, ordered, sizes_positive.astype(precision), sizes_negative.astype(precision)
    )


def confidences(scored: Scored) -> Values:
    """Return the probability that each row gives to the class that it predicts, shape (n,)."""
    chosen = scored.probabilities[np.arange(scored.predicted_class.size), scored.predicted_class]
    return chosen.astype(np.float64)


def bin_of(confidence: Values, bins: int) -> NDArray[np.intp]:
    """Return the bin of each probability: bin b has those above b/bins, up to (b+1)/bins; the first also has 0."""
    return np.clip(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence), 0, bins - 1).astype(np.intp)


def brier_losses(scored: Scored) -> Values:
    """Return the squared distance of each row's probabilities from the truth, 0 to 2, shape (n,)."""
    truth = np.eye(len(scored.classes))[scored.true_class]
    return np.asarray(((scored.probabilities.astype(np.float64) - truth) ** 2).sum(axis=1))


def log_losses(scored: Scored) -> Values:
    """Return minus the logarithm of the true class's probability in nats, shape (n,); see `PROBABILITY_FLOOR`."""
    given = scored.probabilities[np.arange(scored.true_class.size), scored.true_class].astype(np.float64)
    return np.asarray(-np.log(np.clip(given, PROBABILITY_FLOOR, 1.0)))


def ratio(numerator: Values, denominator: Values) -> Values:
    """Divide; not-a-number where the denominator is zero."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.full(shape, np.nan), where=denominator > 0)


def mean_of_defined(values: Values, axis: int) -> Values:
    """Return the mean of the values that are numbers; not-a-number where none is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis).astype(np.float64))
