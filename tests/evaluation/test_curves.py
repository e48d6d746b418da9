"""ROC and precision-recall curves over repeats, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from brainmri.errors import EvaluationError
from brainmri.evaluation.curves import average_curves, precision_recall_points, roc_points
from brainmri.evaluation.metrics import Metric, measure_runs
from brainmri.evaluation.verdicts import score
from tests.evaluation.drawn_predictions import CLASSES, draw_predictions, predictions_of


@pytest.fixture
def labelled() -> tuple[np.ndarray, np.ndarray]:
    """Return 200 positives and negatives with scores, many of them tied."""
    rng = np.random.default_rng(6)
    positive = rng.random(200) < 0.35
    return positive, np.round(rng.normal(size=200) + positive, 1)


def test_points_are_those_of_scikit_learn(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    false_positive, true_positive, _ = roc_curve(*labelled, drop_intermediate=False)
    found = roc_points(*labelled)
    np.testing.assert_allclose(found[0], false_positive, atol=1e-12)
    np.testing.assert_allclose(found[1], true_positive, atol=1e-12)
    precision, recall, _ = precision_recall_curve(*labelled)
    found = precision_recall_points(*labelled)
    np.testing.assert_allclose(found[0], precision[:-1][::-1], atol=1e-12)
    np.testing.assert_allclose(found[1], recall[:-1][::-1], atol=1e-12)


@pytest.mark.parametrize("level", ["image", "case"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_areas_and_curves_of_runs_agree_with_scikit_learn(level: str, index: int) -> None:
    scored = score(draw_predictions(repeats=3, cases=60), level=level)
    roc = average_curves(scored, index)
    precision_recall = average_curves(scored, index, kind="precision_recall")
    for place, run in enumerate(scored.runs):
        rows = scored.run == place
        is_it, scores = scored.true_class[rows] == index, scored.probabilities[rows, index]
        band = roc[run.architecture]
        assert band.areas[run.repeat - 1] == pytest.approx(roc_auc_score(is_it, scores))
        x, y, _ = roc_curve(is_it, scores, drop_intermediate=False)
        between = ~np.isclose(band.grid[:, None], x).any(axis=1)  # where the curve rises upright both ends are right
        np.testing.assert_allclose(band.curves[run.repeat - 1][between], np.interp(band.grid, x, y)[between], atol=1e-9)
        band = precision_recall[run.architecture]
        assert band.areas[run.repeat - 1] == pytest.approx(average_precision_score(is_it, scores))
        precision, recall, _ = precision_recall_curve(is_it, scores)
        for point in (0.005, 0.25, 0.5, 0.995):
            reached = np.flatnonzero(recall[:-1] >= point - 1e-9)[-1]  # the highest score that reaches it
            assert band.curves[run.repeat - 1][round(point * 200)] == pytest.approx(precision[reached])


def test_an_upright_rise_ends_at_its_upper_end() -> None:
    rows = [(0, case, int(case >= 4), [p, 1 - p, 0]) for case, p in enumerate([0.9, 0.8, 0.6, 0.3, 0.7, 0.2])]
    band = average_curves(predictions_of(rows), 0, points=5)["alexnet"]  # in order of score: + + − + + −
    assert band.curves[0].tolist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    assert band.areas == (0.75,)
    steps = average_curves(predictions_of(rows), 0, kind="precision_recall", points=5)["alexnet"]
    assert steps.curves[0].tolist() == pytest.approx([1, 1, 1, 3 / 4, 4 / 5])
    assert steps.areas == pytest.approx(((1 + 1 + 3 / 4 + 4 / 5) / 4,))


def test_the_band_is_one_standard_deviation_around_the_mean() -> None:
    band = average_curves(draw_predictions(repeats=5), 1)["alexnet"]
    assert band.curves.shape == (5, 201)
    np.testing.assert_allclose(band.mean, band.curves.mean(axis=0))
    lower, upper = band.band
    inside = (lower > 0) & (upper < 1)
    np.testing.assert_allclose((upper - lower)[inside], 2 * band.curves.std(axis=0, ddof=1)[inside], atol=1e-12)
    assert lower.min() >= 0
    assert upper.max() <= 1
    assert band.mean_area == pytest.approx(np.mean(band.areas))
    assert band.sd_area == pytest.approx(np.std(band.areas, ddof=1))
    assert (np.diff(band.mean) >= -1e-12).all()


def test_areas_are_the_auc_of_the_metrics() -> None:
    predictions = draw_predictions(repeats=3)
    measured = measure_runs(predictions, Metric("auc", 2)).by_run
    for band in average_curves(predictions, 2).values():
        assert dict(zip(band.run_ids, band.areas, strict=True)) == pytest.approx(
            {run_id: measured[run_id] for run_id in band.run_ids}
        )


def test_the_precision_of_guessing_is_the_share_of_the_class() -> None:
    predictions = draw_predictions(repeats=2, tested=1.0)
    band = average_curves(predictions, 0, kind="precision_recall")["alexnet"]
    assert band.prevalence == pytest.approx(1 / 3)
    assert band.curves[0, -1] >= 1 / 3 - 1e-9


def test_runs_without_the_class_are_left_out_and_told() -> None:
    rows = [(0, 0, 0, [0.8, 0.2, 0]), (0, 1, 1, [0.3, 0.7, 0]), (1, 0, 0, [0.7, 0.3, 0])]
    predictions = predictions_of(rows, runs=("alexnet", "alexnet"))
    band = average_curves(predictions, 1)["alexnet"]
    assert band.run_ids == ("alexnet-1",)
    assert band.band is None
    assert band.sd_area is None
    assert band.note == "1 of 2 runs have no curve: they tested no PCNSL, or nothing else."
    only = average_curves(predictions, 0, kind="precision_recall")["alexnet"]
    assert only.areas == (1.0, 1.0)


def test_a_class_that_nobody_tested_has_an_empty_band() -> None:
    band = average_curves(predictions_of([(0, 0, 0, [0.8, 0.2, 0])]), 2)["alexnet"]
    assert (band.mean, band.band, band.mean_area, band.prevalence, band.areas) == (None, None, None, None, ())
    assert band.curves.shape == (0, 201)
    assert average_curves(predictions_of([], runs=()), 0) == {}


def test_all_right_is_the_upper_left_corner() -> None:
    rows = [(0, case, case % 3, np.eye(3)[case % 3].tolist()) for case in range(9)]
    for kind in ("roc", "precision_recall"):
        band = average_curves(predictions_of(rows), 0, kind=kind)["alexnet"]
        assert (band.curves == 1).all()
        assert band.areas == (1.0,)


def test_what_has_no_curve_is_refused() -> None:
    with pytest.raises(EvaluationError, match="one of the 3 classes"):
        average_curves(draw_predictions(), len(CLASSES))
    with pytest.raises(EvaluationError, match="choose roc or precision_recall"):
        average_curves(draw_predictions(), 0, kind="lift")
