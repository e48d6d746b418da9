"""One answer of each architecture on each case (or image): its probabilities averaged over the repeats that tested it.

Tests that compare architectures case by case need each case once. Splits overlap, so that a case is tested in several
repeats; answers on it are averaged over the repeats in which all the architectures compared tested it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import ExperimentPredictions, Level
from brainmri.evaluation.verdicts import VerdictRule, score


@dataclass(frozen=True, kw_only=True, eq=False)
class Consensus:
    """What architectures say of the same U cases or images.

    Parameters
    ----------
    level : {'image', 'case'}
    classes, architectures, case_ids : tuple of str
    case : ndarray, shape (U,), int
        Index into ``case_ids``.
    true_class : ndarray, shape (U,), int
    repeats : ndarray, shape (U,), int
        Over how many repeats was averaged.
    probabilities : ndarray, shape (A, U, K), float64
        Mean over the repeats.
    """

    level: Level
    classes: tuple[str, ...]
    architectures: tuple[str, ...]
    case_ids: tuple[str, ...]
    case: NDArray[np.intp]
    true_class: NDArray[np.intp]
    repeats: NDArray[np.intp]
    probabilities: NDArray[np.float64]

    @property
    def predicted_class(self) -> NDArray[np.intp]:
        """The class with the highest mean probability, shape (A, U)."""
        return self.probabilities.argmax(axis=2).astype(np.intp)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether that is the true class, shape (A, U)."""
        return np.asarray(self.predicted_class == self.true_class)


def find_consensus(
    predictions: ExperimentPredictions,
    *,
    architectures: Sequence[str] | None = None,
    level: Level = "case",
    rule: VerdictRule = "mean",
) -> Consensus:
    """Average the answers of each architecture over the repeats in which all of them tested a case or an image.

    Parameters
    ----------
    predictions : ExperimentPredictions
    architectures : sequence of str, optional
        Those to compare; default all.
    level : {'image', 'case'}
    rule : {'mean', 'vote', 'maximum'}
        Of verdicts, for the level of cases: what is averaged is what the rule weighs.

    Raises
    ------
    EvaluationError
        Where an architecture has no finished run, or no case was tested by all of them in one repeat.
    """
    names = tuple(architectures) if architectures is not None else predictions.architectures
    absent = [name for name in names if name not in predictions.architectures]
    if absent or not names:
        wanted, found = ", ".join(absent) or "any architecture", ", ".join(predictions.architectures) or "none at all"
        raise EvaluationError(f"There are no finished runs of {wanted}. Finished runs are there of: {found}.")
    scored = score(predictions, level=level, rule=rule)
    unit = scored.case if level == "case" else predictions.sample_index
    units, first, place = np.unique(unit, return_index=True, return_inverse=True)
    repeats = predictions.repeats
    sums = np.zeros((len(names), len(repeats), units.size, len(scored.classes)))
    tested = np.zeros((len(names), len(repeats), units.size), dtype=bool)
    for run, one in enumerate(scored.runs):
        if one.architecture in names:
            rows = np.flatnonzero(scored.run == run)
            where = names.index(one.architecture), repeats.index(one.repeat), place[rows]
            sums[where] = scored.probabilities[rows]
            tested[where] = True
    shared = np.asarray(tested.all(axis=0))
    times = shared.sum(axis=0)
    kept = np.flatnonzero(times)
    if not kept.size:
        raise EvaluationError(
            f"No {level} was tested by {' and '.join(names)} in the same repeat: nothing can be compared case by case."
        )
    totals = np.einsum("aruk,ru->auk", sums, shared)
    return Consensus(
        level=level,
        classes=scored.classes,
        architectures=names,
        case_ids=scored.case_ids,
        case=scored.case[first][kept],
        true_class=scored.true_class[first][kept],
        repeats=times[kept].astype(np.intp),
        probabilities=totals[:, kept] / times[kept][None, :, None],
    )
