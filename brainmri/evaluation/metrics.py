"""How good predictions are, in eleven metrics, on images or on cases, for each run.

Where a class is absent from a run's test images, metrics of that class are undefined there and come as None with a
note; averages over classes (balanced accuracy, macro-F1, macro AUC) are then taken over the other classes.

References
----------
Balanced accuracy: Brodersen KH et al. ICPR 2010, doi:10.1109/ICPR.2010.764.
Macro-F1, mean of the classes' F1: Opitz J, Burst S. 2019, arXiv:1911.03347.
Which metric for what: Maier-Hein L et al. Nature Methods 2024;21:195-212, doi:10.1038/s41592-023-02151-z.
The others: `brainmri.evaluation.case_tally`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tally import (
    PROBABILITY_FLOOR,
    CaseTally,
    Values,
    Weights,
    brier_losses,
    log_losses,
    mean_of_defined,
    ratio,
)
from brainmri.evaluation.loading import ExperimentPredictions, PredictedRun
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.verdicts import Scored, VerdictRule, verdicts_by_case

MetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "sensitivity",
    "specificity",
    "ppv",
    "auc",
    "macro_auc",
    "brier",
    "log_loss",
    "ece",
]

METRIC_NAMES: Final[dict[MetricName, str]] = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "auc": "AUC, one against the rest",
    "macro_auc": "Macro AUC",
    "brier": "Brier score",
    "log_loss": "Log loss (nats)",
    "ece": "Expected calibration error",
}
"""As pages write them."""

PER_CLASS: Final[tuple[MetricName, ...]] = ("sensitivity", "specificity", "ppv", "auc")
LOWER_IS_BETTER: Final[tuple[MetricName, ...]] = ("brier", "log_loss", "ece")

NAMED_RUNS: Final = 3
"""Runs that a note names before it only counts."""


@dataclass(frozen=True)
class Metric:
    """A metric, of one class where it is of a class.

    Parameters
    ----------
    name : str
        One of `METRIC_NAMES`.
    class_index : int, optional
        For the metrics of `PER_CLASS`, and for them only.
    """

    name: MetricName
    class_index: int | None = None

    def __post_init__(self) -> None:
        if self.name not in METRIC_NAMES:
            raise EvaluationError(f"There is no metric '{self.name}'. Choose one of {', '.join(METRIC_NAMES)}.")
        if (self.class_index is None) == (self.name in PER_CLASS):
            needs = "needs the index of a class" if self.name in PER_CLASS else "is of all classes, not of one"
            raise EvaluationError(f"The metric {self.name} {needs}.")

    @property
    def higher_is_better(self) -> bool:
        """Whether a better network has a higher value."""
        return self.name not in LOWER_IS_BETTER

    def label(self, classes: Sequence[str]) -> str:
        """Return ``Sensitivity, PCNSL``."""
        named = METRIC_NAMES[self.name]
        return named if self.class_index is None else f"{named}, {classes[self.class_index]}"


@dataclass(frozen=True, kw_only=True)
class MetricByRun:
    """One metric of several runs.

    Parameters
    ----------
    metric : Metric
    runs : tuple of PredictedRun
    values : tuple of float or None
        One a run; shares from 0 to 1, but the Brier score (0 to 2) and the log loss (nats). None where it is undefined.
    notes : tuple of str
        Where and why it is undefined or of fewer classes.
    """

    metric: Metric
    runs: tuple[PredictedRun, ...]
    values: tuple[float | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def by_run(self) -> dict[str, float | None]:
        """Values by ``run_id``."""
        return {run.run_id: value for run, value in zip(self.runs, self.values, strict=True)}

    @property
    def repeats(self) -> Repeats:
        """Values by repeat and architecture, for the comparison of models."""
        return Repeats.align(
            (run.architecture, str(run.repeat), math.nan if value is None else value)
            for run, value in zip(self.runs, self.values, strict=True)
        )


def metrics_of(classes: Sequence[str]) -> tuple[Metric, ...]:
    """Return every metric, those of a class once for each class."""
    per_class = {name: [Metric(name, index) for index in range(len(classes))] for name in PER_CLASS}
    return tuple(metric for name in METRIC_NAMES for metric in per_class.get(name) or [Metric(name)])


def measure_runs(scored: Scored, metric: Metric) -> MetricByRun:
    """Compute a metric of every run.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
        Images, or cases: see `brainmri.evaluation.verdicts.score`.
    metric : Metric

    Raises
    ------
    EvaluationError
        Where there is no class of the metric's index.
    """
    tally = CaseTally.of(scored)
    values = metric_values(tally, metric, tally.even)[0]
    return MetricByRun(
        metric=metric,
        runs=scored.runs,
        values=tuple(None if math.isnan(value) else float(value) for value in values),
        notes=explain_gaps(tally, metric),
    )


def case_accuracies(predictions: ExperimentPredictions, *, rule: VerdictRule = "mean") -> dict[str, float]:
    """Return for each run the share of its test cases whose verdict is right, by ``run_id``; without empty runs."""
    measured = measure_runs(verdicts_by_case(predictions, rule=rule), Metric("accuracy"))
    return {run_id: value for run_id, value in measured.by_run.items() if value is not None}


def metric_values(tally: CaseTally, metric: Metric, weights: Weights) -> Values:
    """Compute a metric of every run under each of several weightings of the cases.

    Parameters
    ----------
    tally : CaseTally
    metric : Metric
    weights : ndarray, shape (B, C)

    Returns
    -------
    ndarray, shape (B, R), float64
        Not-a-number where it is undefined.

    Raises
    ------
    EvaluationError
        Where there is no class of the metric's index.
    """
    classes = len(tally.scored.classes)
    if metric.class_index is not None and not 0 <= metric.class_index < classes:
        raise EvaluationError(f"There is no class {metric.class_index}: the data set has {classes}, counted from 0.")
    if metric.name in _OF_COUNTS:
        found = _OF_COUNTS[metric.name](tally.confusions(weights))
        return found if metric.class_index is None else found[..., metric.class_index]
    if metric.name == "brier":
        return tally.mean_loss(brier_losses(tally.scored), weights)
    if metric.name == "log_loss":
        return tally.mean_loss(log_losses(tally.scored), weights)
    if metric.name == "ece":
        return tally.calibration_error(weights)
    if metric.class_index is not None:
        return tally.auc(metric.class_index, weights)
    return mean_of_defined(np.stack([tally.auc(index, weights) for index in range(classes)]), axis=0)


def explain_gaps(tally: CaseTally, metric: Metric) -> tuple[str, ...]:
    """Say in which runs a metric is undefined, or of fewer classes, and why."""
    counts = tally.confusions(tally.even)[0]
    tested, predicted = counts.sum(axis=2), counts.sum(axis=1)
    notes = [_note(tally, tested.sum(axis=1) == 0, "have no test images: nothing is computed of them")]
    some = tested.sum(axis=1) > 0
    for index in range(len(tally.scored.classes)) if metric.class_index is None else [metric.class_index]:
        name = tally.scored.classes[index]
        absent, all_there = some & (tested[:, index] == 0), some & (tested[:, index] == tested.sum(axis=1))
        if metric.name in ("sensitivity", "auc"):
            notes.append(_note(tally, absent, f"tested no {name}: the metric is undefined there"))
        if metric.name in ("specificity", "auc"):
            notes.append(_note(tally, all_there, f"tested nothing but {name}: the metric is undefined there"))
        if metric.name == "ppv":
            notes.append(
                _note(
                    tally, some & (predicted[:, index] == 0), f"never predicted {name}: the metric is undefined there"
                )
            )
        if metric.name in ("balanced_accuracy", "macro_auc"):
            notes.append(_note(tally, absent, f"tested no {name}: the mean is over the other classes"))
        if metric.name == "macro_f1":
            neither = absent & (predicted[:, index] == 0)
            notes.append(_note(tally, neither, f"neither tested nor predicted {name}: the mean is over the others"))
    if metric.name == "log_loss":
        notes.append(_explain_floor(tally))
    return tuple(note for note in notes if note)


def _explain_floor(tally: CaseTally) -> str | None:
    highest = -math.log(PROBABILITY_FLOOR)
    floored = int((log_losses(tally.scored) >= highest).sum())
    if not floored:
        return None
    return (
        f"The true class was given a probability of zero {floored} times, which costs {highest:.0f} nats each and "
        "rules the log loss."
    )


def _note(tally: CaseTally, where: np.ndarray, what: str) -> str | None:
    """Return ``2 of 10 runs (exp-001-alexnet-03, exp-001-alexnet-04) tested no PCNSL: …``, or None."""
    names = [run.run_id for run, affected in zip(tally.scored.runs, where, strict=True) if affected]
    if not names:
        return None
    further = f" and {len(names) - NAMED_RUNS} more" if len(names) > NAMED_RUNS else ""
    return f"{len(names)} of {len(tally.scored.runs)} runs ({', '.join(names[:NAMED_RUNS])}{further}) {what}."


def _accuracy(counts: Values) -> Values:
    return ratio(np.trace(counts, axis1=2, axis2=3), counts.sum(axis=(2, 3)))


def _hits(counts: Values) -> Values:
    return np.diagonal(counts, axis1=2, axis2=3)


def _sensitivity(counts: Values) -> Values:
    return ratio(_hits(counts), counts.sum(axis=3))


def _specificity(counts: Values) -> Values:
    total = counts.sum(axis=(2, 3))[..., None]
    true, predicted = counts.sum(axis=3), counts.sum(axis=2)
    return ratio(total - true - predicted + _hits(counts), total - true)


def _predictive_value(counts: Values) -> Values:
    return ratio(_hits(counts), counts.sum(axis=2))


def _balanced_accuracy(counts: Values) -> Values:
    return mean_of_defined(_sensitivity(counts), axis=2)


def _macro_f1(counts: Values) -> Values:
    return mean_of_defined(ratio(2 * _hits(counts), counts.sum(axis=3) + counts.sum(axis=2)), axis=2)


_OF_COUNTS: Final[dict[MetricName, Callable[[Values], Values]]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "ppv": _predictive_value,
}
