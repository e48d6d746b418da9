"""Critical values and p-values of the studentized range, for several degrees of freedom at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 12
_NODES: Final = 64
_REACH: Final = 8.5
"""Standard deviations beyond which no mean is looked for."""

_TOLERANCE: Final = 1e-10
"""Of the logarithm of the tail; the critical value is then right to about as many digits."""


def range_p_values(
    ranges: NDArray[np.float64], groups: int, freedoms: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the probability of a larger studentized range of this many means."""
    from scipy.stats import studentized_range  # noqa: PLC0415 - 0.6 s, and pages import this module

    p: NDArray[np.float64] = np.clip(studentized_range.sf(ranges, groups, freedoms), 0.0, 1.0)
    return p


def critical_ranges(confidence: float, groups: int, freedoms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the studentized range that is exceeded with probability 1 − confidence.

    Secant steps between logarithms of range and tail, for all degrees of freedom at once, first on a quick tail, then
    on scipy's, until it is met; scipy's own quantile takes 0.1 s for each, and stands in where the steps do not arrive.

    Parameters
    ----------
    confidence : float
        Between 0 and 1.
    groups : int
        Means that are compared, 2 or more.
    freedoms : ndarray of float64
        Degrees of freedom, positive and finite.
    """
    return np.array(_solve(confidence, groups, tuple(map(float, freedoms))))


@lru_cache(maxsize=256)
def _solve(confidence: float, groups: int, several: tuple[float, ...]) -> tuple[float, ...]:
    """Return critical ranges, remembered: pages ask again for the same degrees of freedom."""
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages
    from scipy.stats import studentized_range  # noqa: PLC0415

    def excess(tails: NDArray[np.float64]) -> NDArray[np.float64]:
        difference: NDArray[np.float64] = np.log(np.maximum(tails, np.finfo(np.float64).tiny) / (1 - confidence))
        return difference

    freedoms = np.array(several)
    pairs = groups * (groups - 1) / 2  # Bonferroni's bound over the pairs is a little too large
    bound = np.log(np.sqrt(2.0) * -special.stdtrit(freedoms, (1 - confidence) / 2 / pairs))
    near, _ = _secant(lambda logs: excess(_quick_tails(np.exp(logs), groups, freedoms)), bound - 0.02, bound)
    near = np.where(np.isfinite(near), near, bound)
    logs, over = _secant(lambda logs: excess(range_p_values(np.exp(logs), groups, freedoms)), near, None)
    critical: NDArray[np.float64] = np.exp(logs)
    missed = ~(np.abs(over) <= 100 * _TOLERANCE)
    if missed.any():
        critical[missed] = studentized_range.ppf(confidence, groups, freedoms[missed])
    return tuple(critical.tolist())


def _secant(
    excess: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    left: NDArray[np.float64],
    right: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where functions that fall with a slope of about −1 or less cross zero, and what is left of them there.

    Without a second point, the first one may do already.
    """
    over_left = excess(left)
    if right is None:
        if np.abs(over_left).max(initial=0.0) < _TOLERANCE:
            return left, over_left
        right = left + np.clip(over_left, -1.0, 1.0)
    over_right = excess(right)
    for _ in range(_STEPS):
        if np.abs(over_right).max(initial=0.0) < _TOLERANCE:
            break
        change = np.where(over_right == over_left, 1.0, over_right - over_left)
        step = np.where(over_right == over_left, 0.0, over_right * (right - left) / change)
        left, over_left = right, over_right
        right = right - np.clip(step, -1.0, 1.0)
        over_right = excess(right)
    return right, over_right


def _quick_tails(ranges: NDArray[np.float64], groups: int, freedoms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of a larger studentized range, by quadrature over pooled deviation and largest mean.

    Right to nine digits or more for 2 to 1,000 degrees of freedom, a start for the rest.
    """
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    points, weights = _quadrature()
    half = freedoms[:, None] / 2
    low, high = (np.sqrt(special.chdtri(freedoms, tail) / freedoms)[:, None] for tail in (1 - 1e-14, 1e-16))
    deviation = np.maximum(low + (high - low) * (points + 1) / 2, 1e-300)
    density = np.exp(
        np.log(2)
        + half * np.log(half)
        - special.gammaln(half)
        + (2 * half - 1) * np.log(deviation)
        - half * np.square(deviation)
    )
    largest = _REACH * points
    of_largest = weights * _REACH * groups * np.exp(-np.square(largest) / 2) / np.sqrt(2 * np.pi)
    widths = (ranges[:, None] * deviation)[..., None]
    within = ((special.ndtr(largest) - special.ndtr(largest - widths)) ** (groups - 1)) @ of_largest
    tails: NDArray[np.float64] = 1 - (weights * density * within).sum(axis=1) * (high - low)[:, 0] / 2
    return tails


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    return points, weights
