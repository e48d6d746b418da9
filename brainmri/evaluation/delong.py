"""Areas under ROC curves with their covariance: intervals and tests of two or more architectures on the same cases.

The area is the share of pairs of a positive and a negative in the right order (ties half). Each positive is credited
with its share of negatives, each negative with its share of positives; the variances of these credits give that of the
area (DeLong). Where a patient has several images, credits are summed for each patient first (Obuchowski).

References
----------
DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845, doi:10.2307/2531595.
Clustered data: Obuchowski NA. Biometrics 1997;53:567-578, doi:10.2307/2533958.
Interval on the logit scale: Pepe MS. The Statistical Evaluation of Medical Tests. Oxford 2003, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.consensus import Consensus
from brainmri.evaluation.resampled import holm

ROUNDING: Final = 1e-12
"""Variances below this are differences of rounding."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """Area under the ROC curve of one architecture.

    Parameters
    ----------
    name : str
    auc : float or None
        None where there are no positives or no negatives.
    standard_error : float or None
    lower, upper : float or None
        On the logit scale, so that they stay between 0 and 1.
    note : str or None
    """

    name: str
    auc: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class AreaDifference:
    """DeLong's test of two areas on the same cases.

    Parameters
    ----------
    a, b : str
    difference : float or None
        Area of a − b.
    standard_error, lower, upper : float or None
    z, p : float or None
        Two-sided.
    p_holm : float or None
        Adjusted for the number of pairs.
    note : str or None
    """

    a: str
    b: str
    difference: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    z: float | None = None
    p: float | None = None
    p_holm: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class AreaComparison:
    """Areas of several architectures on the same cases.

    Parameters
    ----------
    positives, negatives : int
    patients : int or None
        Where the variance is that of clustered data.
    areas : tuple of Area
    pairs : tuple of AreaDifference
    chi_square, df, p : float, int, float or None
        Test that all areas are equal.
    """

    positives: int
    negatives: int
    patients: int | None
    areas: tuple[Area, ...]
    pairs: tuple[AreaDifference, ...]
    chi_square: float | None = None
    df: int | None = None
    p: float | None = None


def compare_consensus_areas(consensus: Consensus, class_index: int) -> AreaComparison:
    """Compare the areas of one class against the rest, on cases, or on images clustered by patient.

    Raises
    ------
    EvaluationError
        Where there is no such class.
    """
    if not 0 <= class_index < len(consensus.classes):
        raise EvaluationError(
            f"There is no class {class_index}: the data set has {len(consensus.classes)}, counted from 0."
        )
    return compare_areas(
        consensus.true_class == class_index,
        consensus.probabilities[:, :, class_index],
        names=consensus.architectures,
        patient=consensus.case if consensus.level == "image" else None,
    )


def compare_areas(
    positive: ArrayLike,
    scores: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    patient: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> AreaComparison:
    """Compare areas under ROC curves by DeLong's method.

    Parameters
    ----------
    positive : array_like, shape (n,), bool
    scores : array_like, shape (A, n)
        Of each architecture; a higher one speaks for a positive.
    names : sequence of str, optional
        One an architecture.
    patient : array_like, shape (n,), optional
        The patient of each score, where patients have several: variances are then Obuchowski's.
    confidence : float

    Raises
    ------
    EvaluationError
        Where the shapes do not fit, or a score is not a number.
    """
    is_positive = np.asarray(positive, dtype=bool)
    table = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    named = tuple(names) if names is not None else tuple(str(i + 1) for i in range(len(table)))
    if table.shape != (len(named), is_positive.size) or np.isnan(table).any():
        raise EvaluationError(
            f"The scores have the shape {table.shape}; expected {(len(named), is_positive.size)}, one row a name and "
            "one number a case."
        )
    cluster = np.arange(is_positive.size) if patient is None else np.asarray(patient)
    found = AreaComparison(
        positives=int(is_positive.sum()),
        negatives=int((~is_positive).sum()),
        patients=None if patient is None else int(np.unique(cluster).size),
        areas=(),
        pairs=(),
    )
    if not found.positives or not found.negatives:
        lack = "positives" if not found.positives else "negatives"
        note = f"There are no {lack} among the {is_positive.size} cases: there is no ROC curve."
        areas = tuple(Area(name=name, auc=None, note=note) for name in named)
        pairs = tuple(AreaDifference(a=a, b=b, difference=None, note=note) for a, b in combinations(named, 2))
        return replace(found, areas=areas, pairs=pairs)
    auc, covariance = areas_with_covariance(is_positive, table, cluster)
    pairs = tuple(
        _difference(named, auc, covariance, first, second, confidence)
        for first, second in combinations(range(len(named)), 2)
    )
    adjusted = holm([pair.p for pair in pairs])
    found = replace(
        found,
        areas=tuple(_area(*one, confidence) for one in zip(named, auc, np.diag(covariance), strict=True)),
        pairs=tuple(replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)),
    )
    return _test_all(found, auc, covariance)


def areas_with_covariance(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], patient: NDArray[np.generic]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return areas and their covariance matrix.

    Parameters
    ----------
    positive : ndarray, shape (n,), bool
        With at least one positive and one negative.
    scores : ndarray, shape (A, n)
    patient : ndarray, shape (n,)

    Returns
    -------
    auc : ndarray, shape (A,)
    covariance : ndarray, shape (A, A)
        Not-a-number where all positives, or all negatives, are of one patient.
    """
    high, low = scores[:, positive], scores[:, ~positive]
    of_high = np.stack([_share_below(np.sort(b), a) for a, b in zip(high, low, strict=True)])
    of_low = np.stack([1 - _share_below(np.sort(a), b) for a, b in zip(high, low, strict=True)])
    auc = of_high.mean(axis=1)
    _, place = np.unique(patient, return_inverse=True)
    patients = int(place.max()) + 1
    excess_high = _sum_by_patient(of_high - auc[:, None], place[positive], patients)
    excess_low = _sum_by_patient(of_low - auc[:, None], place[~positive], patients)
    with_high, with_low = np.unique(place[positive]).size, np.unique(place[~positive]).size
    m, n = high.shape[1], low.shape[1]
    cross = excess_high @ excess_low.T
    covariance = (
        _inflation(with_high) * excess_high @ excess_high.T / m**2
        + _inflation(with_low) * excess_low @ excess_low.T / n**2
        + (_inflation(patients) * (cross + cross.T) / (m * n) if np.any(cross) else 0.0)
    )
    return auc, covariance


def _share_below(ordered: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each value the share of sorted numbers below it, equal ones counted half."""
    twice = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return np.asarray(twice / (2 * ordered.size))


def _sum_by_patient(rows: NDArray[np.float64], place: NDArray[np.intp], patients: int) -> NDArray[np.float64]:
    return np.stack([np.bincount(place, weights=row, minlength=patients) for row in rows])


def _inflation(count: int) -> float:
    return count / (count - 1) if count > 1 else math.nan


def _area(name: str, auc: float, variance: float, confidence: float) -> Area:
    found = Area(name=name, auc=float(auc))
    if math.isnan(variance):
        return replace(found, note="All positives, or all negatives, are of one patient: there is no interval.")
    found = replace(found, standard_error=math.sqrt(max(variance, 0.0)))
    if auc in (0.0, 1.0) or variance <= ROUNDING:
        order = {0.0: "in the wrong order", 1.0: "in the right order"}.get(float(auc), "credited alike")
        return replace(found, note=f"All pairs are {order}: there is no interval by this method.")
    centre = math.log(auc / (1 - auc))
    reach = _normal_quantile(confidence) * math.sqrt(variance) / (auc * (1 - auc))
    return replace(found, lower=_logistic(centre - reach), upper=_logistic(centre + reach))


def _difference(
    names: Sequence[str],
    auc: NDArray[np.float64],
    covariance: NDArray[np.float64],
    first: int,
    second: int,
    confidence: float,
) -> AreaDifference:
    difference = float(auc[first] - auc[second])
    found = AreaDifference(a=names[first], b=names[second], difference=difference)
    variance = float(covariance[first, first] + covariance[second, second] - 2 * covariance[first, second])
    if math.isnan(variance):
        return replace(found, note="All positives, or all negatives, are of one patient: there is no test.")
    if variance <= ROUNDING:
        return replace(
            found, note=f"{found.a} and {found.b} put all pairs in the same order: there is nothing to test."
        )
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    error = math.sqrt(variance)
    reach = _normal_quantile(confidence) * error
    z = difference / error
    return replace(
        found,
        standard_error=error,
        lower=difference - reach,
        upper=difference + reach,
        z=z,
        p=float(2 * special.ndtr(-abs(z))),
    )


def _test_all(found: AreaComparison, auc: NDArray[np.float64], covariance: NDArray[np.float64]) -> AreaComparison:
    """Test that all areas are equal, by the differences from the last one."""
    if len(auc) < 2 or np.isnan(covariance).any():
        return found
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    contrast = np.hstack([np.eye(len(auc) - 1), -np.ones((len(auc) - 1, 1))])
    spread = contrast @ covariance @ contrast.T
    df = int(np.linalg.matrix_rank(spread, tol=ROUNDING, hermitian=True))
    if df == 0:
        return found
    differences = contrast @ auc
    chi_square = float(differences @ np.linalg.pinv(spread, rcond=1e-9, hermitian=True) @ differences)
    return replace(found, chi_square=chi_square, df=df, p=float(special.chdtrc(df, chi_square)))


def _normal_quantile(confidence: float) -> float:
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    return float(special.ndtri((1 + confidence) / 2))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
