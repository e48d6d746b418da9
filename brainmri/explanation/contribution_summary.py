"""Contributions of sequences over repeats and over cases: their mean and how far they lie apart. Without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.contributions import RunContributions, Score, SequenceContributions


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
    per_case: dict[str, list[NDArray[np.float64]]] = {}
    for run in runs:
        values = run.every(class_index, score)  # (N, 3)
        for case_id, samples in cases.items():
            tested = np.isin(run.sample_index, samples)
            if tested.any():
                per_case.setdefault(case_id, []).append(values[tested].mean(axis=0))
    if not per_case:
        return None
    means = np.array([np.mean(found, axis=0) for found in per_case.values()])  # (cases, 3)
    return _summary(means, runs[0].classes[class_index], score)


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
