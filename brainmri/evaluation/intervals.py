"""Intervals of shares: Wilson's, for independent answers and for several answers on each patient.

References
----------
Wilson EB. J Am Stat Assoc 1927;22:209-212, doi:10.1080/01621459.1927.10502953.
Effective number of clustered answers: Korn EL, Graubard BI. Survey Methodology 1998;24:193-201; Kish L. Survey
Sampling. Wiley 1965, section 8.2 (design effect), 11.7 (unequal weights).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class ShareInterval:
    """A share with its Wilson interval.

    Parameters
    ----------
    share : float or None
        None where nothing was counted.
    lower, upper : float or None
    hits, n : int
    effective_n : float
        How many independent answers the n are worth; n itself where they are independent.
    """

    share: float | None
    lower: float | None
    upper: float | None
    hits: int
    n: int
    effective_n: float


def wilson_interval(hits: float, n: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Parameters
    ----------
    hits, n : float
        Hits among n answers; n need not be whole where it is an effective number.
    confidence : float

    Raises
    ------
    EvaluationError
        Where n is not positive, or hits are not between 0 and n.
    """
    if not (n > 0 and 0 <= hits <= n):
        raise EvaluationError(f"There is no share of {hits:g} in {n:g}: expected 0 ≤ hits ≤ n and n above 0.")
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    z = float(special.ndtri((1 + confidence) / 2))
    share, shrink = hits / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    reach = z / shrink * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if hits == 0 else max(centre - reach, 0.0)), (1.0 if hits == n else min(centre + reach, 1.0))


def share_interval(
    right: ArrayLike, patient: ArrayLike | None = None, *, confidence: float = CONFIDENCE
) -> ShareInterval:
    """Return the share of right answers with a Wilson interval.

    Answers on one patient resemble one another. With ``patient`` the interval is that of an effective number of
    answers: share · (1 − share) divided by the variance of the share over patients. It lies between the number of
    answers and what they would be worth if a patient's answers were all the same, which is also taken where every
    answer is right, or every one wrong, and the resemblance cannot be seen.

    Parameters
    ----------
    right : array_like, shape (n,), bool
    patient : array_like, shape (n,), optional
        The patient of each answer; without, answers are taken as independent.
    confidence : float
    """
    answers = np.asarray(right, dtype=bool)
    n, hits = answers.size, int(answers.sum())
    if n == 0:
        return ShareInterval(share=None, lower=None, upper=None, hits=0, n=0, effective_n=0.0)
    effective = float(n) if patient is None else _effective_number(answers, np.asarray(patient))
    lower, upper = wilson_interval(effective * hits / n, effective, confidence=confidence)
    return ShareInterval(share=hits / n, lower=lower, upper=upper, hits=hits, n=n, effective_n=effective)


def _effective_number(answers: NDArray[np.bool_], patient: NDArray[np.generic]) -> float:
    _, place = np.unique(patient, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    patients, n, share = sizes.size, answers.size, float(answers.mean())
    fewest = n * n / float((sizes**2).sum())
    if patients < 2 or share in (0.0, 1.0):
        return fewest
    residuals = np.bincount(place, weights=answers) - share * sizes
    variance = patients / (patients - 1) * float((residuals**2).sum()) / (n * n)
    if variance == 0:
        return float(n)
    return min(max(share * (1 - share) / variance, fewest), float(n))
