"""Temperature scaling against scipy's minimiser, on draws with a known temperature, and at its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from brainmri.errors import EvaluationError
from brainmri.evaluation.metrics import Metric, measure_runs
from brainmri.evaluation.temperature import apply_temperature, calibrate_runs, fit_temperature, scale_predictions
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of


def draw(n: int, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are ``sharpness`` times too extreme, and classes drawn from the honest ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 1.5
    honest = softmax(logits, axis=1)
    true = (rng.random(n)[:, None] > np.cumsum(honest, axis=1)).sum(axis=1).clip(0, 2)
    return softmax(logits * sharpness, axis=1), true


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 2.5, 6.0])
def test_the_temperature_agrees_with_scipy(sharpness: float) -> None:
    probabilities, true = draw(400, sharpness)

    def loss(temperature: float) -> float:
        return -log_softmax(np.log(probabilities) / temperature, axis=1)[np.arange(400), true].mean()

    expected = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    found = fit_temperature(probabilities, true)
    assert found.value == pytest.approx(expected.x, rel=1e-6)
    assert found.loss_after == pytest.approx(expected.fun, abs=1e-12)
    assert found.loss_before == pytest.approx(loss(1.0))
    assert found.note is None


def test_a_known_temperature_is_recovered() -> None:
    found = fit_temperature(*draw(20_000, 2.5))
    assert found.value == pytest.approx(2.5, rel=0.03)
    assert found.images == 20_000


def test_scaling_divides_logarithms_and_keeps_the_class() -> None:
    np.testing.assert_allclose(apply_temperature([[0.8, 0.2], [0.5, 0.5]], 2.0), [[2 / 3, 1 / 3], [0.5, 0.5]])
    probabilities, _ = draw(100, 3.0)
    scaled = apply_temperature(probabilities, 3.0)
    np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(apply_temperature(scaled, 1 / 3), probabilities, atol=1e-9)


def test_probabilities_of_zero_can_be_scaled() -> None:
    scaled = apply_temperature([[1.0, 0.0, 0.0]], 40.0)
    assert np.isfinite(scaled).all()
    assert scaled.sum() == pytest.approx(1.0)
    assert 0 < scaled[0, 1] < 0.2


def test_scaling_improves_what_overconfident_runs_say() -> None:
    honest = draw_predictions(repeats=2, cases=200, slices=3, tested=0.5)
    sharp = scale_predictions(honest, np.full(4, 0.25))
    found = calibrate_runs(sharp, sharp)
    assert [one.run.run_id for one in found] == ["alexnet-1", "alexnet-2", "resnet50-1", "resnet50-2"]
    for place, one in enumerate(found):
        rows = honest.run == place
        of_honest = fit_temperature(honest.probabilities[rows], honest.true_class[rows]).value
        assert one.temperature.value == pytest.approx(4 * of_honest, rel=1e-3)  # float32 in between
        assert one.after["log_loss"] < one.before["log_loss"]
        assert one.after["brier"] < one.before["brier"]
        assert one.before["ece"] == measure_runs(sharp, Metric("ece")).values[place]
        assert one.after["log_loss"] == pytest.approx(one.temperature.loss_after, abs=1e-5)


def test_the_effect_can_be_measured_on_cases() -> None:
    sharp = scale_predictions(draw_predictions(repeats=1, cases=200, tested=0.5), [0.25, 0.25])
    on_images, on_cases = calibrate_runs(sharp, sharp), calibrate_runs(sharp, sharp, level="case")
    assert on_images[0].temperature == on_cases[0].temperature
    assert on_images[0].after != on_cases[0].after


def test_a_run_without_images_set_aside_stays_as_it_is() -> None:
    test = draw_predictions(repeats=2)
    validation = test.of("alexnet")
    found = calibrate_runs(validation, test)
    assert found[0].temperature.value != 1.0
    last = found[-1]
    assert (last.temperature.value, last.before) == (1.0, last.after)
    assert last.temperature.note.startswith("There are no images to fit a temperature on")
    empty = replace(predictions_of([]), runs=())
    with pytest.raises(EvaluationError, match="no predictions of images set aside"):
        calibrate_runs(empty, test)


def test_all_right_ends_at_the_lowest_temperature_with_a_note() -> None:
    found = fit_temperature([[0.7, 0.3], [0.2, 0.8]], [0, 1])
    assert found.value == pytest.approx(0.05)
    assert "the temperature ends at 0.05, and means nothing" in found.note


def test_all_wrong_ends_at_the_highest_temperature_with_a_note() -> None:
    found = fit_temperature([[0.7, 0.3], [0.2, 0.8]], [1, 0])
    assert found.value == pytest.approx(20)
    assert "say nothing of the classes" in found.note
    assert found.loss_after < found.loss_before


def test_even_probabilities_and_no_image_leave_the_temperature_at_one() -> None:
    even = fit_temperature(np.full((4, 2), 0.5), [0, 1, 0, 1])
    assert (even.value, even.loss_after) == (1.0, pytest.approx(np.log(2)))
    assert "given the same probability" in even.note
    none = fit_temperature(np.empty((0, 3)), [])
    assert (none.value, none.images, none.loss_before) == (1.0, 0, None)
    with pytest.raises(EvaluationError, match=r"shape \(2, 3\) and the classes \(3,\)"):
        fit_temperature(np.full((2, 3), 1 / 3), [0, 1, 2])
