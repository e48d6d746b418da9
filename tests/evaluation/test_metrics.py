"""Metrics of runs against scikit-learn, and where they are undefined."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tally import CALIBRATION_BINS, CaseTally
from brainmri.evaluation.metrics import (
    METRIC_NAMES,
    Metric,
    measure_runs,
    metric_values,
    metrics_of,
)
from brainmri.evaluation.verdicts import score, verdicts_by_case
from tests.evaluation.drawn_predictions import CLASSES, draw_predictions, predictions_of


def one_against_rest(name, index, true, predicted, scores):
    is_it, called = true == index, predicted == index
    if name == "sensitivity":
        return oracle.recall_score(is_it, called)
    if name == "specificity":
        return oracle.recall_score(~is_it, ~called)
    if name == "ppv":
        return oracle.precision_score(is_it, called)
    return oracle.roc_auc_score(is_it, scores[:, index])


def by_scikit_learn(metric, true, predicted, scores):
    """Return the metric as scikit-learn computes it from the rows of one run."""
    scores = scores.astype(np.float64)
    scores = scores / scores.sum(axis=1, keepdims=True)
    if metric.class_index is not None:
        return one_against_rest(metric.name, metric.class_index, true, predicted, scores)
    if metric.name == "ece":
        right, sure = true == predicted, scores[np.arange(len(true)), predicted]
        share, mean = calibration_curve(right, sure, n_bins=CALIBRATION_BINS, strategy="uniform")
        held = np.histogram(sure, bins=CALIBRATION_BINS, range=(0, 1))[0]
        return float((np.abs(share - mean) * held[held > 0]).sum() / held.sum())
    return {
        "accuracy": lambda: oracle.accuracy_score(true, predicted),
        "balanced_accuracy": lambda: oracle.balanced_accuracy_score(true, predicted),
        "macro_f1": lambda: oracle.f1_score(true, predicted, average="macro"),
        "macro_auc": lambda: oracle.roc_auc_score(true, scores, multi_class="ovr", average="macro"),
        "brier": lambda: oracle.brier_score_loss(true, scores, labels=[0, 1, 2], scale_by_half=False),
        "log_loss": lambda: oracle.log_loss(true, scores, labels=[0, 1, 2]),
    }[metric.name]()


@pytest.mark.parametrize("metric", metrics_of(CLASSES), ids=lambda metric: metric.label(CLASSES))
@pytest.mark.parametrize("level", ["image", "case"])
def test_every_metric_agrees_with_scikit_learn(metric: Metric, level: str) -> None:
    scored = score(draw_predictions(repeats=2, cases=60, tested=0.5), level=level)
    measured = measure_runs(scored, metric)
    for place, value in enumerate(measured.values):
        rows = scored.run == place
        expected = by_scikit_learn(
            metric, scored.true_class[rows], scored.predicted_class[rows], scored.probabilities[rows]
        )
        assert value == pytest.approx(expected, abs=2e-6)  # stored in float32, and scaled to a sum of 1 for the oracle
    assert measured.notes == ()


@pytest.mark.parametrize("metric", metrics_of(CLASSES), ids=lambda metric: metric.label(CLASSES))
def test_a_case_of_weight_two_counts_as_two_cases(metric: Metric) -> None:
    scored = draw_predictions(repeats=1, architectures=("alexnet",), cases=40, tested=1.0)
    weights = np.random.default_rng(3).integers(0, 4, size=(5, 40)).astype(float)
    found = metric_values(CaseTally.of(scored), metric, weights)
    for weighting, value in zip(weights, found[:, 0], strict=True):
        rows = np.repeat(np.arange(scored.case.size), weighting[scored.case].astype(int))
        expected = by_scikit_learn(
            metric, scored.true_class[rows], scored.predicted_class[rows], scored.probabilities[rows]
        )
        assert value == pytest.approx(expected, abs=2e-6)


def test_accuracy_of_cases_counts_each_case_once() -> None:
    rows = [(0, 0, 0, [0.45, 0.55, 0]), (0, 0, 0, [0.45, 0.55, 0]), (0, 0, 0, [0.9, 0.1, 0]), (0, 1, 1, [0.1, 0.9, 0])]
    predictions = predictions_of(rows)
    assert measure_runs(predictions, Metric("accuracy")).values == (0.5,)
    assert measure_runs(verdicts_by_case(predictions), Metric("accuracy")).values == (1.0,)
    assert measure_runs(verdicts_by_case(predictions, rule="vote"), Metric("accuracy")).values == (0.5,)


def test_tied_scores_count_half_in_the_auc() -> None:
    rows = [(0, 0, 0, [0.5, 0.5, 0]), (0, 1, 1, [0.5, 0.5, 0]), (0, 2, 1, [0.2, 0.8, 0])]
    assert measure_runs(predictions_of(rows), Metric("auc", 0)).values == (0.75,)


def test_metrics_of_a_class_that_was_not_tested_are_none_with_a_note() -> None:
    rows = [(0, 0, 0, [0.8, 0.1, 0.1]), (0, 1, 1, [0.1, 0.8, 0.1]), (1, 0, 0, [0.8, 0.1, 0.1]), (1, 2, 2, [0, 0, 1])]
    predictions = predictions_of(rows, runs=("alexnet", "alexnet"))
    sensitivity = measure_runs(predictions, Metric("sensitivity", 1))
    assert sensitivity.values == (1.0, None)
    assert sensitivity.by_run == {"alexnet-1": 1.0, "alexnet-2": None}
    assert sensitivity.notes == ("1 of 2 runs (alexnet-2) tested no PCNSL: the metric is undefined there.",)
    assert measure_runs(predictions, Metric("auc", 2)).values == (None, 1.0)
    assert measure_runs(predictions, Metric("specificity", 2)).values == (1.0, 1.0)
    ppv = measure_runs(predictions, Metric("ppv", 2))
    assert ppv.values == (None, 1.0)
    assert "alexnet-1) never predicted meningioma" in ppv.notes[0]
    balanced = measure_runs(predictions, Metric("balanced_accuracy"))
    assert balanced.values == (1.0, 1.0)
    assert "tested no PCNSL: the mean is over the other classes" in balanced.notes[0]


def test_a_single_class_leaves_specificity_and_auc_undefined() -> None:
    predictions = predictions_of([(0, 0, 0, [0.8, 0.1, 0.1]), (0, 1, 0, [0.1, 0.8, 0.1])])
    for metric in (Metric("specificity", 0), Metric("auc", 0)):
        measured = measure_runs(predictions, metric)
        assert measured.values == (None,)
        assert "tested nothing but glioblastoma" in " ".join(measured.notes)
    assert measure_runs(predictions, Metric("macro_auc")).values == (None,)
    assert measure_runs(predictions, Metric("macro_f1")).values == pytest.approx((1 / 3,))  # F1 2/3, and 0 for PCNSL


def test_all_right_and_all_wrong_are_the_ends_of_the_scale() -> None:
    rows = [(0, 0, 0, [1.0, 0, 0]), (0, 1, 1, [0, 1.0, 0]), (0, 2, 2, [0, 0, 1.0])]
    wrong = [(0, case, (true + 1) % 3, scores) for _, case, true, scores in rows]
    best = {"brier": 0.0, "log_loss": 0.0, "ece": 0.0}
    worst = {"brier": 2.0, "log_loss": -math.log(np.finfo(float).eps), "ece": 1.0, "specificity": 0.5, "auc": 0.25}
    for metric in metrics_of(CLASSES):
        assert measure_runs(predictions_of(rows), metric).values == (best.get(metric.name, 1.0),)
        if metric.name != "macro_auc":
            assert measure_runs(predictions_of(wrong), metric).values == pytest.approx((worst.get(metric.name, 0.0),))


def test_a_probability_of_zero_for_the_truth_is_told() -> None:
    measured = measure_runs(predictions_of([(0, 0, 1, [1.0, 0, 0])]), Metric("log_loss"))
    assert measured.values == pytest.approx((36.04,), abs=0.01)
    assert "a probability of zero 1 times, which costs 36 nats each" in measured.notes[0]


def test_a_run_without_images_has_no_metric() -> None:
    predictions = predictions_of([(0, 0, 0, [0.8, 0.1, 0.1])], runs=("alexnet", "resnet50"))
    for metric in (Metric("accuracy"), Metric("brier"), Metric("ece"), Metric("macro_auc")):
        measured = measure_runs(predictions, metric)
        assert measured.values[1] is None
        assert "(resnet50-1) have no test images" in measured.notes[0]


def test_values_line_up_by_repeat_for_the_comparison_of_models() -> None:
    predictions = draw_predictions(repeats=3)
    measured = measure_runs(predictions, Metric("brier"))
    repeats = measured.repeats
    assert repeats.models == ("alexnet", "resnet50")
    assert repeats.values[1, 1] == measured.by_run["resnet50-2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("f1",), r"no metric 'f1'\. Choose one of accuracy"),
        (("sensitivity",), "sensitivity needs the index of a class"),
        (("accuracy", 1), "accuracy is of all classes, not of one"),
    ],
)
def test_a_metric_that_does_not_exist_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        Metric(*arguments)
    with pytest.raises(EvaluationError, match="no class 3: the data set has 3"):
        measure_runs(draw_predictions(), Metric("auc", 3))


def test_every_metric_has_a_name_and_a_direction() -> None:
    metrics = metrics_of(CLASSES)
    assert {metric.name for metric in metrics} == set(METRIC_NAMES)
    assert len(metrics) == 7 + 4 * 3
    assert Metric("ppv", 1).label(CLASSES) == "Positive predictive value, PCNSL"
    assert [metric.name for metric in metrics if not metric.higher_is_better] == ["brier", "log_loss", "ece"]


def test_a_lower_probability_for_the_truth_costs_more() -> None:
    better = draw_predictions(seed=4)
    blurred = replace(better, probabilities=(0.5 * better.probabilities + 0.5 / 3).astype(np.float32))
    for name in ("brier", "ece"):
        assert measure_runs(better, Metric(name)).values != measure_runs(blurred, Metric(name)).values
    assert measure_runs(better, Metric("macro_auc")).values == pytest.approx(
        measure_runs(blurred, Metric("macro_auc")).values, abs=1e-3
    )


def test_measuring_does_not_import_scikit_learn() -> None:
    import subprocess

    code = "import sys, brainmri.evaluation.metrics; sys.exit('sklearn' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
