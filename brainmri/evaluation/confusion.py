"""Confusion matrices over repeats: counts, row shares, their mean and scatter, and the cases behind each cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_tally import CaseTally, mean_of_defined, ratio
from brainmri.evaluation.loading import ExperimentPredictions, Level
from brainmri.evaluation.verdicts import Scored, VerdictRule, score


@dataclass(frozen=True, kw_only=True, eq=False)
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
    def sd_counts(self) -> NDArray[np.float64] | None:
        """Standard deviation over the runs (n − 1), shape (K, K); None for one run."""
        return None if len(self.counts) < 2 else np.asarray(self.counts.std(axis=0, ddof=1), dtype=np.float64)

    @property
    def row_shares(self) -> NDArray[np.float64]:
        """Share of each true class that was predicted as each class, all runs pooled; NaN for a class never tested."""
        pooled = self.counts.sum(axis=0).astype(np.float64)
        return ratio(pooled, pooled.sum(axis=1, keepdims=True))

    @property
    def row_shares_by_run(self) -> NDArray[np.float64]:
        """Row shares of each run, shape (R, K, K); NaN for a class that the run did not test."""
        counts = self.counts.astype(np.float64)
        return ratio(counts, counts.sum(axis=2, keepdims=True))

    @property
    def mean_row_shares(self) -> NDArray[np.float64]:
        """Mean of the row shares over the runs that tested the class, shape (K, K); NaN for a class never tested."""
        return mean_of_defined(self.row_shares_by_run, axis=0)

    @property
    def sd_row_shares(self) -> NDArray[np.float64] | None:
        """Standard deviation of the row shares over the runs that tested the class; None where fewer than two did."""
        shares = self.row_shares_by_run
        tested = np.count_nonzero(~np.isnan(shares), axis=0)
        if tested.max(initial=0) < 2:
            return None
        squares = np.nansum((shares - self.mean_row_shares) ** 2, axis=0)
        return np.sqrt(ratio(squares, np.maximum(tested - 1, 0).astype(np.float64)))


@dataclass(frozen=True, kw_only=True)
class CellCase:
    """A case in one cell of a confusion matrix.

    Parameters
    ----------
    case_id : str
    times : int
        Images (or verdicts) of the case in this cell, all runs together.
    run_ids : tuple of str
        The runs in which it is there, in their order.
    """

    case_id: str
    times: int
    run_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConfusionCell:
    """The cases of one true class that were taken for one class, the most frequent first."""

    true: str
    predicted: str
    cases: tuple[CellCase, ...]

    @property
    def times(self) -> int:
        """Images (or verdicts) in the cell, all runs together."""
        return sum(case.times for case in self.cases)


def count_confusions(
    predictions: ExperimentPredictions, *, level: Level = "image", rule: VerdictRule = "mean"
) -> dict[str, Confusion]:
    """Count true against predicted classes for each architecture and run.

    Parameters
    ----------
    predictions : ExperimentPredictions
    level : {'image', 'case'}
    rule : {'mean', 'vote', 'maximum'}
        Of verdicts, for the level of cases.

    Returns
    -------
    dict of str to Confusion
        By architecture, in the order of the runs.
    """
    tally = CaseTally.of(score(predictions, level=level, rule=rule))
    counts = np.rint(tally.confusions(tally.even)[0]).astype(np.intp)
    return {
        architecture: Confusion(
            architecture=architecture,
            classes=predictions.classes,
            counts=counts[[i for i, run in enumerate(predictions.runs) if run.architecture == architecture]],
        )
        for architecture in predictions.architectures
    }


def list_cells(scored: Scored, architecture: str) -> dict[tuple[int, int], ConfusionCell]:
    """Return the cases behind each cell of an architecture's confusion matrix, all runs together.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    architecture : str

    Returns
    -------
    dict of (int, int) to ConfusionCell
        By true and predicted class; every pair of classes is there, also the empty ones.
    """
    mine = np.array([run.architecture == architecture for run in scored.runs], dtype=bool)
    times: dict[tuple[int, int], Counter[int]] = {}
    found_in: dict[tuple[int, int, int], dict[int, None]] = {}
    for place in np.flatnonzero(mine[scored.run]).tolist():
        cell = int(scored.true_class[place]), int(scored.predicted_class[place])
        case = int(scored.case[place])
        times.setdefault(cell, Counter())[case] += 1
        found_in.setdefault((*cell, case), {})[int(scored.run[place])] = None
    return {
        (true, predicted): ConfusionCell(
            true=true_name,
            predicted=predicted_name,
            cases=tuple(
                CellCase(
                    case_id=scored.case_ids[case],
                    times=count,
                    run_ids=tuple(scored.runs[run].run_id for run in sorted(found_in[true, predicted, case])),
                )
                for case, count in sorted(
                    times.get((true, predicted), Counter()).items(), key=lambda one: (-one[1], one[0])
                )
            ),
        )
        for true, true_name in enumerate(scored.classes)
        for predicted, predicted_name in enumerate(scored.classes)
    }
