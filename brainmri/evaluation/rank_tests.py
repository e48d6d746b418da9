"""Comparisons by ranks: Kruskal-Wallis and Dunn for independent repeats, Friedman and Nemenyi for shared splits.

All correct for ties. Rank 1 is the smallest accuracy for Kruskal-Wallis and Dunn, and the best model of a split for
Friedman and Nemenyi, as each is published.

References
----------
Kruskal WH, Wallis WA. Journal of the American Statistical Association 1952;47:583-621, doi:10.2307/2280779.
Dunn OJ. Technometrics 1964;6:241-252, doi:10.1080/00401706.1964.10490181.
Friedman M. Journal of the American Statistical Association 1937;32:675-701, doi:10.2307/2279372.
Demšar J. Journal of Machine Learning Research 2006;7:1-30 (Friedman and Nemenyi for comparing classifiers).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.repeats import Repeats, is_constant, without_rounding
from brainmri.evaluation.resampled import holm
from brainmri.evaluation.studentized import range_p_values


@dataclass(frozen=True, kw_only=True)
class Kruskal:
    """Kruskal-Wallis test; numbers are None where it cannot be computed, and the note says why."""

    statistic: float | None
    df: int
    p: float | None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {"statistic": self.statistic, "df": self.df, "p": self.p}


@dataclass(frozen=True, kw_only=True)
class DunnPair:
    """Dunn's test of two models: z is above zero where a ranks higher (more accurate); p two-sided and after Holm."""

    a: str
    b: str
    z: float | None
    p: float | None
    p_holm: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        return {"a": self.a, "b": self.b, "z": self.z, "p": self.p, "p_holm": self.p_holm}


@dataclass(frozen=True, kw_only=True)
class Friedman:
    """Friedman's test over shared splits.

    Parameters
    ----------
    statistic, p : float or None
        Chi-squared with `df` degrees of freedom; None where it cannot be computed, and the note says why.
    df : int
    n : int
        Splits that all models have.
    mean_ranks : dict of str to float
        1 is the best; empty where no split is shared.
    critical_difference : float or None
        Mean ranks that differ by more are told apart by Nemenyi's test at 5 %.
    note : str or None
    """

    statistic: float | None
    df: int
    p: float | None
    n: int
    mean_ranks: dict[str, float] = field(default_factory=dict)
    critical_difference: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        keys = ("statistic", "df", "p", "n", "mean_ranks", "critical_difference")
        return {key: getattr(self, key) for key in keys}


@dataclass(frozen=True, kw_only=True)
class NemenyiPair:
    """Nemenyi's test of two models: mean rank of a minus that of b, below zero where a is the better one."""

    a: str
    b: str
    rank_difference: float | None
    p: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        return {"a": self.a, "b": self.b, "rank_difference": self.rank_difference, "p": self.p}


def kruskal(groups: Mapping[str, NDArray[np.float64]]) -> Kruskal:
    """Test whether some model's accuracies tend to be larger, taking the repeats for independent."""
    df = max(len(groups) - 1, 0)
    obstacle = _kruskal_obstacle(groups)
    if obstacle:
        return Kruskal(statistic=None, df=df, p=None, note=obstacle)
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    means, counts, variance = _mean_ranks(groups)
    total = counts.sum()
    statistic = float((counts * np.square(means - (total + 1) / 2)).sum()) / variance
    return Kruskal(statistic=statistic, df=df, p=float(special.chdtrc(df, statistic)))


def dunn(groups: Mapping[str, NDArray[np.float64]]) -> tuple[DunnPair, ...]:
    """Test every pair of models on the ranks of all of them; p is adjusted by Holm's method."""
    pairs = list(combinations(range(len(groups)), 2))
    models = list(groups)
    z: list[float | None] = [None] * len(pairs)
    if not _kruskal_obstacle(groups):
        means, counts, variance = _mean_ranks(groups)
        z = [float(means[i] - means[j]) / math.sqrt(variance * (1 / counts[i] + 1 / counts[j])) for i, j in pairs]
    p = [None if one is None else math.erfc(abs(one) / math.sqrt(2)) for one in z]
    return tuple(
        DunnPair(a=models[i], b=models[j], z=one, p=raw, p_holm=adjusted)
        for (i, j), one, raw, adjusted in zip(pairs, z, p, holm(p), strict=True)
    )


def friedman(repeats: Repeats) -> Friedman:
    """Test whether some model ranks better than another within the splits that all of them share."""
    models = list(repeats.groups)
    shared = without_rounding(repeats.shared(models)) if models else np.empty((0, 0))
    n, df = len(shared), max(len(models) - 1, 0)
    if len(models) < 2:
        return Friedman(statistic=None, df=df, p=None, n=n, note="Friedman's test needs two models or more.")
    if n < 2:
        return Friedman(
            statistic=None,
            df=df,
            p=None,
            n=n,
            note=f"Friedman's test needs two splits or more that all models share, better ten; there {_are(n)}.",
        )
    statistic = friedman_statistics(shared)
    ranks = best_first_ranks(shared).mean(axis=0)
    mean_ranks = {model: float(rank) for model, rank in zip(models, ranks, strict=True)}
    if math.isnan(statistic):
        return Friedman(
            statistic=None,
            df=df,
            p=None,
            n=n,
            mean_ranks=mean_ranks,
            note="All models tie on every shared split: Friedman's test has no ranks to compare.",
        )
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    return Friedman(
        statistic=float(statistic),
        df=df,
        p=float(special.chdtrc(df, statistic)),
        n=n,
        mean_ranks=mean_ranks,
        critical_difference=critical_difference(len(models), n),
    )


def nemenyi(result: Friedman) -> tuple[NemenyiPair, ...]:
    """Compare the mean ranks of every pair of models after Friedman's test."""
    ranks, k = result.mean_ranks, len(result.mean_ranks)
    pairs = list(combinations(ranks, 2))
    differences = np.array([ranks[a] - ranks[b] for a, b in pairs])
    p: list[float | None] = [None] * len(pairs)
    if result.statistic is not None:
        ranges = np.abs(differences) / _rank_error(k, result.n)
        p = [float(one) for one in range_p_values(ranges, k, math.inf)]
    return tuple(
        NemenyiPair(a=a, b=b, rank_difference=float(difference), p=one)
        for (a, b), difference, one in zip(pairs, differences, p, strict=True)
    )


def undecided_groups(result: Friedman) -> tuple[tuple[str, ...], ...]:
    """Return the models that Nemenyi's test does not tell apart, as a critical-difference diagram joins them.

    Returns
    -------
    tuple of tuple of str
        Neighbours by mean rank, the best first, whose ranks differ by no more than the critical difference; the largest
        such groups of two models or more. None where there is no critical difference.
    """
    if result.critical_difference is None:
        return ()
    reach = result.critical_difference
    order = sorted(result.mean_ranks, key=lambda model: result.mean_ranks[model])
    groups: list[tuple[str, ...]] = []
    for place, model in enumerate(order):
        near = tuple(one for one in order[place:] if result.mean_ranks[one] - result.mean_ranks[model] <= reach)
        if len(near) > 1 and not (groups and near[-1] == groups[-1][-1]):
            groups.append(near)
    return tuple(groups)


def best_first_ranks(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks within each row, 1 for the largest accuracy, ties shared; shape as given, (..., splits, models)."""
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.6 s, and pages import this module

    ranks: NDArray[np.float64] = rankdata(-accuracies, axis=-1)
    return ranks


def friedman_statistics(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Friedman's chi-squared, corrected for ties; not-a-number where every row is all ties.

    Parameters
    ----------
    accuracies : ndarray of float64, shape (..., splits, models)

    Returns
    -------
    ndarray of float64, shape (...)
    """
    ranks = best_first_ranks(accuracies)
    splits, models = ranks.shape[-2:]
    between = splits**2 * np.square(ranks.mean(axis=-2) - (models + 1) / 2).sum(axis=-1)
    # With ties the ranks of a row scatter less than 1, …, models do: their own sum of squares takes that in.
    within = np.square(ranks - (models + 1) / 2).sum(axis=(-2, -1)) / (models - 1)
    statistics: NDArray[np.float64] = np.where(within > 0, between / np.where(within > 0, within, 1.0), np.nan)
    return statistics


def critical_difference(models: int, splits: int) -> float:
    """Return by how much two mean ranks must differ for Nemenyi's test at 5 % (Demšar 2006, section 3.2.2)."""
    from scipy.stats import studentized_range  # noqa: PLC0415 - 0.6 s, and pages import this module

    return float(studentized_range.ppf(CONFIDENCE, models, math.inf)) * _rank_error(models, splits)


def _rank_error(models: int, splits: int) -> float:
    """Return what a difference of mean ranks is divided by for a studentized range."""
    return math.sqrt(models * (models + 1) / (12 * splits))


def _mean_ranks(
    groups: Mapping[str, NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return mean ranks and numbers of repeats by model, and the variance of all ranks, with their ties."""
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.6 s, and pages import this module

    ranks = rankdata(without_rounding(np.concatenate(list(groups.values()))))
    counts = np.array([numbers.size for numbers in groups.values()])
    means = np.array([part.mean() for part in np.split(ranks, np.cumsum(counts)[:-1])])
    return means, counts, float(ranks.var(ddof=1))


def _kruskal_obstacle(groups: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Say why the ranks of all repeats cannot be compared, or return None."""
    if len(groups) < 2:
        return "The Kruskal-Wallis test needs two models or more."
    if all(numbers.size == 1 for numbers in groups.values()):
        return "The Kruskal-Wallis test needs more than one repeat of a model."
    if is_constant(np.concatenate(list(groups.values()))):
        return "All values tie: the Kruskal-Wallis test has no ranks to compare."
    return None


def _are(count: int) -> str:
    return {0: "is none", 1: "is one"}.get(count, f"are {count}")
