"""Verdicts on cases, confusion counts and hard cases, on predictions small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.predictions import (
    PredictedRun,
    Predictions,
    case_accuracies,
    count_confusions,
    tabulate_cases,
    verdicts_by_case,
)

CLASSES = ("glioblastoma", "PCNSL", "meningioma")


@pytest.fixture
def predictions() -> Predictions:
    """Return two networks, one run each: case A (glioblastoma) with three images, case B (PCNSL) with one."""
    probabilities = np.array(
        [
            # alexnet: two images of A say PCNSL narrowly, one says glioblastoma clearly: the mean says glioblastoma
            [0.45, 0.55, 0.00],
            [0.45, 0.55, 0.00],
            [0.90, 0.10, 0.00],
            [0.10, 0.80, 0.10],
            # resnet50: A is taken for meningioma, B for glioblastoma
            [0.20, 0.10, 0.70],
            [0.30, 0.10, 0.60],
            [0.40, 0.30, 0.30],
            [0.50, 0.40, 0.10],
        ]
    )
    return Predictions(
        classes=CLASSES,
        runs=(
            PredictedRun(run_id="alexnet-1", architecture="alexnet", repeat=1),
            PredictedRun(run_id="resnet50-1", architecture="resnet50", repeat=1),
        ),
        case_ids=("A", "B"),
        run=np.repeat([0, 1], 4),
        case=np.array([0, 0, 0, 1] * 2),
        sample_index=np.array([0, 1, 2, 3] * 2),
        true_class=np.array([0, 0, 0, 1] * 2),
        predicted_class=probabilities.argmax(axis=1),
        probabilities=probabilities,
    )


def empty(predictions: Predictions) -> Predictions:
    none = np.empty(0, dtype=np.intp)
    return Predictions(
        classes=CLASSES,
        runs=predictions.runs,
        case_ids=("A", "B"),
        run=none,
        case=none,
        sample_index=none,
        true_class=none,
        predicted_class=none,
        probabilities=np.empty((0, 3)),
    )


def test_a_verdict_is_the_class_with_the_highest_mean_probability(predictions: Predictions) -> None:
    verdicts = verdicts_by_case(predictions)
    np.testing.assert_allclose(verdicts.probabilities[0], [0.6, 0.4, 0.0], atol=1e-12)
    assert verdicts.predicted_class.tolist() == [0, 1, 2, 0]
    assert verdicts.images.tolist() == [3, 1, 3, 1]
    assert verdicts.run.tolist() == [0, 0, 1, 1]
    assert verdicts.case.tolist() == [0, 1, 0, 1]


def test_accuracy_of_cases_differs_from_that_of_images(predictions: Predictions) -> None:
    assert case_accuracies(predictions) == {"alexnet-1": 1.0, "resnet50-1": 0.0}


def test_confusions_count_true_in_rows_and_predicted_in_columns(predictions: Predictions) -> None:
    images = count_confusions(predictions)
    assert images["alexnet"].counts.tolist() == [[[1, 2, 0], [0, 1, 0], [0, 0, 0]]]
    cases = count_confusions(predictions, level="case")
    assert cases["resnet50"].counts.tolist() == [[[0, 0, 1], [1, 0, 0], [0, 0, 0]]]


def test_shares_of_a_class_that_was_never_tested_are_not_a_number(predictions: Predictions) -> None:
    shares = count_confusions(predictions)["alexnet"].row_shares
    np.testing.assert_allclose(shares[0], [1 / 3, 2 / 3, 0], atol=1e-12)
    assert np.isnan(shares[2]).all()


def test_the_hardest_case_comes_first(predictions: Predictions) -> None:
    table = tabulate_cases(predictions)
    assert [row.case_id for row in table] == ["A", "B"]  # both wrong in one of two runs; A's truth gets 0.45, B's 0.6
    row = table[0]
    assert (row.diagnosis, row.tested, row.wrong, row.taken_for) == ("glioblastoma", 2, 1, "meningioma")
    assert row.mean_true_probability == pytest.approx((0.6 + 0.3) / 2)
    assert [(part.architecture, part.tested, part.wrong) for part in row.by_architecture] == [
        ("alexnet", 1, 0),
        ("resnet50", 1, 1),
    ]


def test_the_example_to_look_at_is_a_wrong_run(predictions: Predictions) -> None:
    assert [row.example_run_id for row in tabulate_cases(predictions)] == ["resnet50-1", "resnet50-1"]


def test_no_prediction_gives_empty_tables(predictions: Predictions) -> None:
    nothing = empty(predictions)
    assert tabulate_cases(nothing) == ()
    assert case_accuracies(nothing) == {}
    assert count_confusions(nothing, level="case")["alexnet"].counts.sum() == 0
