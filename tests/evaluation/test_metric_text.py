from __future__ import annotations

import math

import pytest

from brainmri.evaluation.metric_text import (
    METRIC_HELP,
    format_metric,
    format_metric_difference,
    format_metric_range,
    name_metric,
    title_axis,
    title_difference,
)
from brainmri.evaluation.metrics import METRIC_NAMES, Metric

CLASSES = ("glioblastoma", "PCNSL")
ACCURACY, SENSITIVITY, AUC, LOSS = Metric("accuracy"), Metric("sensitivity", 0), Metric("auc", 1), Metric("log_loss")


def test_every_metric_is_explained() -> None:
    assert set(METRIC_HELP) == set(METRIC_NAMES)


@pytest.mark.parametrize(
    ("metric", "value", "ends", "difference", "title"),
    [
        (ACCURACY, "94.3 %", "90.0–94.3 %", "−4.3", "Accuracy on held-out cases (%)"),
        (SENSITIVITY, "94.3 %", "90.0–94.3 %", "−4.3", "Sensitivity, Glioblastoma on held-out cases (%)"),
        (AUC, "0.943", "0.900–0.943", "−0.043", "AUC, one against the rest, PCNSL on held-out cases"),
        (LOSS, "0.943", "0.900–0.943", "−0.043", "Log loss on held-out cases (nats)"),
    ],
)
def test_values_are_written_with_their_unit_and_sensible_digits(metric, value, ends, difference, title) -> None:
    assert format_metric(0.943, metric) == value
    assert format_metric_range(0.9, 0.943, metric) == ends
    assert format_metric_difference(0.9 - 0.943, metric) == difference
    assert title_axis(metric, CLASSES, "case") == title


def test_what_is_not_there_is_a_dash() -> None:
    for metric in (ACCURACY, LOSS):
        assert format_metric(None, metric) == format_metric(math.nan, metric) == "–"
        assert format_metric_range(None, 1.0, metric) == format_metric_difference(None, metric) == "–"


def test_differences_have_a_unit() -> None:
    assert title_difference(ACCURACY) == "Difference (percentage points)"
    assert title_difference(LOSS) == "Difference (nats)"
    assert title_difference(AUC) == "Difference"


def test_names_carry_no_unit() -> None:
    assert name_metric(LOSS, CLASSES) == "Log loss"
