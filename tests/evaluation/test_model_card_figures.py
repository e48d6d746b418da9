"""Accuracy, sensitivity and specificity of one run, with intervals, against published and independent numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from brainmri.evaluation.model_card_figures import FEWEST_PATIENTS, clustered_interval, measure_run, wilson_proportion
from brainmri.evaluation.predictions import PredictedRun, Predictions


def predictions_of(cases: list[tuple[int, list[int]]]) -> Predictions:
    """Return a run on cases, each its true class and the classes that its images are taken for, surely."""
    case = np.array([i for i, (_true, images) in enumerate(cases) for _image in images])
    true = np.array([true for true, images in cases for _image in images])
    predicted = np.array([image for _true, images in cases for image in images])
    return Predictions(
        classes=("glioblastoma", "PCNSL", "meningioma"),
        runs=(PredictedRun(run_id="exp-001-alexnet-01", architecture="alexnet", repeat=1),),
        case_ids=tuple(f"case-{i:04d}" for i in range(len(cases))),
        run=np.zeros(len(case), dtype=np.intp),
        case=case.astype(np.intp),
        sample_index=np.arange(len(case)),
        true_class=true.astype(np.intp),
        predicted_class=predicted.astype(np.intp),
        probabilities=np.eye(3)[predicted],
    )


@pytest.mark.parametrize(
    ("hits", "total", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_is_the_published_one(hits, total, lower, upper):
    # Newcombe RG. Stat Med 1998;17:857-872, table I, method 3,
    # doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E
    found = wilson_proportion(hits, total)
    assert (found.lower, found.upper) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))


@pytest.mark.parametrize(("hits", "total"), [(0, 1), (1, 1), (5, 9), (50, 50), (123, 456)])
def test_the_wilson_interval_is_that_of_statsmodels(hits, total):
    found = wilson_proportion(hits, total)
    assert (found.lower, found.upper) == pytest.approx(proportion_confint(hits, total, method="wilson"), abs=1e-12)
    assert found.share == hits / total


def test_nothing_tested_gives_no_share():
    found = wilson_proportion(0, 0)
    assert (found.share, found.lower, found.upper) == (None, None, None)


def test_the_interval_over_patients_is_that_of_scipy():
    draw = np.random.default_rng(4)
    images = draw.integers(3, 15, 40)
    right = draw.binomial(images, draw.beta(4, 1, 40))
    oracle = stats.bootstrap(
        (right, images),
        lambda r, n, axis: r.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=20000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert clustered_interval(right, images) == pytest.approx((oracle.low, oracle.high), abs=0.005)


def test_slices_of_a_patient_are_not_counted_as_patients():
    right, images = np.array([10] * 20 + [0] * 5), np.full(25, 10)
    lower, upper = clustered_interval(right, images)
    alone = wilson_proportion(200, 250)
    assert upper - lower > 2.5 * (alone.upper - alone.lower)  # √10 for patients who are all right or all wrong


def test_sensitivity_and_specificity_are_counted_over_cases_by_hand():
    cases = [
        (0, [0, 0, 0, 1]),  # glioblastoma, verdict glioblastoma
        (0, [1, 1, 0]),  # taken for PCNSL
        (0, [0]),
        (1, [1, 1]),
        (1, [0, 0]),  # taken for glioblastoma
    ]
    accuracy = measure_run(predictions_of(cases))
    assert (accuracy.images.right, accuracy.images.images, accuracy.images.cases) == (7, 12, 5)
    assert accuracy.images.share == pytest.approx(7 / 12)
    assert (accuracy.cases.hits, accuracy.cases.total) == (3, 5)
    counts = {
        row.diagnosis: (row.sensitivity.hits, row.sensitivity.total, row.specificity.hits, row.specificity.total)
        for row in accuracy.classes
    }
    assert counts == {"glioblastoma": (2, 3, 1, 2), "PCNSL": (1, 2, 2, 3), "meningioma": (0, 0, 5, 5)}
    assert accuracy.classes[2].sensitivity.share is None


def test_few_patients_are_said_in_words():
    accuracy = measure_run(predictions_of([(0, [0, 1])] * (FEWEST_PATIENTS - 1)))
    assert (accuracy.images.lower, accuracy.images.upper) == (None, None)
    assert accuracy.images.remark.startswith("No interval: 19 patients were tested, and fewer than 20")


def test_patients_without_differences_are_said_in_words():
    accuracy = measure_run(predictions_of([(0, [0, 0])] * 30))
    assert accuracy.images.share == 1
    assert accuracy.images.remark.startswith("No interval: every patient's share is the same")


def test_enough_patients_give_an_interval_around_the_share():
    accuracy = measure_run(predictions_of([(0, [0, 0, 1])] * 15 + [(1, [1, 1])] * 10))
    assert accuracy.images.remark is None
    assert accuracy.images.lower < accuracy.images.share < accuracy.images.upper
    again = measure_run(predictions_of([(0, [0, 0, 1])] * 15 + [(1, [1, 1])] * 10))
    assert again == accuracy
