"""Differences of metrics in words and units."""

from __future__ import annotations

import pytest

from brainmri.evaluation.measure import ACCURACY, measure_of
from brainmri.evaluation.metrics import Metric


@pytest.mark.parametrize(
    ("metric", "difference", "text", "signed", "axis"),
    [
        (Metric("accuracy"), 3.71, "3.7 percentage points", "+3.7", "Difference (percentage points)"),
        (Metric("ece"), 0.004, "0.004 percentage points", "+0.0", "Difference (percentage points)"),
        (Metric("auc", 1), 0.0371, "0.037", "+0.037", "Difference"),
        (Metric("log_loss"), -0.25, "-0.250 nats", "−0.250", "Difference (nats)"),
        (Metric("brier"), 0.0, "0.000", "+0.000", "Difference"),
        (Metric("brier"), None, "–", "–", "Difference"),
    ],
)
def test_differences_are_told_in_the_unit_of_the_metric(metric, difference, text, signed, axis) -> None:
    measure = measure_of(metric)
    assert (measure.describe(difference), measure.describe_signed(difference), measure.axis) == (text, signed, axis)


@pytest.mark.parametrize(
    ("metric", "usual", "text", "unit"),
    [
        (Metric("sensitivity", 0), 1.0, "differences up to 1 percentage point", "percentage points"),
        (Metric("macro_auc"), 0.01, "differences up to 0.01", "in the metric itself"),
        (Metric("log_loss"), 0.01, "differences up to 0.01 nats", "nats"),
    ],
)
def test_the_region_of_equivalence_is_told_in_the_unit_of_the_metric(metric, usual, text, unit) -> None:
    measure = measure_of(metric)
    assert measure.usual_region == usual
    assert measure.describe_region(usual) == text
    assert measure.region_unit == unit
    assert measure_of(Metric("accuracy")).describe_region(2.5) == "differences up to 2.5 percentage points"


def test_only_accuracy_speaks_of_accuracies_and_only_losses_are_better_when_small() -> None:
    accuracy, brier = measure_of(Metric("accuracy")), measure_of(Metric("brier"))
    assert (accuracy.plural, accuracy.better, accuracy.higher_is_better) == ("accuracies", "more accurate", True)
    assert (brier.plural, brier.better, brier.higher_is_better) == ("values", "better", False)
    assert ACCURACY.point is None  # the command reads shares and per cent alike
    assert (accuracy.point, brier.point) == (0.01, 1.0)
