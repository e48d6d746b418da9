"""Bootstrap over patients: intervals of any metric, and of its difference between architectures.

Images of one patient are not independent, nor are the repeats, which share patients. The bootstrap therefore draws
patients (cases), with all their images in all runs. Its interval says how much a metric would move with other patients
of the same kind; the networks stay as they are trained, so that the scatter of training is not in it.

References
----------
Bootstrap of clusters: Field CA, Welsh AH. J R Stat Soc B 2007;69:369-390, doi:10.1111/j.1467-9868.2007.00593.x.
Bias of the bootstrap: Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall 1993, chapter 10.
BCa intervals: Efron B. J Am Stat Assoc 1987;82:171-185, doi:10.1080/01621459.1987.10478410.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final, Literal, get_args

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tally import CaseTally, Values, Weights, mean_of_defined
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.metrics import Metric, metric_values
from brainmri.evaluation.verdicts import Scored

RESAMPLES: Final = 2000
"""Enough for the ends of a 95 % interval to two digits."""

FEWEST_RESAMPLES: Final = 100
FEW_PATIENTS: Final = 20
"""Below this number of patients bootstrap intervals tend to be too narrow: a note says so."""

IntervalMethod = Literal["percentile", "bca", "centred"]

_DRAWS_AT_ONCE: Final = 1 << 17
"""Draws that are counted at once, so that their counts stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class MetricInterval:
    """A metric of one architecture, the mean over its runs, with an interval over patients.

    Parameters
    ----------
    architecture : str
    value : float or None
        None where no run has it.
    lower, upper : float or None
    runs : int
        Runs that have the metric.
    note : str or None
        Why there is no interval, or how far to trust it.
    """

    architecture: str
    value: float | None
    lower: float | None
    upper: float | None
    runs: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class MetricDifference:
    """Difference of a metric between two architectures over the repeats that both have, with an interval over patients.

    Parameters
    ----------
    a, b : str
    difference : float or None
        Mean of a − b.
    lower, upper : float or None
        Of this pair alone, not adjusted for the number of pairs.
    repeats : int
        Repeats in which both have the metric.
    note : str or None
    """

    a: str
    b: str
    difference: float | None
    lower: float | None
    upper: float | None
    repeats: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Intervals of every architecture and of every pair, all from the same draws of patients.

    Parameters
    ----------
    metric : Metric
    method : {'percentile', 'bca'}
    resamples, seed, patients : int
    confidence : float
    architectures : tuple of MetricInterval
    differences : tuple of MetricDifference
    """

    metric: Metric
    method: IntervalMethod
    resamples: int
    seed: int
    patients: int
    confidence: float
    architectures: tuple[MetricInterval, ...]
    differences: tuple[MetricDifference, ...]


@dataclass(frozen=True)
class _Sampled:
    """A statistic as observed (last axis: columns), under every draw, and with each patient left out."""

    observed: Values
    drawn: Values
    left_out: Values | None

    def columns(self, places: Sequence[int], minus: Sequence[int] | None = None) -> _Sampled:
        """Return the mean over some columns, or over differences of columns."""

        def reduce(values: Values) -> Values:
            chosen = values[..., list(places)]
            return mean_of_defined(chosen if minus is None else chosen - values[..., list(minus)], axis=-1)

        return _Sampled(
            reduce(self.observed), reduce(self.drawn), None if self.left_out is None else reduce(self.left_out)
        )


def bootstrap_metric(
    scored: Scored,
    metric: Metric,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    method: IntervalMethod | None = None,
    confidence: float = CONFIDENCE,
) -> Bootstrap:
    """Return intervals of a metric for every architecture and every pair by drawing patients with replacement.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    metric : Metric
    seed : int
        Of the draws: the same seed gives the same intervals.
    resamples : int
    method : {'percentile', 'bca', 'centred'}, optional
        BCa corrects for bias and skewness, at the price of one more evaluation a patient. Centred: percentiles, moved
        by what drawing with replacement adds on average. The default is percentile, and centred for the calibration
        error: a sum of absolute differences, which draws make larger, so that plain percentiles may lie above it.
    confidence : float

    Raises
    ------
    EvaluationError
        Where there is no such method or metric, or too few resamples are asked for.
    """
    method = method or ("centred" if metric.name == "ece" else "percentile")
    if method not in get_args(IntervalMethod):
        raise EvaluationError(f"There is no bootstrap interval '{method}'. Choose percentile, bca or centred.")
    check_resamples(resamples)
    tally = CaseTally.of(scored)
    observed = metric_values(tally, metric, tally.even)[0]
    drawn = metric_values(tally, metric, draw_weights(tally.cases.size, resamples, seed=seed))
    sampled = _Sampled(
        observed,
        drawn - (mean_of_defined(drawn, axis=0) - observed) if method == "centred" else drawn,
        metric_values(tally, metric, 1.0 - np.eye(tally.cases.size)) if method == "bca" else None,
    )
    places: dict[str, dict[int, int]] = {}
    for place, run in enumerate(scored.runs):
        places.setdefault(run.architecture, {})[run.repeat] = place
    patients = int(tally.cases.size)
    return Bootstrap(
        metric=metric,
        method=method,
        resamples=resamples,
        seed=seed,
        patients=patients,
        confidence=confidence,
        architectures=tuple(_of_architecture(sampled, name, places[name], patients, confidence) for name in places),
        differences=tuple(
            _of_pair(sampled, (a, b), (places[a], places[b]), patients, confidence) for a, b in combinations(places, 2)
        ),
    )


@lru_cache(maxsize=2)
def draw_weights(cases: int, resamples: int, *, seed: int) -> Weights:
    """Draw cases with replacement, as many as there are. Remembered: every metric asks for the same draws.

    Returns
    -------
    ndarray, shape (resamples, cases), float64, read-only
        How often each case was drawn; each row sums to ``cases``.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, cases))
    block = max(_DRAWS_AT_ONCE // max(cases, 1), 1)
    for start in range(0, resamples if cases else 0, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(0, cases, size=(rows, cases)) + cases * np.arange(rows)[:, None]
        weights[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * cases).reshape(rows, cases)
    weights.flags.writeable = False
    return weights


def check_resamples(resamples: int) -> None:
    """Refuse a bootstrap of too few draws.

    Raises
    ------
    EvaluationError
    """
    if resamples < FEWEST_RESAMPLES:
        raise EvaluationError(
            f"{resamples} resamples are too few for an interval: take {FEWEST_RESAMPLES} or more, better {RESAMPLES}."
        )


def sampled_interval(
    observed: float, drawn: Values, left_out: Values | None, *, patients: int, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None, str | None]:
    """Return the ends of a bootstrap interval and a note.

    Parameters
    ----------
    observed : float
    drawn : ndarray, shape (B,)
        The statistic under each draw; not-a-number where it is undefined.
    left_out : ndarray, shape (C,), or None
        The statistic without each patient, for BCa; None for percentiles.
    patients : int
    confidence : float
    """
    defined = drawn[~np.isnan(drawn)]
    if math.isnan(observed):
        return None, None, "No run has this metric: there is no interval."
    if patients < 2:
        return None, None, "There is one patient only: an interval needs several, better 50."
    if defined.size < drawn.size / 2:
        return None, None, "The metric is undefined in most draws of patients: there are too few of them."
    if np.ptp(defined) <= 1e-12 * max(abs(observed), 1.0):
        return None, None, "The value is the same whichever patients are drawn: the bootstrap shows no uncertainty."
    levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if left_out is not None:
        levels = _bca_levels(levels, observed, defined, left_out[~np.isnan(left_out)])
    lower, upper = np.quantile(defined, levels)
    notes = []
    if defined.size < drawn.size:
        notes.append(f"Undefined in {drawn.size - defined.size} of {drawn.size} draws, which are left out.")
    if patients < FEW_PATIENTS:
        notes.append(f"There are {patients} patients only: the interval tends to be too narrow.")
    return float(lower), float(upper), " ".join(notes) or None


def _bca_levels(levels: Values, observed: float, drawn: Values, left_out: Values) -> Values:
    """Return the quantiles that BCa takes in place of the nominal ones."""
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    below = (np.count_nonzero(drawn < observed) + np.count_nonzero(drawn <= observed)) / (2 * drawn.size)
    bias = special.ndtri(min(max(below, 0.5 / drawn.size), 1 - 0.5 / drawn.size))
    pull = left_out.mean() - left_out
    spread = float((pull**2).sum())
    acceleration = float((pull**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + special.ndtri(levels)
    return np.asarray(special.ndtr(bias + shifted / (1 - acceleration * shifted)))


def _of_architecture(
    sampled: _Sampled, name: str, places: Mapping[int, int], patients: int, confidence: float
) -> MetricInterval:
    columns = list(places.values())
    mine = sampled.columns(columns)
    value = float(mine.observed)
    lower, upper, note = sampled_interval(value, mine.drawn, mine.left_out, patients=patients, confidence=confidence)
    if lower is not None and value >= 0:
        lower = max(lower, 0.0)  # moved percentiles may cross it; no metric does
    return MetricInterval(
        architecture=name,
        value=None if math.isnan(value) else value,
        lower=lower,
        upper=upper,
        runs=int(np.count_nonzero(~np.isnan(sampled.observed[columns]))),
        note=note,
    )


def _of_pair(
    sampled: _Sampled,
    names: tuple[str, str],
    places: tuple[Mapping[int, int], Mapping[int, int]],
    patients: int,
    confidence: float,
) -> MetricDifference:
    a, b = names
    shared = [repeat for repeat in places[0] if repeat in places[1]]
    if not shared:
        reason = f"{a} and {b} share no repeat: there is no difference to take."
        return MetricDifference(a=a, b=b, difference=None, lower=None, upper=None, repeats=0, note=reason)
    first, second = ([one[repeat] for repeat in shared] for one in places)
    both = sampled.columns(first, minus=second)
    value = float(both.observed)
    lower, upper, note = sampled_interval(value, both.drawn, both.left_out, patients=patients, confidence=confidence)
    return MetricDifference(
        a=a,
        b=b,
        difference=None if math.isnan(value) else value,
        lower=lower,
        upper=upper,
        repeats=int(np.count_nonzero(~np.isnan(sampled.observed[first] - sampled.observed[second]))),
        note=note,
    )
