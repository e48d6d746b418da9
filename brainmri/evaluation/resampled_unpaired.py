"""Difference of two means over random splits that are not the same: Welch's method with Nadeau and Bengio's variance.

The scatter of either side is multiplied by 1/k + n_test/n_train in place of 1/k, because its splits overlap. That both
sides may share cases is left out, which makes the interval too wide rather than too narrow.

References
----------
Nadeau C, Bengio Y. Machine Learning 2003;52:239-281, doi:10.1023/A:1024068626366.
Welch BL. Biometrika 1947;34:28-35, doi:10.1093/biomet/34.1-2.28.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.repeats import ROUNDING
from brainmri.evaluation.resampled import check_test_fraction, correction


@dataclass(frozen=True, kw_only=True)
class UnpairedDifference:
    """Difference a − b of two means.

    Parameters
    ----------
    n_a, n_b : int
        Repeats that have a value.
    difference : float or None
        None where a side has no value.
    lower, upper : float or None
        95 % interval.
    p : float or None
        Two-sided.
    note : str or None
        Why there is no interval.
    """

    n_a: int
    n_b: int
    difference: float | None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    note: str | None = None


def compare_unpaired(
    a: NDArray[np.float64], b: NDArray[np.float64], *, test_fractions: tuple[float, float]
) -> UnpairedDifference:
    """Compare the values of two experiments that do not share their splits.

    Parameters
    ----------
    a, b : ndarray, shape (k,), float64
        One value a repeat; not-a-number where there is none.
    test_fractions : pair of float
        n_test / (n_train + n_test) of either.

    Raises
    ------
    EvaluationError
        Where a fraction is not between 0 and 1.
    """
    for fraction in test_fractions:
        check_test_fraction(fraction)
    sides = [values[~np.isnan(values)] for values in (a, b)]
    n_a, n_b = (values.size for values in sides)
    if not (n_a and n_b):
        return UnpairedDifference(n_a=n_a, n_b=n_b, difference=None, note="One side has no value: no difference.")
    difference = float(sides[0].mean() - sides[1].mean())
    if min(n_a, n_b) < 2:
        note = "No interval over splits: it needs two repeats or more of either side."
        return UnpairedDifference(n_a=n_a, n_b=n_b, difference=difference, note=note)
    variances = [
        float(values.var(ddof=1)) * correction(values.size, fraction)
        for values, fraction in zip(sides, test_fractions, strict=True)
    ]
    total = sum(variances)
    if total <= (ROUNDING * max(float(np.abs(values).max()) for values in sides)) ** 2:
        note = "No interval over splits: neither side scatters between its repeats."
        return UnpairedDifference(n_a=n_a, n_b=n_b, difference=difference, note=note)
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    df = total**2 / sum(variance**2 / (values.size - 1) for variance, values in zip(variances, sides, strict=True))
    error = math.sqrt(total)
    reach = float(special.stdtrit(df, (1 + CONFIDENCE) / 2)) * error
    return UnpairedDifference(
        n_a=n_a,
        n_b=n_b,
        difference=difference,
        lower=difference - reach,
        upper=difference + reach,
        p=float(2 * special.stdtr(df, -abs(difference) / error)),
    )
