"""Multi-reader multi-case analysis of two ways of reading: the Obuchowski-Rockette analysis of variance.

Every reader reads every case both ways. The area under the ROC curve (empirical, ties half) of each reader and way is
taken as a sum of the way, the reader, their interaction and an error, whose errors correlate because the cases are the
same. Covariances of the errors come from the jackknife over cases; degrees of freedom are those of Hillis. The result
applies to readers and cases like these (both random); that for these very readers is given beside it.

References
----------
Obuchowski NA, Rockette HE. Commun Stat Simul Comput 1995;24:285-308, doi:10.1080/03610919508813243.
Hillis SL, Obuchowski NA, Schartz KM, Berbaum KS. Stat Med 2005;24:1579-1607, doi:10.1002/sim.2024.
Degrees of freedom: Hillis SL. Stat Med 2007;26:596-619, doi:10.1002/sim.2532.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.delong import ROUNDING

FEWEST_OF_A_KIND: Final = 2
"""Cases with and without a diagnosis that the jackknife needs at least."""


@dataclass(frozen=True, kw_only=True)
class MeanArea:
    """Area under the ROC curve averaged over the readers, with its interval for readers and cases like these.

    Parameters
    ----------
    auc : float
    standard_error, df, lower, upper : float or None
        None with one reader, or where nothing varies. The interval is cut to 0 to 1.
    """

    auc: float
    standard_error: float | None = None
    df: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class AreaChange:
    """Difference of two mean areas with its test.

    Parameters
    ----------
    difference : float
        Second way minus first.
    standard_error, df, lower, upper, p : float or None
        From Student's t; df is infinite for the readers at hand, where it is the normal distribution.
    """

    difference: float
    standard_error: float | None = None
    df: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ObuchowskiRockette:
    """Result of the analysis of two ways of reading.

    Parameters
    ----------
    areas : ndarray, shape (2, R)
        Of each way and reader.
    means : tuple of MeanArea
        Of the two ways; each from its own data only.
    change : AreaChange
        For readers and cases like these.
    change_of_these : AreaChange
        For these readers, on cases like these.
    mean_square_way, mean_square_interaction : float or None
        MS(T) and MS(T*R); None with one reader.
    variance, covariance_ways, covariance_readers, covariance_both : float or None
        Of the error: its variance, and Cov1 (one reader, two ways), Cov2 (two readers, one way), Cov3 (neither the
        same); None where there is no such pair.
    note : str or None
        Why there is no test.
    """

    areas: NDArray[np.float64]
    means: tuple[MeanArea, MeanArea]
    change: AreaChange
    change_of_these: AreaChange
    mean_square_way: float | None
    mean_square_interaction: float | None
    variance: float
    covariance_ways: float
    covariance_readers: float | None
    covariance_both: float | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Covariances:
    variance: float
    ways: float
    readers: float
    both: float
    readers_by_way: tuple[float, float]


def analyse_two_ways(truth: NDArray[np.intp], scores: NDArray[np.float64]) -> ObuchowskiRockette:
    """Compare two ways of reading the same cases by the same readers.

    Parameters
    ----------
    truth : ndarray, shape (C,), int
        Class of each case, 0 to K − 1; each with two cases at least.
    scores : ndarray, shape (2, R, C, K)
        Of each way, reader, case and class; a higher one speaks for the class. The area is the mean over the classes,
        each against the rest. For one diagnosis against the rest see `analyse_one_class`.

    Raises
    ------
    EvaluationError
        Where the shapes do not fit, a score is missing, or a class has fewer than two cases or all but one of them.
    """
    _check(truth, scores)
    classes = scores.shape[-1]
    found = [areas_with_left_out(truth == one, scores[..., one]) for one in range(classes)]
    return _analyse(
        np.asarray(np.mean([area for area, _ in found], axis=0)),
        np.asarray(np.mean([left_out for _, left_out in found], axis=0)),
    )


def analyse_one_class(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> ObuchowskiRockette:
    """Compare two ways of reading for one diagnosis against the rest.

    Parameters
    ----------
    positive : ndarray, shape (C,), bool
    scores : ndarray, shape (2, R, C)

    Raises
    ------
    EvaluationError
        As `analyse_two_ways`.
    """
    _check(positive.astype(np.intp), np.stack([-scores, scores], axis=-1))
    return _analyse(*areas_with_left_out(positive, scores))


def areas_with_left_out(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return areas under ROC curves, and what they are without each case.

    Parameters
    ----------
    positive : ndarray, shape (C,), bool
        Two positives and two negatives at least.
    scores : ndarray, shape (..., C)

    Returns
    -------
    area : ndarray, shape (...)
    left_out : ndarray, shape (..., C)
    """
    high, low = scores[..., positive], scores[..., ~positive]
    order = (high[..., :, None] > low[..., None, :]) + 0.5 * (high[..., :, None] == low[..., None, :])
    area = order.mean(axis=(-2, -1))
    left_out = np.empty(scores.shape)
    for part, credit in ((positive, order.mean(axis=-1)), (~positive, order.mean(axis=-2))):
        count = int(part.sum())
        left_out[..., part] = (count * area[..., None] - credit) / (count - 1)
    return area, left_out


def _check(truth: NDArray[np.intp], scores: NDArray[np.float64]) -> None:
    if scores.ndim != 4 or scores.shape[0] != 2 or scores.shape[1] < 1 or scores.shape[2] != truth.size:
        raise EvaluationError(
            f"The scores have the shape {scores.shape}; expected two ways, one reader or more, {truth.size} cases, and "
            "the classes."
        )
    if np.isnan(scores).any():
        raise EvaluationError("A score is missing: the analysis needs one of each reader, way and case.")
    counts = np.bincount(truth, minlength=scores.shape[-1])
    if counts.min() < FEWEST_OF_A_KIND or truth.size - counts.max() < FEWEST_OF_A_KIND:
        raise EvaluationError(
            f"The classes have {counts.tolist()} cases; the analysis needs {FEWEST_OF_A_KIND} of each at least."
        )


def _analyse(areas: NDArray[np.float64], left_out: NDArray[np.float64]) -> ObuchowskiRockette:
    readers = areas.shape[1]
    spread = _covariances(left_out)
    means = areas.mean(axis=1)
    difference = float(means[1] - means[0])
    several = readers > 1
    ms_way, ms_interaction = _mean_squares(areas) if several else (None, None)
    change, note = AreaChange(difference=difference), None
    if ms_interaction is None:
        note = "There is one reader: nothing can be said about other readers."
    else:
        change = _change(difference, ms_interaction, readers, spread)
        if change.p is None:
            note = "Neither the readers' areas nor those without a case differ: there is nothing to test."
    return ObuchowskiRockette(
        areas=areas,
        means=(_mean_area(areas[0], spread.readers_by_way[0]), _mean_area(areas[1], spread.readers_by_way[1])),
        change=change,
        change_of_these=_change_of_these(difference, readers, spread),
        mean_square_way=ms_way,
        mean_square_interaction=ms_interaction,
        variance=spread.variance,
        covariance_ways=spread.ways,
        covariance_readers=spread.readers if several else None,
        covariance_both=spread.both if several else None,
        note=note,
    )


def _covariances(left_out: NDArray[np.float64]) -> _Covariances:
    """Return the jackknife's mean (co)variances of the errors, from (2, R, C) areas without each case."""
    ways, readers, cases = left_out.shape
    rows = left_out.reshape(ways * readers, cases)
    centred = rows - rows.mean(axis=1, keepdims=True)
    table = ((cases - 1) / cases * centred @ centred.T).reshape(ways, readers, ways, readers)
    same, other = np.eye(readers, dtype=bool), ~np.eye(readers, dtype=bool)
    within = (table[0, :, 0], table[1, :, 1])

    def mean(values: NDArray[np.float64]) -> float:
        return float(values.mean()) if values.size else 0.0

    by_way = (mean(within[0][other]), mean(within[1][other]))
    return _Covariances(
        variance=mean(np.concatenate([block[same] for block in within])),
        ways=mean(table[0, :, 1][same]),
        readers=sum(by_way) / 2,
        both=mean(table[0, :, 1][other]),
        readers_by_way=by_way,
    )


def _mean_squares(areas: NDArray[np.float64]) -> tuple[float, float]:
    """Return MS(T) and MS(T*R) of areas (2, R)."""
    readers = areas.shape[1]
    by_way, by_reader, grand = areas.mean(axis=1), areas.mean(axis=0), areas.mean()
    residual = areas - by_way[:, None] - by_reader[None, :] + grand
    return readers * float(((by_way - grand) ** 2).sum()), float((residual**2).sum()) / (readers - 1)


def _change(difference: float, ms_interaction: float, readers: int, spread: _Covariances) -> AreaChange:
    """Return the difference for readers and cases like these, with the degrees of freedom of Hillis (2007)."""
    error = ms_interaction + readers * max(spread.readers - spread.both, 0.0)
    if error <= ROUNDING:
        return AreaChange(difference=difference)
    df = math.inf if ms_interaction <= ROUNDING else error**2 / (ms_interaction**2 / (readers - 1))
    return _with_test(difference, math.sqrt(2 / readers * error), df)


def _change_of_these(difference: float, readers: int, spread: _Covariances) -> AreaChange:
    error = spread.variance - spread.ways + (readers - 1) * max(spread.readers - spread.both, 0.0)
    if error <= ROUNDING:
        return AreaChange(difference=difference)
    return _with_test(difference, math.sqrt(2 / readers * error), math.inf)


def _mean_area(areas: NDArray[np.float64], covariance: float) -> MeanArea:
    readers, auc = areas.size, float(areas.mean())
    if readers < 2:
        return MeanArea(auc=auc)
    ms_reader = float(areas.var(ddof=1))
    error = ms_reader + readers * max(covariance, 0.0)
    if error <= ROUNDING:
        return MeanArea(auc=auc)
    df = math.inf if ms_reader <= ROUNDING else error**2 / (ms_reader**2 / (readers - 1))
    standard_error = math.sqrt(error / readers)
    reach = _quantile(df) * standard_error
    return MeanArea(
        auc=auc, standard_error=standard_error, df=df, lower=max(auc - reach, 0.0), upper=min(auc + reach, 1.0)
    )


def _with_test(difference: float, standard_error: float, df: float) -> AreaChange:
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    t = -abs(difference) / standard_error
    tail = float(special.ndtr(t)) if math.isinf(df) else float(special.stdtr(df, t))
    reach = _quantile(df) * standard_error
    return AreaChange(
        difference=difference,
        standard_error=standard_error,
        df=df,
        lower=difference - reach,
        upper=difference + reach,
        p=2 * tail,
    )


def _quantile(df: float) -> float:
    """Return the two-sided quantile of Student's t, the normal one for infinitely many degrees of freedom."""
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    level = (1 + CONFIDENCE) / 2
    return float(special.ndtri(level)) if math.isinf(df) else float(special.stdtrit(df, level))
