"""Comparisons that let every model have a scatter of its own: Welch's analysis of variance and Games-Howell intervals.

References
----------
Welch BL. Biometrika 1951;38:330-336, doi:10.2307/2332579.
Games PA, Howell JF. Journal of Educational Statistics 1976;1:113-125, doi:10.3102/10769986001002113.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE, TukeyPair
from brainmri.evaluation.repeats import is_constant
from brainmri.evaluation.studentized import critical_ranges, range_p_values


@dataclass(frozen=True, kw_only=True)
class Welch:
    """Welch's one-way analysis of variance; numbers are None where it cannot be computed, and the note says why."""

    f: float | None
    df_between: int
    df_within: float | None
    p: float | None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {"F": self.f, "df_between": self.df_between, "df_within": self.df_within, "p": self.p}


def welch(groups: Mapping[str, NDArray[np.float64]]) -> Welch:
    """Test whether mean accuracies differ, without taking their variances for equal.

    Parameters
    ----------
    groups : mapping of str to ndarray of float64
        Accuracies of each model, finite.
    """
    obstacle = _obstacle(groups)
    if obstacle:
        return Welch(f=None, df_between=max(len(groups) - 1, 0), df_within=None, p=None, note=obstacle)
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    k = len(groups)
    counts = np.array([numbers.size for numbers in groups.values()], dtype=np.float64)
    centre = float(np.concatenate(list(groups.values())).mean())
    means = np.array([float((numbers - centre).mean()) for numbers in groups.values()])
    weights = counts / np.array([float(numbers.var(ddof=1)) for numbers in groups.values()])
    shares = weights / weights.sum()
    between = float((weights * np.square(means - float((shares * means).sum()))).sum()) / (k - 1)
    spread = float((np.square(1 - shares) / (counts - 1)).sum())
    f = between / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    df_within = (k**2 - 1) / (3 * spread)
    return Welch(f=f, df_between=k - 1, df_within=df_within, p=float(special.fdtrc(k - 1, df_within, f)))


def games_howell(groups: Mapping[str, NDArray[np.float64]]) -> tuple[TukeyPair, ...]:
    """Return every pair of models with simultaneous 95 % intervals and adjusted p, each pair by its own variances.

    Pairs in which a model has one repeat, or in which neither varies, have a difference only. Records are those of
    Tukey's pairs: they have the same fields and are drawn the same way.
    """
    pairs = list(combinations(groups, 2))
    differences = np.array([float(groups[a].mean() - groups[b].mean()) for a, b in pairs])
    testable = [place for place, (a, b) in enumerate(pairs) if _has_error(groups[a], groups[b])]
    lower, upper, p = (np.full(len(pairs), np.nan) for _ in range(3))
    if testable:
        k = sum(numbers.size > 1 for numbers in groups.values())
        errors, freedoms = (
            np.array(column)
            for column in zip(*(_error(groups[a], groups[b]) for a, b in (pairs[i] for i in testable)), strict=True)
        )
        reach = critical_ranges(CONFIDENCE, k, freedoms) * errors
        lower[testable], upper[testable] = differences[testable] - reach, differences[testable] + reach
        p[testable] = range_p_values(np.abs(differences[testable]) / errors, k, freedoms)
    return tuple(
        TukeyPair(
            a=a,
            b=b,
            difference=float(differences[i]),
            lower=_number(lower[i]),
            upper=_number(upper[i]),
            p=_number(p[i]),
        )
        for i, (a, b) in enumerate(pairs)
    )


def _error(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return what a difference is divided by for a studentized range, and Welch's degrees of freedom."""
    first, second = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    freedom = (first + second) ** 2 / (first**2 / (a.size - 1) + second**2 / (b.size - 1))
    return math.sqrt((first + second) / 2), freedom


def _has_error(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return min(a.size, b.size) > 1 and not (is_constant(a) and is_constant(b))


def _obstacle(groups: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Say why Welch's test cannot be computed, or return None."""
    if len(groups) < 2:
        return "Welch's test needs two models or more."
    single = [model for model, numbers in groups.items() if numbers.size == 1]
    if single:
        return f"Welch's test needs two repeats or more of every model; one repeat: {', '.join(single)}."
    constant = [model for model, numbers in groups.items() if is_constant(numbers)]
    if constant:
        return f"Welch's test weighs each model by its scatter; without any scatter: {', '.join(constant)}."
    return None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
