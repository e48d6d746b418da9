"""What the confidence of readers is worth: whether it means what it says, and whether it puts cases in order.

References
----------
Expected calibration error: Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017, arXiv:1706.04599.
Confidence minus accuracy ("over-confidence"): Lichtenstein S, Fischhoff B. Organ Behav Hum Perform 1977;20:159-183,
doi:10.1016/0030-5073(77)90001-0.
Rating that joins a decision with its confidence: Green DM, Swets JA. Signal Detection Theory and Psychophysics.
Wiley 1966, chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_tally import bin_of
from brainmri.evaluation.delong import Area, compare_areas
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.evaluation.wording import format_share
from brainmri.teaching.answers import UNANSWERED

BINS: Final = 5
"""Bins of confidence: a reader gives some tens of answers, not thousands."""

FEWEST_ANSWERS: Final = 20
"""Below this number of answers the calibration error is mostly chance."""

FEWEST_OF_A_KIND: Final = 5
"""Cases with and without a diagnosis that an area under the ROC curve of one reader needs at least."""

_NOTICEABLE: Final = 0.05
"""A gap of confidence and accuracy from which on it is called one."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceBin:
    """Answers of about one confidence: its bounds (the upper one belongs to it), their mean, and the share right."""

    lower: float
    upper: float
    mean_confidence: float | None
    right: ShareInterval


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Whether the confidence in the chosen diagnosis means what it says.

    Parameters
    ----------
    answers : int
        Answers with a confidence.
    mean_confidence, accuracy, gap, error : float or None
        Of these answers; gap: confidence minus accuracy; error: expected calibration error over the bins. None without
        an answer.
    bins : tuple of ConfidenceBin
    sentence : str
    """

    answers: int
    mean_confidence: float | None
    accuracy: float | None
    gap: float | None
    error: float | None
    bins: tuple[ConfidenceBin, ...]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ConfidenceAreas:
    """Areas under the ROC curves of confidence, each diagnosis against the rest.

    Parameters
    ----------
    cases : int
        Cases answered with a confidence.
    areas : tuple of Area
        One a class, in their order, named by the class.
    macro : float or None
        Mean over the classes; None where one of them has no area.
    note : str or None
        Why there is no mean.
    """

    cases: int
    areas: tuple[Area, ...]
    macro: float | None
    note: str | None = None


def chosen_confidence(chosen: NDArray[np.intp], confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the confidence in the chosen class.

    Parameters
    ----------
    chosen : ndarray, shape (..., C), int
        -1 where not answered.
    confidence : ndarray, shape (..., C, K)

    Returns
    -------
    ndarray, shape (..., C)
        0 to 1; nan where not answered or not given.
    """
    place = np.maximum(chosen, 0)[..., None]
    taken = np.take_along_axis(confidence, place, axis=-1)[..., 0]
    return np.where(chosen == UNANSWERED, np.nan, taken)


def scores_by_class(chosen: NDArray[np.intp], confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each answer one score a class, higher where the reader believes in it more.

    Where every answer has a confidence for each class, these are the scores. Where only the chosen class has one, its
    score is plus that confidence and the score of each other class minus it, so that a sure "no" is below a doubtful
    one, and each "yes" above each "no".

    Parameters
    ----------
    chosen : ndarray, shape (..., C), int
        -1 where not answered.
    confidence : ndarray, shape (..., C, K)

    Returns
    -------
    ndarray, shape (..., C, K)
        nan in the whole row of an answer without a confidence.
    """
    given = ~np.isnan(confidence)
    sure = chosen_confidence(chosen, confidence)
    answered = chosen != UNANSWERED
    has_any = answered & given.any(axis=-1)
    if bool((given.all(axis=-1) | ~has_any).all()):
        return np.where(has_any[..., None], confidence, np.nan)
    is_chosen = np.arange(confidence.shape[-1]) == chosen[..., None]
    return np.where(is_chosen, sure[..., None], -sure[..., None])


def measure_calibration(
    chosen: NDArray[np.intp], confidence: NDArray[np.float64], truth: NDArray[np.intp], *, bins: int = BINS
) -> Calibration:
    """Measure how far the confidence in the chosen class agrees with the share of right answers.

    Parameters
    ----------
    chosen : ndarray, shape (C,), int
        -1 where not answered.
    confidence : ndarray, shape (C, K)
    truth : ndarray, shape (C,), int
    bins : int
        Of equal width.
    """
    sure = chosen_confidence(chosen, confidence)
    rows = np.flatnonzero(~np.isnan(sure))
    sure, right = sure[rows], (chosen == truth)[rows]
    place, edges = bin_of(sure, bins), np.linspace(0, 1, bins + 1)
    found = tuple(
        ConfidenceBin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            mean_confidence=float(sure[here].mean()) if here.any() else None,
            right=share_interval(right[here]),
        )
        for index, here in enumerate(place == index for index in range(bins))
    )
    if not rows.size:
        sentence = "No answer came with a confidence: there is nothing to say about it."
        return Calibration(
            answers=0, mean_confidence=None, accuracy=None, gap=None, error=None, bins=found, sentence=sentence
        )
    gaps = [
        one.right.n * abs(one.mean_confidence - one.right.share)
        for one in found
        if one.mean_confidence is not None and one.right.share is not None
    ]
    mean, accuracy = float(sure.mean()), float(right.mean())
    return Calibration(
        answers=rows.size,
        mean_confidence=mean,
        accuracy=accuracy,
        gap=mean - accuracy,
        error=sum(gaps) / rows.size,
        bins=found,
        sentence=_describe(rows.size, mean, accuracy),
    )


def measure_areas(
    chosen: NDArray[np.intp], confidence: NDArray[np.float64], truth: NDArray[np.intp], classes: tuple[str, ...]
) -> ConfidenceAreas:
    """Measure how well confidence orders cases: one area a class against the rest, and their mean.

    Parameters
    ----------
    chosen : ndarray, shape (C,), int
        -1 where not answered.
    confidence : ndarray, shape (C, K)
    truth : ndarray, shape (C,), int
    classes : tuple of str, length K
    """
    scores = scores_by_class(chosen, confidence)
    rows = np.flatnonzero(~np.isnan(scores).any(axis=1))
    areas = tuple(_area(name, truth[rows] == index, scores[rows, index]) for index, name in enumerate(classes))
    values = [area.auc for area in areas if area.auc is not None]
    if len(values) == len(classes):
        return ConfidenceAreas(cases=rows.size, areas=areas, macro=float(np.mean(values)))
    note = next(area.note for area in areas if area.auc is None)
    return ConfidenceAreas(cases=rows.size, areas=areas, macro=None, note=note)


def _area(name: str, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Area:
    with_it, without = int(positive.sum()), int((~positive).sum())
    if min(with_it, without) < FEWEST_OF_A_KIND:
        note = (
            f"Of {with_it + without} cases answered with a confidence, {with_it} with {name} and {without} without: an "
            f"area under the ROC curve needs {FEWEST_OF_A_KIND} of each."
        )
        return Area(name=name, auc=None, note=note)
    return compare_areas(positive, scores, names=[name]).areas[0]


def _describe(answers: int, mean: float, accuracy: float) -> str:
    gap = mean - accuracy
    if abs(gap) < _NOTICEABLE:
        verdict = "confidence and accuracy agree"
    else:
        more = "more" if gap > 0 else "less"
        verdict = f"{more} confident than right by {abs(100 * gap):.0f} percentage points"
    few = "" if answers >= FEWEST_ANSWERS else f" With {answers} answers this may be chance."
    return f"Mean confidence {format_share(mean, digits=0)}, right {format_share(accuracy, digits=0)}: {verdict}.{few}"
