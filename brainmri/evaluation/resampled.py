"""Corrected resampled t-test of Nadeau and Bengio, for every pair of models, with Holm's adjustment.

Repeated random splits of one data set share cases, in training as in testing, so that their differences are correlated
and the variance of a paired t-test is too small. With k splits and the sample variance s² of the differences, the
variance of the mean difference is taken as s² (1/k + n_test/n_train) in place of s²/k, with k − 1 degrees of freedom.

References
----------
Nadeau C, Bengio Y. Machine Learning 2003;52:239-281, doi:10.1023/A:1024068626366.
Holm S. Scandinavian Journal of Statistics 1979;6:65-70, https://www.jstor.org/stable/4615733.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.repeats import ROUNDING, Repeats

TEST_FRACTION: Final = 0.3
"""Share of the data that a split tests on where nobody says otherwise: the published study's 7:3."""


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Differences of two models over the splits that they share, and the standard error of their mean.

    Parameters
    ----------
    a, b : str
    n : int
        Splits that both have.
    difference : float or None
        Mean of a − b over these splits; None without any.
    error : float or None
        Corrected standard error; None where it cannot be computed.
    note : str or None
        Why there is none.
    """

    a: str
    b: str
    n: int
    difference: float | None
    error: float | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class CorrectedPair:
    """Corrected resampled t-test of two models.

    Parameters
    ----------
    a, b : str
    n : int
        Splits that both have.
    difference : float or None
        Mean of a − b over these splits, in the unit of the accuracies.
    lower, upper : float or None
        95 % interval of this pair alone, not adjusted for the number of pairs.
    t, p : float or None
        Two-sided, with n − 1 degrees of freedom.
    p_holm : float or None
        Adjusted for the number of pairs that could be tested.
    note : str or None
        Why it could not be tested.
    """

    a: str
    b: str
    n: int
    difference: float | None
    lower: float | None = None
    upper: float | None = None
    t: float | None = None
    p: float | None = None
    p_holm: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        keys = ("a", "b", "difference", "lower", "upper", "p", "p_holm")
        return {key: getattr(self, key) for key in keys}


def corrected_t(repeats: Repeats, *, test_fraction: float = TEST_FRACTION) -> tuple[CorrectedPair, ...]:
    """Test every pair of models over the splits that they share.

    Parameters
    ----------
    repeats : Repeats
    test_fraction : float
        n_test / (n_train + n_test), between 0 and 1.

    Raises
    ------
    EvaluationError
        Where the fraction is not between 0 and 1.
    """
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    pairs = []
    for paired in paired_differences(repeats, test_fraction=test_fraction):
        pair = CorrectedPair(a=paired.a, b=paired.b, n=paired.n, difference=paired.difference, note=paired.note)
        if paired.difference is not None and paired.error is not None:
            df, t = paired.n - 1, paired.difference / paired.error
            reach = float(special.stdtrit(df, (1 + CONFIDENCE) / 2)) * paired.error
            pair = replace(
                pair,
                lower=paired.difference - reach,
                upper=paired.difference + reach,
                t=t,
                p=float(2 * special.stdtr(df, -abs(t))),
            )
        pairs.append(pair)
    adjusted = holm([pair.p for pair in pairs])
    return tuple(replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True))


def paired_differences(repeats: Repeats, *, test_fraction: float) -> list[PairedDifference]:
    """Return the mean difference of every pair over its shared splits, with the corrected standard error."""
    check_test_fraction(test_fraction)
    return [_paired_difference(repeats, a, b, test_fraction) for a, b in repeats.pairs()]


def correction(splits: int, test_fraction: float) -> float:
    """Return 1/k + n_test/n_train, what the variance of differences is multiplied by for the variance of their mean."""
    return 1 / splits + test_fraction / (1 - test_fraction)


def check_test_fraction(test_fraction: float) -> None:
    """Refuse a share of test data that no split can have.

    Raises
    ------
    EvaluationError
    """
    if not 0 < test_fraction < 1:
        raise EvaluationError(
            f"The share of test data is {test_fraction:g}; expected n_test / (n_train + n_test), between 0 and 1, for "
            "example 0.3 for 7:3 splits."
        )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted by Holm's step-down method; None stays None and does not count."""
    tested = [place for place, p in enumerate(p_values) if p is not None]
    ordered = sorted(tested, key=lambda place: p_values[place] or 0.0)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - rank) * (p_values[place] or 0.0)))
        adjusted[place] = largest
    return adjusted


def _paired_difference(repeats: Repeats, a: str, b: str, test_fraction: float) -> PairedDifference:
    both = repeats.shared([a, b])
    n = len(both)
    if n == 0:
        return PairedDifference(
            a=a, b=b, n=0, difference=None, error=None, note=f"{a} and {b} share no split: no paired test of them."
        )
    differences = both[:, 0] - both[:, 1]
    paired = PairedDifference(a=a, b=b, n=n, difference=float(differences.mean()), error=None)
    obstacle = _obstacle(a, b, both, differences)
    if obstacle:
        return replace(paired, note=obstacle)
    variance = float(differences.var(ddof=1))
    return replace(paired, error=math.sqrt(variance * correction(n, test_fraction)))


def _obstacle(a: str, b: str, both: NDArray[np.float64], differences: NDArray[np.float64]) -> str | None:
    """Say why a pair cannot be tested, or return None."""
    if len(both) == 1:
        return f"{a} and {b} share one split only: a paired test needs two or more, better ten."
    rounding = 2 * ROUNDING * float(np.abs(both).max())
    if float(np.ptp(differences)) > rounding:
        return None
    if float(np.abs(differences).max()) <= rounding:
        return f"{a} and {b} have the same value on every shared split: no difference, and nothing to test."
    return (
        f"{a} and {b} differ by the same amount on every shared split: without any scatter of the difference there is "
        "no paired t-test."
    )
