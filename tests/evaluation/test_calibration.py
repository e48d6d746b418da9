"""Reliability diagrams against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from brainmri.errors import EvaluationError
from brainmri.evaluation.calibration import reliability
from brainmri.evaluation.intervals import wilson_interval
from brainmri.evaluation.metrics import Metric, measure_runs
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of


@pytest.mark.parametrize("class_index", [None, 0, 2])
def test_bins_agree_with_scikit_learn(class_index: int | None) -> None:
    predictions = draw_predictions(repeats=3).of("alexnet")
    found = reliability(predictions, "alexnet", class_index=class_index, bins=10)
    if class_index is None:
        right = predictions.true_class == predictions.predicted_class
        sure = predictions.probabilities.max(axis=1)
    else:
        right, sure = predictions.true_class == class_index, predictions.probabilities[:, class_index]
    share, mean = calibration_curve(right, sure, n_bins=10, strategy="uniform")
    filled = [one for one in found.bins if one.right.n]
    assert [one.right.share for one in filled] == pytest.approx(list(share))
    assert [one.mean_confidence for one in filled] == pytest.approx(list(mean), abs=1e-6)
    assert sum(one.right.n for one in found.bins) == found.n == predictions.run.size


def test_the_error_of_one_run_is_that_of_the_metrics() -> None:
    predictions = draw_predictions(repeats=1)
    for architecture in predictions.architectures:
        expected = measure_runs(predictions.of(architecture), Metric("ece")).values[0]
        assert reliability(predictions, architecture).calibration_error == pytest.approx(expected)


def test_a_bin_counts_patients_not_images() -> None:
    rows = [(0, case, 0, [0.95, 0.05, 0]) for case in (0, 0, 0, 0, 0, 1)] + [(0, 2, 1, [0.95, 0.05, 0])]
    last = reliability(predictions_of(rows), "alexnet", bins=10).bins[-1]
    assert (last.right.hits, last.right.n, last.patients) == (6, 7, 3)
    assert last.right.effective_n == pytest.approx(294 / 93)  # residuals 5/7, 1/7 and −6/7 of three patients
    naive = wilson_interval(6, 7)
    assert last.right.lower < naive[0]
    assert (last.lower, last.upper) == pytest.approx((0.9, 1.0))


def test_a_bound_belongs_to_the_bin_below() -> None:
    rows = [(0, 0, 0, [0.5, 0.3, 0.2]), (0, 1, 0, [0.75, 0.25, 0]), (0, 2, 0, [1.0, 0, 0])]
    counts = [one.right.n for one in reliability(predictions_of(rows), "alexnet", bins=4).bins]
    assert counts == [0, 1, 1, 1]


def test_empty_bins_have_no_share() -> None:
    found = reliability(predictions_of([(0, 0, 0, [1.0, 0, 0])]), "alexnet", bins=5)
    assert [one.right.share for one in found.bins] == [None] * 4 + [1.0]
    assert [one.mean_confidence for one in found.bins] == [None] * 4 + [1.0]
    assert found.calibration_error == 0.0


def test_networks_are_kept_apart_and_verdicts_are_taken_too() -> None:
    predictions = draw_predictions(repeats=2)
    verdicts = verdicts_by_case(predictions)
    for architecture in predictions.architectures:
        mine = predictions.of(architecture)
        found = reliability(verdicts, architecture)
        assert found.n == len(set(zip(mine.run.tolist(), mine.case.tolist(), strict=True)))


def test_no_prediction_has_an_empty_diagram() -> None:
    found = reliability(predictions_of([]), "alexnet")
    assert (found.n, found.calibration_error) == (0, None)
    assert all(one.right.n == 0 for one in found.bins)
    with pytest.raises(EvaluationError, match="no class 3"):
        reliability(draw_predictions(), "alexnet", class_index=3)


def test_well_calibrated_probabilities_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.dirichlet([0.8, 0.8, 0.8], size=6000).astype(np.float32)
    true = (rng.random(6000)[:, None] > np.cumsum(drawn, axis=1)).sum(axis=1).clip(0, 2)
    rows = [(0, 0, int(t), p.tolist()) for t, p in zip(true, drawn, strict=True)]
    found = reliability(predictions_of(rows), "alexnet", class_index=1, bins=5)
    for one in found.bins:
        assert one.right.share == pytest.approx(one.mean_confidence, abs=0.05)
    assert found.calibration_error < 0.02
