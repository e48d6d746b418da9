"""Readers alone and with the network over readers and cases: the session's answers for `brainmri.teaching.mrmc`.

Every reader has to have read every case both ways. Where answers are missing, readers who answered fewer than half of
the cases both ways are left out first, then the cases that one of the others is missing; both are counted.

References
----------
How many readers and cases: Obuchowski NA. AJR Am J Roentgenol 2000;175:603-608, doi:10.2214/ajr.175.3.1750603.
Vertical averaging of curves: Fawcett T. Pattern Recognition Letters 2006;27:861-874, doi:10.1016/j.patrec.2005.10.010.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.curves import GRID_POINTS, roc_points
from brainmri.evaluation.wording import SIGNIFICANCE, format_p
from brainmri.teaching.answers import ReadAnswers
from brainmri.teaching.confidence import scores_by_class
from brainmri.teaching.mrmc import FEWEST_OF_A_KIND, ObuchowskiRockette, analyse_one_class, analyse_two_ways

FEW_READERS: Final = 4
"""Below this number of readers the interval for other readers is a rough guide."""

FEW_OF_A_KIND: Final = 10
"""Below this number of cases with, or without, a diagnosis the jackknife covariances are a rough guide."""

_LEAST_SHARE: Final = 0.5
"""Readers who answered less of the cases both ways are left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiReader:
    """The analysis of a session over readers and cases.

    Parameters
    ----------
    diagnosis : str or None
        The diagnosis against the rest; None: mean over all diagnoses, each against the rest.
    readers : tuple of str
        Readers in the analysis, (R,).
    left_out : tuple of str
        Readers who are not.
    cases, cases_left_out : int
        Cases that all of these readers read both ways with a confidence, and the other cases of the session.
    analysis : ObuchowskiRockette or None
        Ways in the order alone, with the network; None where there is none.
    grid : ndarray, shape (G,)
        False positive rate.
    curves : ndarray, shape (2, R, G)
        True positive rates of each way and reader; a mean over the diagnoses where there is no single one.
    warnings : tuple of str
        Why to read the result with care.
    sentence : str
        The result in words, or why there is none.
    """

    diagnosis: str | None
    readers: tuple[str, ...]
    left_out: tuple[str, ...]
    cases: int
    cases_left_out: int
    analysis: ObuchowskiRockette | None
    grid: NDArray[np.float64]
    curves: NDArray[np.float64]
    warnings: tuple[str, ...]
    sentence: str


def compare_alone_with_network(answers: ReadAnswers, *, diagnosis: str | None = None) -> MultiReader:
    """Compare the readers' areas under the ROC curve alone and with the network.

    Parameters
    ----------
    answers : ReadAnswers
    diagnosis : str, optional
        One of the classes, against the rest; without, the mean over all of them.

    Raises
    ------
    EvaluationError
        Where the session does not offer the diagnosis.
    """
    if diagnosis is not None and diagnosis not in answers.classes:
        raise EvaluationError(f"The session does not offer {diagnosis!r}; it offers {list(answers.classes)}.")
    chosen = np.stack([answers.alone, answers.assisted])
    confidence = np.stack([answers.alone_confidence, answers.assisted_confidence])
    scores = scores_by_class(chosen, confidence)  # (2, R, C, K)
    readers, cases = _complete(np.asarray(~np.isnan(scores).any(axis=(0, 3))))
    truth, kept = answers.truth[cases], scores[:, readers][:, :, cases]
    reason = _reason_for_none(answers, readers, truth, diagnosis)
    analysis = None if reason else _analyse(answers, truth, kept, diagnosis)
    names = [answers.readers[index] for index in readers]
    return MultiReader(
        diagnosis=diagnosis,
        readers=tuple(names),
        left_out=tuple(name for name in answers.readers if name not in names),
        cases=cases.size,
        cases_left_out=len(answers.cases) - cases.size,
        analysis=analysis,
        grid=np.linspace(0, 1, GRID_POINTS),
        curves=np.zeros((2, 0, GRID_POINTS)) if reason else _curves(answers, truth, kept, diagnosis),
        warnings=() if reason else _warn(answers, readers.size, truth, diagnosis),
        sentence=reason or _describe(analysis, diagnosis),
    )


def _complete(read: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the readers and cases of a table (R, C) without a gap, by the rule of this module."""
    by_reader = read.sum(axis=1)
    used = read.any(axis=0).sum()
    readers = np.flatnonzero((by_reader > 0) & (by_reader >= _LEAST_SHARE * used))
    cases = np.flatnonzero(read[readers].all(axis=0)) if readers.size else np.array([], dtype=np.intp)
    return readers, cases


def _analyse(
    answers: ReadAnswers, truth: NDArray[np.intp], scores: NDArray[np.float64], diagnosis: str | None
) -> ObuchowskiRockette:
    if diagnosis is None:
        return analyse_two_ways(truth, scores)
    index = answers.classes.index(diagnosis)
    return analyse_one_class(truth == index, scores[..., index])


def _classes(answers: ReadAnswers, diagnosis: str | None) -> list[int]:
    return list(range(len(answers.classes))) if diagnosis is None else [answers.classes.index(diagnosis)]


def _reason_for_none(
    answers: ReadAnswers, readers: NDArray[np.intp], truth: NDArray[np.intp], diagnosis: str | None
) -> str | None:
    if not readers.size:
        return "Nobody has answered with a confidence both alone and with the network: there is nothing to compare yet."
    for index in _classes(answers, diagnosis):
        with_it = int((truth == index).sum())
        if min(with_it, truth.size - with_it) < FEWEST_OF_A_KIND:
            return (
                f"Of the {truth.size} cases that all readers answered both ways, {with_it} with "
                f"{answers.classes[index]}: an area under the ROC curve needs {FEWEST_OF_A_KIND} cases with it and "
                f"{FEWEST_OF_A_KIND} without."
            )
    return None


def _warn(answers: ReadAnswers, readers: int, truth: NDArray[np.intp], diagnosis: str | None) -> tuple[str, ...]:
    found = []
    if 1 < readers < FEW_READERS:
        found.append(
            f"With {readers} readers little can be said about other readers: take {FEW_READERS} or more before relying "
            "on the interval."
        )
    counts = [(int((truth == index).sum()), answers.classes[index]) for index in _classes(answers, diagnosis)]
    few = [f"{count} of {name}" for count, name in counts if min(count, truth.size - count) < FEW_OF_A_KIND]
    if few:
        found.append(
            f"There are few cases ({', '.join(few)}, of {truth.size}): with fewer than {FEW_OF_A_KIND} with or without "
            "a diagnosis the interval is a rough guide."
        )
    return tuple(found)


def _describe(analysis: ObuchowskiRockette | None, diagnosis: str | None) -> str:
    if analysis is None:
        return ""
    alone, assisted = analysis.means
    what = f"of {diagnosis} against the rest" if diagnosis else "averaged over the diagnoses"
    begin = f"Mean area under the ROC curve {what}: {alone.auc:.3f} alone, {assisted.auc:.3f} with the network"
    change = analysis.change if analysis.change.p is not None else analysis.change_of_these
    these = "these readers" if analysis.areas.shape[1] > 1 else "this reader"
    whom = "readers and cases like these" if analysis.change.p is not None else f"{these} on cases like these"
    if change.p is None or change.lower is None or change.upper is None:
        return f"{begin}. {analysis.note or ''}".strip()
    verdict = "a difference beyond chance" if change.p < SIGNIFICANCE else "no difference beyond chance"
    difference = f"{change.difference:+.3f}".replace("-", "−")
    interval = f"{change.lower:.3f} to {change.upper:.3f}".replace("-", "−")
    return f"{begin}: {difference} (95 % interval {interval}, {format_p(change.p)}), {verdict} for {whom}."


def _curves(
    answers: ReadAnswers, truth: NDArray[np.intp], scores: NDArray[np.float64], diagnosis: str | None
) -> NDArray[np.float64]:
    """Return true positive rates on the grid, (2, R, G), averaged vertically over the diagnoses asked for."""
    return np.array(
        [
            [
                np.mean(
                    [_on_grid(truth == index, one[:, index]) for index in _classes(answers, diagnosis)],
                    axis=0,
                )
                for one in way
            ]
            for way in scores
        ]
    )


def _on_grid(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the true positive rate at each false positive rate of the grid, the highest where the curve is upright."""
    alarms, hits = roc_points(positive, scores)
    last = np.append(np.flatnonzero(np.diff(alarms) > 0), alarms.size - 1)
    return np.interp(np.linspace(0, 1, GRID_POINTS), alarms[last], hits[last])
