"""Temperature scaling: one number a run, fitted on images set aside, that makes probabilities mean what they say.

References
----------
Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017, arXiv:1706.04599.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import ExperimentPredictions, Level, PredictedRun
from brainmri.evaluation.metrics import Metric, MetricName, measure_runs
from brainmri.evaluation.verdicts import Scored, VerdictRule, score

TEMPERATURES: Final = (0.05, 20.0)
"""Lowest and highest temperature that is fitted: beyond them the data hold no more than a direction."""

SMALLEST_PROBABILITY: Final = float(np.finfo(np.float32).tiny)
"""Probabilities below this, 1.2e-38, have no logarithm in float32."""


EFFECT_METRICS: Final[tuple[MetricName, ...]] = ("ece", "log_loss", "brier")
"""What scaling changes; accuracy on images stays as it is."""


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """A temperature that probabilities are divided by on the logarithmic scale.

    Parameters
    ----------
    value : float
        Above 1 probabilities become less extreme, below 1 more so; 1 where none could be fitted.
    images : int
        Fitted on.
    loss_before, loss_after : float or None
        Log loss in nats on these images.
    note : str or None
    """

    value: float
    images: int
    loss_before: float | None
    loss_after: float | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class CalibratedRun:
    """What temperature scaling does to one run's test predictions.

    Parameters
    ----------
    run : PredictedRun
    temperature : Temperature
        Fitted on the run's images set aside.
    before, after : dict of str to float or None
        The test predictions' ``ece``, ``log_loss`` and ``brier``.
    """

    run: PredictedRun
    temperature: Temperature
    before: dict[str, float | None]
    after: dict[str, float | None]


def fit_temperature(probabilities: ArrayLike, true_class: ArrayLike) -> Temperature:
    """Fit the temperature that gives the lowest log loss.

    Parameters
    ----------
    probabilities : array_like, shape (n, K)
        Of images set aside, never of test images.
    true_class : array_like, shape (n,), int

    Raises
    ------
    EvaluationError
        Where the shapes do not fit.
    """
    given, true = np.asarray(probabilities, dtype=np.float64), np.asarray(true_class, dtype=np.intp)
    if given.ndim != 2 or true.shape != given.shape[:1]:
        raise EvaluationError(
            f"The probabilities have the shape {given.shape} and the classes {true.shape}; expected one row an image."
        )
    if not true.size:
        nothing = "There are no images to fit a temperature on: the probabilities stay as they are."
        return Temperature(value=1.0, images=0, loss_before=None, loss_after=None, note=nothing)
    logits = np.log(np.maximum(given, SMALLEST_PROBABILITY))
    sharpness, note = _best_sharpness(logits, true)
    return Temperature(
        value=1 / sharpness,
        images=int(true.size),
        loss_before=_log_loss(logits, true, 1.0),
        loss_after=_log_loss(logits, true, sharpness),
        note=note,
    )


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return probabilities scaled by a temperature, shape (n, K): the class with the highest one stays the same."""
    logits = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY))
    return _softmax(logits / temperature)


def calibrate_runs(
    validation: ExperimentPredictions,
    test: ExperimentPredictions,
    *,
    level: Level = "image",
    rule: VerdictRule = "mean",
) -> tuple[CalibratedRun, ...]:
    """Fit a temperature for every run on its images set aside, and measure its effect on the test predictions.

    Parameters
    ----------
    validation, test : ExperimentPredictions
        Of the same experiment, see `brainmri.evaluation.loading.load_predictions`.
    level : {'image', 'case'}
        What the effect is measured on; temperatures are always fitted on images.
    rule : {'mean', 'vote', 'maximum'}

    Raises
    ------
    EvaluationError
        Where no run has predictions of images set aside.
    """
    if not validation.sample_index.size:
        raise EvaluationError(
            "There are no predictions of images set aside, so that no temperature can be fitted. Train with a share of "
            "the training patients set aside, as for early stopping."
        )
    temperatures = {}
    for place, run in enumerate(validation.runs):
        rows = validation.run == place
        temperatures[run.run_id] = fit_temperature(validation.probabilities[rows], validation.true_class[rows])
    nothing = fit_temperature(np.empty((0, len(test.classes))), np.empty(0))
    fitted = [temperatures.get(run.run_id, nothing) for run in test.runs]
    before = _measure(score(test, level=level, rule=rule))
    after = _measure(score(scale_predictions(test, [one.value for one in fitted]), level=level, rule=rule))
    return tuple(
        CalibratedRun(run=run, temperature=fitted[place], before=before[place], after=after[place])
        for place, run in enumerate(test.runs)
    )


def scale_predictions(predictions: ExperimentPredictions, temperatures: ArrayLike) -> ExperimentPredictions:
    """Return predictions with each run's probabilities scaled by its temperature.

    Parameters
    ----------
    predictions : ExperimentPredictions
    temperatures : array_like, shape (R,)
    """
    by_row = np.asarray(temperatures, dtype=np.float64)[predictions.run]
    logits = np.log(np.maximum(predictions.probabilities.astype(np.float64), SMALLEST_PROBABILITY))
    scaled = _softmax(logits / by_row[:, None])
    return replace(predictions, probabilities=scaled.astype(predictions.probabilities.dtype))


def _best_sharpness(logits: NDArray[np.float64], true: NDArray[np.intp]) -> tuple[float, str | None]:
    """Return the reciprocal of the temperature with the lowest loss, and a note.

    The loss is convex in it. Newton's steps that leave the interval in which the slope changes its sign are replaced by
    its middle.
    """
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if float(np.ptp(logits, axis=1).max()) < 1e-6:
        return 1.0, "All classes are given the same probability: no temperature changes that."
    if _slope(logits, true, low)[0] >= 0:
        return low, f"The probabilities say nothing of the classes: the temperature ends at {TEMPERATURES[1]:g}."
    if _slope(logits, true, high)[0] <= 0:
        return high, f"Almost every image is right: the temperature ends at {TEMPERATURES[0]:g}, and means nothing."
    sharpness = 1.0
    for _ in range(100):
        slope, curvature = _slope(logits, true, sharpness)
        low, high = (sharpness, high) if slope < 0 else (low, sharpness)
        step = sharpness - slope / curvature if curvature > 0 else math.nan
        following = step if low < step < high else (low + high) / 2
        if abs(following - sharpness) <= 1e-12 * sharpness:
            break
        sharpness = following
    return sharpness, None


def _slope(logits: NDArray[np.float64], true: NDArray[np.intp], sharpness: float) -> tuple[float, float]:
    """Return the first and the second derivative of the mean log loss by the sharpness."""
    chances = _softmax(sharpness * logits)
    mean = (chances * logits).sum(axis=1)
    variance = (chances * logits**2).sum(axis=1) - mean**2
    return float((mean - logits[np.arange(true.size), true]).mean()), float(variance.mean())


def _log_loss(logits: NDArray[np.float64], true: NDArray[np.intp], sharpness: float) -> float:
    scaled = sharpness * logits
    peak = scaled.max(axis=1, keepdims=True)
    total = np.log(np.exp(scaled - peak).sum(axis=1)) + peak[:, 0]
    return float((total - scaled[np.arange(true.size), true]).mean())


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _measure(scored: Scored) -> list[dict[str, float | None]]:
    values = {name: measure_runs(scored, Metric(name)).values for name in EFFECT_METRICS}
    return [{str(name): values[name][place] for name in EFFECT_METRICS} for place in range(len(scored.runs))]
