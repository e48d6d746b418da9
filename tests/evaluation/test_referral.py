"""Accuracy on the cases that are kept, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.metrics import Metric, measure_runs
from brainmri.evaluation.referral import kept_accuracies, referral_curves
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of


def of_confidences(*rows: tuple[float, bool]):
    """Return one run with a case of each confidence, right or wrong."""
    return predictions_of([(0, i, 0 if right else 1, [p, 1 - p, 0]) for i, (p, right) in enumerate(rows)])


def test_the_least_sure_cases_go_first() -> None:
    curve = referral_curves(of_confidences((0.9, True), (0.6, False), (0.8, True), (0.7, False)), points=4)["alexnet"]
    assert curve.referred.tolist() == [0, 0.25, 0.5, 0.75]
    assert curve.accuracies[0].tolist() == pytest.approx([2 / 4, 2 / 3, 2 / 2, 1 / 1])
    assert curve.areas == pytest.approx(((0 + 0 + 1 / 3 + 2 / 4) / 4,))
    assert curve.best_areas == curve.areas


def test_a_network_that_is_surest_where_it_is_wrong_gets_worse() -> None:
    curve = referral_curves(of_confidences((0.9, False), (0.8, True), (0.7, True)), points=3)["alexnet"]
    assert curve.accuracies[0].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert curve.areas[0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert curve.best_areas[0] == pytest.approx(1 / 9)


def test_equally_sure_cases_count_with_their_expectation() -> None:
    rng = np.random.default_rng(1)
    sure = np.array([0.9, 0.7, 0.7, 0.7, 0.5, 0.5])
    right = np.array([True, True, False, True, False, True])
    draws = []
    for _ in range(4000):
        order = np.lexsort((rng.random(6), -sure))
        draws.append(np.cumsum(right[order]) / np.arange(1, 7))
    np.testing.assert_allclose(kept_accuracies(sure, right), np.mean(draws, axis=0), atol=0.02)
    np.testing.assert_allclose(kept_accuracies(np.full(6, 0.5), right), np.full(6, 4 / 6))


@pytest.mark.parametrize("on_cases", [False, True])
def test_referring_nobody_is_the_plain_accuracy(on_cases: bool) -> None:
    predictions = draw_predictions(repeats=3)
    scored = verdicts_by_case(predictions) if on_cases else predictions
    accuracies = measure_runs(scored, Metric("accuracy")).by_run
    for curve in referral_curves(scored).values():
        assert curve.accuracies[:, 0].tolist() == pytest.approx([accuracies[run_id] for run_id in curve.run_ids])
        np.testing.assert_allclose(curve.mean, curve.accuracies.mean(axis=0))
        assert all(best <= area for best, area in zip(curve.best_areas, curve.areas, strict=True))
        lower, upper = curve.band
        assert (lower <= curve.mean + 1e-12).all()
        assert (upper >= curve.mean - 1e-12).all()


def test_the_share_to_refer_for_an_accuracy() -> None:
    curve = referral_curves(of_confidences((0.9, True), (0.6, False), (0.8, True), (0.7, False)), points=4)["alexnet"]
    assert curve.share_to_refer(0.5) == 0
    assert curve.share_to_refer(0.9) == 0.5
    assert curve.share_to_refer(1.1) is None


def test_a_share_that_splits_a_case_refers_it_whole() -> None:
    curve = referral_curves(of_confidences((0.9, True), (0.6, False), (0.8, False)), points=10)["alexnet"]
    assert curve.accuracies[0].tolist() == pytest.approx([1 / 3] + [1 / 2] * 3 + [1] * 6)  # 10 to 30 %, then 40 to 90 %


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_is_flat(right: bool) -> None:
    curve = referral_curves(of_confidences((0.9, right), (0.6, right)))["alexnet"]
    assert (curve.accuracies == float(right)).all()
    assert curve.areas == (1.0 - right,)


def test_one_case_is_never_referred_and_an_empty_run_is_told() -> None:
    one = referral_curves(of_confidences((0.9, True)))["alexnet"]
    assert (one.accuracies == 1).all()
    assert one.band is None
    predictions = predictions_of([(0, 0, 0, [1.0, 0, 0])], runs=("alexnet", "alexnet", "resnet50"))
    curves = referral_curves(predictions)
    assert curves["alexnet"].note == "1 of 2 runs tested nothing and have no curve."
    assert (curves["resnet50"].mean, curves["resnet50"].mean_area, curves["resnet50"].share_to_refer(0.5)) == (
        None,
    ) * 3
