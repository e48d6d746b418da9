"""How large differences are against the scatter between repeats: η², ω² and Hedges' g, with 95 % intervals.

Intervals take the repeats for independent, normal and equally scattered, as the analysis of variance does: over
overlapping splits they are too narrow. The scatter is that between repeats, not that between patients.

References
----------
Interval of η² from the noncentral F distribution, λ / (λ + N): Steiger JH. Psychological Methods 2004;9:164-182,
doi:10.1037/1082-989X.9.2.164.
Hedges' g with its exact factor for bias: Hedges LV. Journal of Educational Statistics 1981;6:107-128,
doi:10.3102/10769986006002107.
Interval of the standardized difference from the noncentral t distribution: Cumming G, Finch S. Educational and
Psychological Measurement 2001;61:532-574, doi:10.1177/0013164401614002.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.repeats import is_constant

_TAILS: Final = ((1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2)
_DOUBLINGS: Final = 60

_LARGE_F: Final = 1e6
"""Beyond it the scatter of the means no longer counts beside that of the pooled variance: limits come from its
chi-squared distribution alone, right to about five digits."""

_NODES: Final = 200
"""Points of the quadrature over the pooled standard deviation."""


@dataclass(frozen=True, kw_only=True)
class HedgesPair:
    """Standardized difference of two models, mean(a) − mean(b) over their pooled standard deviation.

    Parameters
    ----------
    a, b : str
    g : float or None
        Freed from the bias of small samples; None where the two do not vary or have fewer than four repeats together.
    lower, upper : float or None
        95 % interval of the population's standardized difference. It belongs to this pair alone, and g is not in its
        middle.
    """

    a: str
    b: str
    g: float | None
    lower: float | None
    upper: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        return {"a": self.a, "b": self.b, "g": self.g, "lower": self.lower, "upper": self.upper}


@dataclass(frozen=True, kw_only=True)
class EffectSizes:
    """Effect sizes of the one-way layout; numbers are None where they cannot be computed, and the note says why.

    Parameters
    ----------
    eta_squared : float or None
        Share of the accuracies' sum of squares that lies between the models; too large for few repeats.
    eta_squared_lower, eta_squared_upper : float or None
        95 % interval of the population's share. Two-sided: it can reach zero although p is a little below 0.05.
    omega_squared : float or None
        The same share with most of the bias taken out; below zero where the models differ less than scatter alone
        would make them.
    hedges_g : tuple of HedgesPair
        Every pair of models, the earlier one first.
    note : str or None
    """

    eta_squared: float | None
    eta_squared_lower: float | None
    eta_squared_upper: float | None
    omega_squared: float | None
    hedges_g: tuple[HedgesPair, ...]
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        keys = ("eta_squared", "eta_squared_lower", "eta_squared_upper", "omega_squared")
        return {**{key: getattr(self, key) for key in keys}, "hedges_g": [pair.to_json() for pair in self.hedges_g]}


def effect_sizes(groups: Mapping[str, NDArray[np.float64]]) -> EffectSizes:
    """Return the effect sizes of models by their accuracies over repeats, finite."""
    pairs = tuple(hedges_g(a, b, groups[a], groups[b]) for a, b in combinations(groups, 2))
    obstacle = _obstacle(groups)
    if obstacle:
        return EffectSizes(
            eta_squared=None,
            eta_squared_lower=None,
            eta_squared_upper=None,
            omega_squared=None,
            hedges_g=pairs,
            note=obstacle,
        )
    everything = np.concatenate(list(groups.values()))
    centre = float(everything.mean())
    within = sum(float(np.square(numbers - numbers.mean()).sum()) for numbers in groups.values())
    between = sum(numbers.size * float((numbers - centre).mean()) ** 2 for numbers in groups.values())
    n, df_between = everything.size, len(groups) - 1
    df_within = n - len(groups)
    error = within / df_within
    lower, upper = eta_squared_interval(between / df_between / error, df_between, df_within, n)
    return EffectSizes(
        eta_squared=between / (between + within),
        eta_squared_lower=lower,
        eta_squared_upper=upper,
        omega_squared=(between - df_between * error) / (between + within + error),
        hedges_g=pairs,
    )


def eta_squared_interval(f: float, df_between: int, df_within: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the population's η² from the noncentral F distribution.

    Parameters
    ----------
    f : float
        Of the one-way analysis of variance.
    df_between, df_within : int
    n : int
        Repeats of all models together.
    """
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    def probability(noncentrality: float) -> float:
        return float(special.ncfdtr(df_between, df_within, noncentrality, f))

    limits = []
    for tail in _TAILS:
        if f * df_between > _LARGE_F:
            limits.append(f * df_between * float(special.chdtri(df_within, tail)) / df_within)
        elif probability(0.0) <= tail:
            limits.append(0.0)
        else:
            limits.append(_solve(probability, tail, 0.0, max(1.0, f * df_between)))
    lower, upper = (limit / (limit + n) for limit in limits)
    return lower, upper


def hedges_g(a: str, b: str, first: NDArray[np.float64], second: NDArray[np.float64]) -> HedgesPair:
    """Return Hedges' g of two models with its 95 % interval."""
    df = first.size + second.size - 2
    if df < 2 or (is_constant(first) and is_constant(second)):
        return HedgesPair(a=a, b=b, g=None, lower=None, upper=None)
    squares = sum(float(np.square(numbers - numbers.mean()).sum()) for numbers in (first, second))
    d = float(first.mean() - second.mean()) / math.sqrt(squares / df)
    scale = math.sqrt(1 / first.size + 1 / second.size)
    lower, upper = standardized_interval(d / scale, df, scale)
    return HedgesPair(a=a, b=b, g=d * bias_factor(df), lower=lower, upper=upper)


def bias_factor(df: int) -> float:
    """Return what a standardized difference is multiplied by to be unbiased, for two degrees of freedom or more."""
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)


def standardized_interval(t: float, df: int, scale: float) -> tuple[float, float]:
    """Return the 95 % interval of a standardized difference from the noncentral t distribution.

    Parameters
    ----------
    t : float
        Of the two-sample t-test with equal variances.
    df : int
    scale : float
        √(1/n₁ + 1/n₂).
    """
    sign, t = (-1.0, -t) if t < 0 else (1.0, t)
    reach = 4 * math.sqrt(1 + t**2 / (2 * df))
    limits = [
        sign * scale * _solve(lambda value: noncentral_t(t, df, value), tail, t - reach, t + reach) for tail in _TAILS
    ]
    return min(limits), max(limits)


def noncentral_t(t: float, df: int, noncentrality: float) -> float:
    """Return the probability of a noncentral t up to t, for t zero or more.

    The normal distribution is averaged over the pooled standard deviation by quadrature. scipy's own function gives up
    for some noncentralities above 30 that occur here.
    """
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    low, high = (math.sqrt(float(special.chdtri(df, tail)) / df) for tail in (1 - 1e-15, 1e-16))
    if t > 0:  # outside of this window the normal distribution is 0 or 1
        low, high = (min(max((noncentrality + side) / t, low), high) for side in (-9, 9))
    above = float(special.chdtrc(df, df * high**2))
    points, weights = _quadrature()
    s = low + (high - low) * (points + 1) / 2
    constant = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
    density = np.exp(constant + (df - 1) * np.log(np.maximum(s, 1e-300)) - df * np.square(s) / 2)
    inside = float((weights * special.ndtr(t * s - noncentrality) * density).sum()) * (high - low) / 2
    return (above if t > 0 else 0.0) + inside


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    return points, weights


def _solve(probability: Callable[[float], float], tail: float, low: float, high: float) -> float:
    """Return where a probability that falls with its argument crosses the tail, near the range given."""
    from scipy.optimize import brentq  # noqa: PLC0415 - keeps the import of this module cheap for pages

    for _ in range(_DOUBLINGS):
        width = high - low
        if probability(low) >= tail >= probability(high):
            break
        low, high = (low - width, high) if probability(low) < tail else (low, high + width)
    return float(brentq(lambda value: probability(value) - tail, low, high, xtol=1e-12 * max(1.0, width)))


def _obstacle(groups: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Say why there are no effect sizes of the one-way layout, or return None."""
    if len(groups) < 2:
        return "Effect sizes need two models or more."
    if all(is_constant(numbers) for numbers in groups.values()):
        return "Effect sizes measure differences by the scatter between repeats, and there is none."
    return None
