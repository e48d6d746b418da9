"""Contributions of sequences over repeats and over cases: their mean and how far they lie apart. Without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.contributions import RunContributions, Score, SequenceContributions
from brainmri.vocabulary import SEQUENCES

DRAWS: Final = 2000
"""Of patients, for intervals."""


@dataclass(frozen=True, kw_only=True)
class ContributionSpread:
    """Contributions over several runs, or several cases: their mean and how far they lie apart."""

    class_name: str
    score: Score
    n: int
    mean: tuple[float, ...]
    """One a sequence, as are the next three."""
    sd: tuple[float, ...] | None
    """Standard deviation (n − 1); None where there is one only."""
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    mean_total: float


@dataclass(frozen=True, kw_only=True)
class DiagnosisContributions:
    """What each sequence added to the score of a diagnosis in the patients who have it."""

    class_name: str
    score: Score
    patients: int
    mean: tuple[float, ...]
    """Over patients; one a sequence, as are the next two."""
    low: tuple[float, ...] | None
    """Lower end of the 95 % interval of the mean over patients; None with one patient only."""
    high: tuple[float, ...] | None


def spread(contributions: Sequence[SequenceContributions]) -> ContributionSpread:
    """Summarise contributions to one class over the repeats that tested an image, or over cases.

    Raises
    ------
    ExplanationError
        Where there are none, or they are of different classes, scores or baselines.
    """
    kinds = {(one.class_name, one.score, one.baseline.name) for one in contributions}
    if len(kinds) != 1:
        raise ExplanationError(
            f"Contributions of one class, score and baseline can be summarised; found {len(kinds)} kinds among "
            f"{len(contributions)} records."
        )
    values = np.array([one.values for one in contributions])  # (n, 3)
    return _summary(values, contributions[0].class_name, contributions[0].score)


def over_repeats(
    runs: Iterable[RunContributions], samples: Sequence[int], class_index: int, score: Score = "probability"
) -> ContributionSpread | None:
    """Summarise the contributions in an image, or the slices of a case, over the repeats that tested all of them.

    Parameters
    ----------
    runs : iterable of RunContributions
        Of repeats of one architecture, under one baseline.
    samples : sequence of int
        Sample indices; the mean over them counts for each repeat.
    class_index : int
    score : {'probability', 'logit'}

    Returns
    -------
    ContributionSpread or None
        None where no repeat tested them.
    """
    found = [run.of(samples, class_index, score) for run in runs if run.tested(samples)]
    return spread(found) if found else None


def over_cases(
    runs: Sequence[RunContributions],
    cases: Mapping[str, Sequence[int]],
    class_index: int,
    score: Score = "probability",
) -> ContributionSpread | None:
    """Summarise the contributions to a class over cases, such as all of one diagnosis.

    Each case counts once: first the mean over its slices in a run, then over the runs that tested any of them. The
    spread is that between cases.

    Parameters
    ----------
    runs : sequence of RunContributions
        Of repeats of one architecture, under one baseline.
    cases : mapping of str to sequence of int
        Sample indices of each case.
    class_index : int
    score : {'probability', 'logit'}

    Returns
    -------
    ContributionSpread or None
        None where no run tested any of the cases.
    """
    means = _case_means(runs, cases, class_index, score)
    return _summary(means, runs[0].classes[class_index], score) if len(means) else None


def by_diagnosis(
    runs: Sequence[RunContributions],
    cases: Mapping[str, Mapping[str, Sequence[int]]],
    *,
    score: Score = "probability",
    seed: int = 0,
) -> tuple[DiagnosisContributions, ...]:
    """Summarise what each sequence added to the score of a diagnosis in the patients who have it.

    Each patient counts once: first the mean over the slices in a run, then over the runs that tested any of them. The
    interval is that of the mean over other patients of the same kind, the networks as they are trained: percentiles
    of the mean over patients drawn with replacement (Efron 1979, https://doi.org/10.1214/aos/1176344552).

    Parameters
    ----------
    runs : sequence of RunContributions
        Of repeats of one architecture, under one baseline.
    cases : mapping of str to mapping of str to sequence of int
        For each diagnosis the sample indices of each case that has it.
    score : {'probability', 'logit'}
    seed : int
        Of the draws.

    Returns
    -------
    tuple of DiagnosisContributions
        Diagnoses of which no run tested a case are left out.
    """
    found = []
    for class_index, class_name in enumerate(runs[0].classes if runs else ()):
        means = _case_means(runs, cases.get(class_name, {}), class_index, score)
        if len(means):
            low, high = _interval_of_mean(means, seed) if len(means) > 1 else (None, None)
            found.append(
                DiagnosisContributions(
                    class_name=class_name,
                    score=score,
                    patients=len(means),
                    mean=_floats(means.mean(axis=0)),
                    low=low,
                    high=high,
                )
            )
    return tuple(found)


def _case_means(
    runs: Iterable[RunContributions], cases: Mapping[str, Sequence[int]], class_index: int, score: Score
) -> NDArray[np.float64]:
    """Return the mean contributions in each case that any run tested: shape (cases, 3)."""
    per_case: dict[str, list[NDArray[np.float64]]] = {}
    for run in runs:
        values = run.every(class_index, score)  # (N, 3)
        for case_id, samples in cases.items():
            tested = np.isin(run.sample_index, samples)
            if tested.any():
                per_case.setdefault(case_id, []).append(values[tested].mean(axis=0))
    return np.array([np.mean(found, axis=0) for found in per_case.values()]).reshape(-1, len(SEQUENCES))


def _interval_of_mean(means: NDArray[np.float64], seed: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the 2.5th and the 97.5th percentile of the mean over rows drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, len(means), size=(DRAWS, len(means)))
    low, high = np.percentile(means[drawn].mean(axis=1), (2.5, 97.5), axis=0)
    return _floats(low), _floats(high)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _summary(values: NDArray[np.float64], class_name: str, score: Score) -> ContributionSpread:
    return ContributionSpread(
        class_name=class_name,
        score=score,
        n=len(values),
        mean=tuple(map(float, values.mean(axis=0))),
        sd=tuple(map(float, values.std(axis=0, ddof=1))) if len(values) > 1 else None,
        lowest=tuple(map(float, values.min(axis=0))),
        highest=tuple(map(float, values.max(axis=0))),
        mean_total=float(values.sum(axis=1).mean()),
    )
