from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainmri.evaluation.bootstrap import bootstrap_metric
from brainmri.evaluation.confusion import list_cells
from brainmri.evaluation.loading import PredictedRun, load_predictions
from brainmri.evaluation.metrics import Metric, measure_runs, metrics_of
from brainmri.evaluation.network_rows import (
    calibration_rows,
    cell_rows,
    describe_cell,
    describe_referral,
    describe_temperatures,
    describe_times,
    largest_error,
    metric_notes,
    metric_rows,
)
from brainmri.evaluation.reading import read_finished_runs
from brainmri.evaluation.referral import ReferralCurve
from brainmri.evaluation.temperature import CalibratedRun, Temperature, fit_temperature
from tests.evaluation.drawn_predictions import predictions_of


@pytest.fixture
def predictions(study, make_experiment):
    make_experiment(repeats=3)
    return load_predictions(study, "exp-001").of("resnet50")


def test_every_metric_has_its_mean_and_an_interval_around_it(predictions) -> None:
    metrics = metrics_of(predictions.classes)
    rows = metric_rows(
        [bootstrap_metric(predictions, one, seed=0, resamples=200) for one in metrics], predictions.classes
    )
    assert [row["Metric"] for row in rows][:4] == [
        "Accuracy",
        "Balanced accuracy",
        "Macro-F1",
        "Sensitivity, Glioblastoma",
    ]
    accuracy = np.mean(measure_runs(predictions, Metric("accuracy")).values)
    assert rows[0]["Mean"] == f"{100 * accuracy:.1f} %"
    low, high = rows[0]["95 % interval"].removesuffix(" %").split("–")
    assert float(low) <= 100 * accuracy <= float(high)


def test_the_cell_that_opens_first_is_the_most_frequent_error(predictions) -> None:
    cells = list_cells(predictions, "resnet50")
    wrong = predictions.true_class != predictions.predicted_class
    counts: dict[tuple[int, int], int] = {}
    for true, predicted in zip(predictions.true_class[wrong], predictions.predicted_class[wrong], strict=True):
        counts[int(true), int(predicted)] = counts.get((int(true), int(predicted)), 0) + 1
    place = largest_error(cells)
    assert counts[place] == max(counts.values())
    cell = cells[place]
    assert f": {counts[place]} images of {len(cell.cases)} case" in describe_cell(cell, counted="images")
    assert [row["Case"] for row in cell_rows(cell)] == [case.case_id for case in cell.cases]
    assert describe_cell(replace(cell, cases=()), counted="images").endswith(": never.")


def test_a_network_without_errors_opens_with_a_cell_all_the_same(predictions) -> None:
    right = replace(predictions, predicted_class=predictions.true_class)
    cells = list_cells(right, "resnet50")
    assert largest_error(cells) == (0, 0)
    assert describe_cell(cells[0, 0], counted="images").startswith("Glioblastoma recognised: ")


def test_referral_is_read_off_the_mean_curve() -> None:
    curve = ReferralCurve(
        architecture="alexnet",
        referred=np.array([0.0, 0.2, 0.4]),
        accuracies=np.array([[0.8, 0.9, 1.0], [0.6, 0.9, 0.9]]),
        run_ids=("a", "b"),
        areas=(0.1, 0.1),
        best_areas=(0.1, 0.1),
    )
    text = describe_referral(curve, 0.2, counted="cases")
    assert "With the 20 % of the cases" in text
    assert "right on 90.0 % of the rest; without referral on 70.0 %" in text
    assert text.endswith("For 95 % it would refer 40 %.")
    assert describe_referral(curve, 0.0, counted="cases").startswith("Without referral the network is right on 70.0 %")
    easy = replace(curve, accuracies=np.ones((2, 3)))
    assert (
        describe_referral(easy, 0.0, counted="cases")
        == "Without referral the network is right on 100.0 % of the cases."
    )
    low = replace(curve, accuracies=curve.accuracies / 2)
    assert describe_referral(low, 0.0, counted="cases").endswith("No share reaches 95 %.")
    assert describe_referral(replace(curve, accuracies=np.empty((0, 3))), 0.2, counted="cases").startswith("No run")


def calibrated(temperature: float, before: float, after: float) -> CalibratedRun:
    return CalibratedRun(
        run=PredictedRun(run_id="a", architecture="alexnet", repeat=1),
        temperature=Temperature(value=temperature, images=9, loss_before=None, loss_after=None),
        before={"ece": before, "log_loss": 1.0, "brier": None},
        after={"ece": after, "log_loss": 0.5, "brier": None},
    )


def test_calibration_tells_means_before_and_after_and_leaves_out_what_is_undefined() -> None:
    rows = calibration_rows([calibrated(2.0, 0.2, 0.1), calibrated(4.0, 0.4, 0.1)])
    assert {row["Metric"]: (row["As it is"], row["Scaled"]) for row in rows} == {
        "Expected calibration error": ("30.0 %", "10.0 %"),
        "Log loss": ("1.000", "0.500"),
    }
    text = describe_temperatures([calibrated(2.0, 0.2, 0.1), calibrated(4.0, 0.4, 0.1)])
    assert text.startswith("Temperature: median 3.00, from 2.00 to 4.00; above 1, on the images set aside")
    assert text.endswith("the network is too sure of itself.")
    assert "not sure enough" in describe_temperatures([calibrated(0.5, 0.2, 0.1)])


def test_times_are_told_in_units_that_fit(study, make_experiment) -> None:
    make_experiment(repeats=2)
    runs = [
        replace(run, seconds=90.0 + 7200 * place) for place, run in enumerate(read_finished_runs(study, "exp-001")[:2])
    ]
    assert "2 runs, 62 min each on average (90 s to 2.0 h)" in describe_times(runs)
    assert "not stored" in describe_times([replace(runs[0], seconds=None)])


def with_temperatures(*temperatures: Temperature) -> list[CalibratedRun]:
    same: dict[str, float | None] = {"ece": 0.1, "log_loss": 0.5, "brier": 0.3}
    return [
        CalibratedRun(
            run=PredictedRun(run_id=f"a-{repeat}", architecture="alexnet", repeat=repeat),
            temperature=one,
            before=same,
            after=same,
        )
        for repeat, one in enumerate(temperatures, start=1)
    ]


def test_runs_without_images_set_aside_say_nothing_of_the_temperature() -> None:
    nothing = fit_temperature(np.empty((0, 3)), np.empty(0))
    fitted = Temperature(value=2.0, images=50, loss_before=0.5, loss_after=0.4)
    text = describe_temperatures(with_temperatures(nothing, nothing, fitted))
    assert text.startswith("Temperature: 2.00; above 1, on the images set aside the network is too sure of itself.")
    assert "In 2 of 3 runs: There are no images to fit a temperature on" in text
    assert "sure enough" not in text
    assert describe_temperatures(with_temperatures(nothing)).startswith("No temperature was fitted.")


def test_a_temperature_at_its_bound_or_at_one_is_given_no_meaning_it_lacks() -> None:
    bound = fit_temperature([[0.98, 0.01, 0.01]] * 3, [0, 0, 0])
    text = describe_temperatures(with_temperatures(bound))
    assert "In 1 of 1 runs: Almost every image is right: the temperature ends at 0.05, and means nothing." in text
    assert "sure enough" not in text
    even = Temperature(value=1.0, images=50, loss_before=0.5, loss_after=0.5)
    assert describe_temperatures(with_temperatures(even)).endswith(
        "about 1, on the images set aside the network is about as sure as it is right."
    )


def test_a_metric_without_a_value_or_an_interval_has_its_reason() -> None:
    one = predictions_of([(0, 0, 0, [0.9, 0.1, 0.0]), (0, 1, 0, [0.8, 0.1, 0.1])])
    metrics = [Metric("accuracy"), Metric("sensitivity", 1), Metric("sensitivity", 2)]
    notes = metric_notes([bootstrap_metric(one, metric, seed=0, resamples=100) for metric in metrics], one.classes)
    assert notes == (
        "Accuracy: The value is the same whichever patients are drawn: the bootstrap shows no uncertainty.",
        "Sensitivity, PCNSL and 1 more: No run has this metric: there is no interval.",
    )
