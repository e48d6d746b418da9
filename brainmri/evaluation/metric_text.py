"""Values of metrics in words: which are written in per cent, which as plain numbers, and with how many digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from brainmri.evaluation.comparison import Descriptive
from brainmri.evaluation.loading import Level
from brainmri.evaluation.metrics import Metric, MetricName
from brainmri.evaluation.wording import format_points, format_range, format_share
from brainmri.vocabulary import display_diagnosis

PLAIN: Final[tuple[MetricName, ...]] = ("auc", "macro_auc", "brier", "log_loss")
"""Metrics that are customarily written as plain numbers with three digits; all others are shares, in per cent."""

METRIC_HELP: Final[dict[MetricName, str]] = {
    "accuracy": "Share of all that is classified correctly.",
    "balanced_accuracy": "Mean of the classes' sensitivities: every diagnosis counts alike, however many cases it has.",
    "macro_f1": "Mean over the classes of the harmonic mean of sensitivity and positive predictive value.",
    "sensitivity": "Of those with the diagnosis, the share that is recognised.",
    "specificity": "Of those without the diagnosis, the share that is not taken for it.",
    "ppv": "Of those taken for the diagnosis, the share that has it.",
    "auc": "Probability that one with the diagnosis gets a higher probability of it than one without; 0.5 is chance.",
    "macro_auc": "Mean over the classes of the area under the ROC curve, each against the rest; 0.5 is chance.",
    "brier": "Mean squared distance of the probabilities from the truth: 0 is perfect, 2 the worst. Lower is better.",
    "log_loss": "Mean of −ln of the probability given to the truth, in nats: 0 is perfect. Lower is better.",
    "ece": "Mean distance between how sure a network is and how often it is right. Lower is better.",
}
"""Each metric in a sentence."""


def is_share(metric: Metric) -> bool:
    """Tell whether a metric is written in per cent."""
    return metric.name not in PLAIN


def unit_of(metric: Metric) -> str:
    """Return ``%``, ``nats``, or an empty text for a plain number."""
    return "%" if is_share(metric) else "nats" if metric.name == "log_loss" else ""


def name_metric(metric: Metric, classes: Sequence[str]) -> str:
    """Return ``Sensitivity, glioblastoma``, with the diagnosis as people write it and without a unit."""
    return metric.label([display_diagnosis(name) for name in classes]).replace(" (nats)", "")


def title_axis(metric: Metric, classes: Sequence[str], level: Level) -> str:
    """Return ``Accuracy on held-out images (%)``."""
    unit = unit_of(metric)
    counted = "images" if level == "image" else "cases"
    return f"{name_metric(metric, classes)} on held-out {counted}" + (f" ({unit})" if unit else "")


def title_difference(metric: Metric) -> str:
    """Return ``Difference (percentage points)``, or with the unit of a plain number."""
    unit = "percentage points" if is_share(metric) else unit_of(metric)
    return f"Difference ({unit})" if unit else "Difference"


def format_metric(value: float | None, metric: Metric) -> str:
    """Return ``96.2 %`` or ``0.943``; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    return format_share(value) if is_share(metric) else f"{value:.3f}"


def format_metric_range(low: float | None, high: float | None, metric: Metric) -> str:
    """Return ``92.2–93.4 %`` or ``0.922–0.934``; a dash for none."""
    if is_share(metric) or low is None or high is None:
        return format_range(low, high)
    return f"{low:.3f}–{high:.3f}"


def format_metric_difference(difference: float | None, metric: Metric) -> str:
    """Return ``+3.7`` (percentage points) or ``+0.037``; a dash for none."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return format_points(difference) if is_share(metric) else f"{difference:+.3f}".replace("-", "−")


def describe_spread(row: Descriptive, metric: Metric) -> str:
    """Return ``IQR 92.2–93.4 %, 10 repeats``."""
    repeats = "1 repeat" if row.n == 1 else f"{row.n} repeats"
    if row.n < 2:
        return repeats
    return f"IQR {format_metric_range(row.q1, row.q3, metric)}, {repeats}"


def scale_of(metric: Metric) -> float:
    """Return what a value is multiplied by to be written: 100 for per cent, else 1."""
    return 100.0 if is_share(metric) else 1.0
