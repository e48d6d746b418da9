"""Bootstrap over patients: against a loop, against scipy, and where it has nothing to say."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from brainmri.errors import EvaluationError
from brainmri.evaluation.bootstrap import bootstrap_metric, draw_weights
from brainmri.evaluation.loading import select_runs
from brainmri.evaluation.metrics import Metric, measure_runs, metrics_of
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import CLASSES, draw_predictions, predictions_of


def test_each_draw_takes_as_many_patients_as_there_are() -> None:
    weights = draw_weights(37, 5000, seed=1)
    assert (weights.sum(axis=1) == 37).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(37), abs=0.06)
    assert weights.var() == pytest.approx(1 - 1 / 37, abs=0.02)  # multinomial: n p (1 − p)


def test_the_interval_is_that_of_a_loop_over_the_same_draws() -> None:
    predictions = draw_predictions(repeats=3)
    weights = draw_weights(int(np.unique(predictions.case).size), 100, seed=9)
    tested = np.unique(predictions.case)
    means = {"alexnet": [], "resnet50": []}
    for weighting in weights:
        by_case = dict(zip(tested.tolist(), weighting.astype(int).tolist(), strict=True))
        for name, found in means.items():
            mine = predictions.of(name)
            scores = []
            for run in range(3):
                rows = np.flatnonzero(mine.run == run)
                rows = np.repeat(rows, [by_case[case] for case in mine.case[rows].tolist()])
                scores.append(oracle.f1_score(mine.true_class[rows], mine.predicted_class[rows], average="macro"))
            found.append(np.mean(scores))
    found = bootstrap_metric(predictions, Metric("macro_f1"), seed=9, resamples=100)
    for interval in found.architectures:
        expected = np.quantile(means[interval.architecture], [0.025, 0.975])
        assert (interval.lower, interval.upper) == pytest.approx(expected, abs=1e-12)
    difference = np.array(means["alexnet"]) - np.array(means["resnet50"])
    pair = found.differences[0]
    assert (pair.a, pair.b, pair.repeats) == ("alexnet", "resnet50", 3)
    assert (pair.lower, pair.upper) == pytest.approx(np.quantile(difference, [0.025, 0.975]), abs=1e-12)


@pytest.mark.parametrize(("method", "name"), [("percentile", "percentile"), ("bca", "BCa")])
def test_the_interval_agrees_with_scipy(method: str, name: str) -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=1, cases=60, slices=1, tested=1.0, skill=2.5)
    losses = ((predictions.probabilities.astype(float) - np.eye(3)[predictions.true_class]) ** 2).sum(axis=1)
    expected = stats.bootstrap((losses,), np.mean, n_resamples=20_000, method=name, rng=np.random.default_rng(0))
    found = bootstrap_metric(predictions, Metric("brier"), seed=3, resamples=20_000, method=method).architectures[0]
    assert found.value == pytest.approx(losses.mean(), abs=1e-6)
    # twice the Monte Carlo error of a 2.5 % quantile of 20,000 draws, in units of the standard error (0.02 of them)
    tolerance = 0.06 * expected.standard_error
    assert found.lower == pytest.approx(expected.confidence_interval.low, abs=tolerance)
    assert found.upper == pytest.approx(expected.confidence_interval.high, abs=tolerance)


def test_bca_moves_the_interval_of_a_skewed_metric() -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=1, cases=60, slices=1, tested=1.0, skill=2.5)
    by_method = [
        bootstrap_metric(predictions, Metric("log_loss"), seed=3, method=method).architectures[0]
        for method in ("percentile", "bca")
    ]
    assert by_method[1].lower > by_method[0].lower
    assert by_method[1].upper > by_method[0].upper


def test_copies_of_images_do_not_narrow_the_interval() -> None:
    once = draw_predictions(repeats=2)
    rows = np.repeat(np.arange(once.case.size), 5)
    columns = ("run", "case", "sample_index", "true_class", "predicted_class", "probabilities")
    copied = replace(once, **{name: getattr(once, name)[rows] for name in columns})
    for metric in metrics_of(CLASSES):
        a, b = (bootstrap_metric(one, metric, seed=2, resamples=200).architectures[0] for one in (once, copied))
        assert (a.value, a.lower, a.upper) == pytest.approx((b.value, b.lower, b.upper), abs=1e-6)


def test_the_seed_decides_the_draws() -> None:
    predictions = draw_predictions()
    one, again, other = (bootstrap_metric(predictions, Metric("macro_auc"), seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.architectures[0].lower != other.architectures[0].lower
    assert (one.seed, one.resamples, one.patients) == (1, 2000, np.unique(predictions.case).size)


def test_the_value_is_the_mean_over_runs() -> None:
    predictions = draw_predictions(repeats=4)
    found = bootstrap_metric(predictions, Metric("accuracy"), seed=1)
    by_run = measure_runs(predictions, Metric("accuracy")).by_run
    for interval in found.architectures:
        mine = [value for run, value in by_run.items() if run.startswith(interval.architecture)]
        assert interval.value == pytest.approx(np.mean(mine))
        assert interval.runs == 4
        assert interval.lower < interval.value < interval.upper


def test_a_missing_run_is_left_out_of_the_difference() -> None:
    predictions = draw_predictions(repeats=3)
    found = bootstrap_metric(select_runs(predictions, [0, 1, 3, 4, 5]), Metric("accuracy"), seed=1)
    whole = measure_runs(predictions, Metric("accuracy")).by_run
    assert [interval.runs for interval in found.architectures] == [2, 3]
    assert found.differences[0].repeats == 2
    expected = np.mean([whole[f"alexnet-{repeat}"] - whole[f"resnet50-{repeat}"] for repeat in (1, 2)])
    assert found.differences[0].difference == pytest.approx(expected)


def test_architectures_without_a_shared_repeat_have_no_difference() -> None:
    predictions = draw_predictions(repeats=2)
    found = bootstrap_metric(select_runs(predictions, [0, 3]), Metric("accuracy"), seed=1)
    assert found.differences[0].difference is None
    assert found.differences[0].note == "alexnet and resnet50 share no repeat: there is no difference to take."


def test_all_right_has_a_value_and_no_interval() -> None:
    rows = [(0, case, case % 3, np.eye(3)[case % 3].tolist()) for case in range(24)]
    found = bootstrap_metric(predictions_of(rows), Metric("accuracy"), seed=1).architectures[0]
    assert (found.value, found.lower, found.upper) == (1.0, None, None)
    assert "the same whichever patients are drawn" in found.note


def test_equal_networks_differ_by_nothing_with_a_note() -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=2)
    twin = replace(predictions, runs=tuple(replace(run, architecture="twin") for run in predictions.runs))
    columns = ("case", "sample_index", "true_class", "predicted_class", "probabilities")
    both = replace(
        predictions,
        runs=predictions.runs + twin.runs,
        run=np.concatenate([predictions.run, twin.run + 2]),
        **{name: np.concatenate([getattr(predictions, name)] * 2) for name in columns},
    )
    pair = bootstrap_metric(both, Metric("brier"), seed=1).differences[0]
    assert (pair.difference, pair.lower, pair.upper) == (0.0, None, None)
    assert "the same whichever patients are drawn" in pair.note


def test_one_patient_has_no_interval() -> None:
    rows = [(0, 0, 0, [0.8, 0.1, 0.1]), (0, 0, 0, [0.1, 0.8, 0.1])]
    found = bootstrap_metric(predictions_of(rows), Metric("accuracy"), seed=1, method="bca").architectures[0]
    assert (found.value, found.lower, found.upper) == (0.5, None, None)
    assert found.note == "There is one patient only: an interval needs several, better 50."


def test_a_class_that_was_never_tested_has_no_interval() -> None:
    rows = [(0, case, case % 2, [0.6, 0.4, 0.0]) for case in range(20)]
    found = bootstrap_metric(predictions_of(rows), Metric("sensitivity", 2), seed=1).architectures[0]
    assert (found.value, found.lower, found.runs) == (None, None, 0)
    assert found.note == "No run has this metric: there is no interval."


def test_draws_without_a_rare_class_are_counted() -> None:
    rows = [(0, case, 0, [0.6, 0.4, 0.0]) for case in range(10)]
    rows += [(0, 10, 1, [0.6, 0.4, 0.0]), (0, 11, 1, [0.4, 0.6, 0.0])]
    found = bootstrap_metric(predictions_of(rows), Metric("sensitivity", 1), seed=1).architectures[0]
    share = (10 / 12) ** 12  # that neither of two patients is drawn
    undefined = int(found.note.split()[2])
    assert undefined / 2000 == pytest.approx(share, abs=0.03)
    assert "There are 12 patients only: the interval tends to be too narrow." in found.note


def test_no_prediction_is_answered_in_words() -> None:
    for metric in metrics_of(CLASSES):
        found = bootstrap_metric(predictions_of([]), metric, seed=1, method="bca")
        assert found.architectures[0].note == "No run has this metric: there is no interval."
        assert bootstrap_metric(predictions_of([], runs=()), metric, seed=1).architectures == ()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no bootstrap interval 'basic'"):
        bootstrap_metric(draw_predictions(), Metric("accuracy"), seed=1, method="basic")
    with pytest.raises(EvaluationError, match="50 resamples are too few for an interval: take 100 or more"):
        bootstrap_metric(draw_predictions(), Metric("accuracy"), seed=1, resamples=50)


def test_the_interval_of_case_accuracy_is_near_wilsons() -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=1, cases=200, tested=1.0)
    verdicts = verdicts_by_case(predictions)
    found = bootstrap_metric(verdicts, Metric("accuracy"), seed=1).architectures[0]
    error = np.sqrt(found.value * (1 - found.value) / 200)
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * error, rel=0.1)


@pytest.mark.parametrize("name", ["accuracy", "ece", "macro_auc"])
def test_two_thousand_draws_of_ten_runs_take_a_moment(name: str) -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=10, cases=330, slices=10, tested=0.3)
    assert predictions.sample_index.size == 9_900
    elapsed_s = []
    for _ in range(3):
        started = time.perf_counter()
        bootstrap_metric(predictions, Metric(name), seed=1)
        elapsed_s.append(time.perf_counter() - started)
    assert min(elapsed_s) < 1.0  # 0.02 to 0.06 s on one idle core; the machine of a test may be busy


def test_the_interval_of_the_calibration_error_is_moved_by_what_drawing_adds_to_it() -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=1, cases=40, slices=1, tested=1.0, skill=2.5)
    chances = predictions.probabilities.astype(float)
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == predictions.true_class
    weights = draw_weights(40, 2000, seed=4)
    cases = np.unique(predictions.case, return_inverse=True)[1]
    bins = np.ceil(sure * 15).astype(int)

    def calibration_error(weight: np.ndarray) -> float:
        gaps = [abs(np.sum((weight * (right - sure))[bins == place])) for place in range(1, 16)]
        return float(sum(gaps) / weight.sum())

    drawn = np.array([calibration_error(row[cases]) for row in weights])
    value = calibration_error(np.ones(right.size))
    plain = bootstrap_metric(predictions, Metric("ece"), seed=4, method="percentile").architectures[0]
    assert plain.value == pytest.approx(value, abs=1e-6)
    assert drawn.mean() > value, "each draw makes the error larger"
    assert (plain.lower, plain.upper) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1e-6)
    moved = bootstrap_metric(predictions, Metric("ece"), seed=4)
    (own,) = moved.architectures
    assert moved.method == "centred"
    expected = np.quantile(drawn, [0.025, 0.975]) - drawn.mean() + value
    assert (own.lower, own.upper) == pytest.approx((max(expected[0], 0), expected[1]), abs=1e-6)
    assert own.lower < value < own.upper
