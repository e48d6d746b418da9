"""The same architectures under a split of images and under one of patients."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import EvaluationError
from brainmri.evaluation.bootstrap import bootstrap_metric, draw_weights
from brainmri.evaluation.leakage import compare_splits
from brainmri.evaluation.loading import ExperimentPredictions, select_runs
from brainmri.evaluation.metrics import Metric, measure_runs
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of

ACCURACY = Metric("accuracy")


@pytest.fixture
def by_image() -> ExperimentPredictions:
    return draw_predictions(repeats=4, cases=40, tested=0.9, skill=3.0, seed=5)


@pytest.fixture
def by_patient() -> ExperimentPredictions:
    return draw_predictions(repeats=5, cases=40, tested=0.3, skill=1.5, seed=6)


def means(scored: ExperimentPredictions, architecture: str) -> np.ndarray:
    by_run = measure_runs(scored, ACCURACY).by_run
    return np.array([value for run_id, value in by_run.items() if run_id.startswith(architecture)])


def test_the_difference_is_that_of_the_means(
    by_image: ExperimentPredictions, by_patient: ExperimentPredictions
) -> None:
    found = compare_splits(by_image, by_patient, ACCURACY, seed=1)
    assert [one.architecture for one in found] == ["alexnet", "resnet50"]
    for one in found:
        image, patient = means(by_image, one.architecture), means(by_patient, one.architecture)
        assert (one.by_image, one.by_patient) == pytest.approx((image.mean(), patient.mean()))
        assert one.difference == pytest.approx(image.mean() - patient.mean())
        assert (one.repeats_by_image, one.repeats_by_patient) == (4, 5)
        assert 0 < one.lower < one.difference < one.upper
        assert one.lower_over_splits < one.difference < one.upper_over_splits


def test_patients_are_drawn_alike_on_both_sides(
    by_image: ExperimentPredictions, by_patient: ExperimentPredictions
) -> None:
    weights = draw_weights(40, 200, seed=3)
    draws = []
    for weighting in weights:
        sides = []
        for one in (by_image.of("alexnet"), by_patient.of("alexnet")):
            per_run = []
            for run in range(len(one.runs)):
                rows = one.run == run
                weight = weighting[one.case[rows]]
                per_run.append(np.average(one.true_class[rows] == one.predicted_class[rows], weights=weight))
            sides.append(np.mean(per_run))
        draws.append(sides[0] - sides[1])
    found = compare_splits(by_image, by_patient, ACCURACY, seed=3, resamples=200)[0]
    assert (found.lower, found.upper) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=1e-12)


def test_the_interval_over_splits_widens_welchs_by_the_overlap(
    by_image: ExperimentPredictions, by_patient: ExperimentPredictions
) -> None:
    """A tiny test fraction leaves Welch's own interval, as scipy gives it."""
    found = compare_splits(by_image, by_patient, ACCURACY, seed=1, test_fractions=(1e-12, 1e-12))[0]
    image, patient = means(by_image, "alexnet"), means(by_patient, "alexnet")
    expected = stats.ttest_ind(image, patient, equal_var=False).confidence_interval()
    assert (found.lower_over_splits, found.upper_over_splits) == pytest.approx((expected.low, expected.high), abs=1e-9)
    overlapping = compare_splits(by_image, by_patient, ACCURACY, seed=1, test_fractions=(0.3, 0.3))[0]
    terms = [image.var(ddof=1) * (1 / 4 + 3 / 7), patient.var(ddof=1) * (1 / 5 + 3 / 7)]
    df = sum(terms) ** 2 / (terms[0] ** 2 / 3 + terms[1] ** 2 / 4)
    reach = stats.t.ppf(0.975, df) * math.sqrt(sum(terms))
    assert overlapping.upper_over_splits - overlapping.difference == pytest.approx(reach)


def test_the_same_experiment_twice_does_not_differ(by_patient: ExperimentPredictions) -> None:
    found = compare_splits(by_patient, by_patient, Metric("brier"), seed=1)[0]
    assert (found.difference, found.lower, found.upper) == (0.0, None, None)
    assert "the same whichever patients are drawn" in found.notes[0]


def test_cases_are_matched_by_name_not_by_place(
    by_image: ExperimentPredictions, by_patient: ExperimentPredictions
) -> None:
    turned = replace(by_patient, case_ids=by_patient.case_ids[::-1], case=39 - by_patient.case)
    assert compare_splits(by_image, turned, ACCURACY, seed=1) == compare_splits(by_image, by_patient, ACCURACY, seed=1)


def test_one_repeat_has_an_interval_over_patients_only(
    by_image: ExperimentPredictions, by_patient: ExperimentPredictions
) -> None:
    found = compare_splits(select_runs(by_image, [0]), by_patient, ACCURACY, seed=1)
    assert [one.architecture for one in found] == ["alexnet"]
    assert found[0].lower is not None
    assert found[0].lower_over_splits is None
    assert found[0].notes == ("No interval over splits: it needs two repeats or more of either side.",)


def test_all_right_and_an_undefined_metric_are_answered() -> None:
    right = predictions_of([(0, case, case % 2, np.eye(3)[case % 2].tolist()) for case in range(6)])
    found = compare_splits(right, right, Metric("sensitivity", 2), seed=1)[0]
    assert (found.by_image, found.difference, found.lower) == (None, None, None)
    assert found.notes == ("No run has this metric: there is no interval.",)
    assert bootstrap_metric(right, ACCURACY, seed=1).architectures[0].lower is None


def test_experiments_that_cannot_be_compared_are_refused(by_image: ExperimentPredictions) -> None:
    with pytest.raises(EvaluationError, match=r"share no architecture with finished runs: one has alexnet, resnet50"):
        compare_splits(by_image, draw_predictions(architectures=("googlenet",)), ACCURACY, seed=1)
    with pytest.raises(EvaluationError, match="they cannot be compared"):
        compare_splits(by_image, replace(by_image, classes=("a", "b", "c")), ACCURACY, seed=1)
    with pytest.raises(EvaluationError, match="The share of test data is 1"):
        compare_splits(by_image, by_image, ACCURACY, seed=1, test_fractions=(0.3, 1.0))
