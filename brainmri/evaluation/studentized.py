"""Critical values and p-values of the studentized range, for several degrees of freedom at once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 12
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

    Secant steps between logarithms of range and tail, for all degrees of freedom at once: scipy's own quantile takes
    0.1 s for each, and stands in where the steps do not arrive.

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

    def excess(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
        tails = np.maximum(range_p_values(np.exp(logarithms), groups, freedoms), np.finfo(np.float64).tiny)
        difference: NDArray[np.float64] = np.log(tails / (1 - confidence))
        return difference

    freedoms = np.array(several)
    pairs = groups * (groups - 1) / 2  # Bonferroni's bound over the pairs is a little too large
    right = np.log(np.sqrt(2.0) * -special.stdtrit(freedoms, (1 - confidence) / 2 / pairs))
    left = right - 0.02
    over_left, over_right = excess(left), excess(right)
    for _ in range(_STEPS):
        if np.abs(over_right).max(initial=0.0) < _TOLERANCE:
            break
        change = np.where(over_right == over_left, 1.0, over_right - over_left)
        step = np.where(over_right == over_left, 0.0, over_right * (right - left) / change)
        left, over_left = right, over_right
        right = right - np.clip(step, -1.0, 1.0)
        over_right = excess(right)
    critical: NDArray[np.float64] = np.exp(right)
    missed = np.abs(over_right) > 100 * _TOLERANCE
    if missed.any():
        critical[missed] = studentized_range.ppf(confidence, groups, freedoms[missed])
    return tuple(critical.tolist())
