"""Two experiments in words and rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainmri.evaluation.experiments_compared import ArchitectureDifference, ExperimentPair
from brainmri.evaluation.leakage import LeakageDifference
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.side_by_side import (
    BY_IMAGE,
    BY_PATIENT,
    describe_leakage,
    describe_other_settings,
    of_two_experiments,
    side_by_side_rows,
    under_both_splits,
)
from brainmri.training.settings import TrainingSettings

ACCURACY, LOG_LOSS = Metric("accuracy"), Metric("log_loss")

ONE = LeakageDifference(
    architecture="alexnet",
    by_image=0.95,
    by_patient=0.90,
    repeats_by_image=10,
    repeats_by_patient=9,
    difference=0.05,
    lower=0.02,
    upper=0.08,
    lower_over_splits=-0.01,
    upper_over_splits=0.11,
    notes=("First.", "Second."),
)
TWO = replace(ONE, architecture="resnet50", difference=0.01, lower=-0.01, upper=0.03)
NONE = replace(ONE, architecture="googlenet", by_image=None, difference=None, lower=None, lower_over_splits=None)


def said(*differences: LeakageDifference, metric: Metric = ACCURACY) -> str:
    return describe_leakage(under_both_splits(differences), metric)


def test_rows_are_in_per_cent_and_points_with_both_intervals() -> None:
    row, empty = side_by_side_rows(under_both_splits([ONE, NONE]), ACCURACY)
    assert row == {
        "Network": "AlexNet",
        BY_IMAGE: pytest.approx(95),
        BY_PATIENT: pytest.approx(90),
        "Difference": pytest.approx(5),
        "95 % over patients": "+2.0 to +8.0",
        "95 % over repeats": "−1.0 to +11.0",
        "Repeats": "10 and 9",
    }
    assert (empty[BY_IMAGE], empty["Difference"], empty["95 % over patients"]) == (None, None, "–")
    assert under_both_splits([ONE]).networks[0].note == "First. Second."


def test_plain_numbers_stay_plain() -> None:
    row = side_by_side_rows(under_both_splits([ONE]), LOG_LOSS)[0]
    assert (row[BY_IMAGE], row["95 % over patients"]) == (0.95, "+0.020 to +0.080")


def test_what_leaks_is_said_with_how_sure_it_is() -> None:
    assert said(ONE, TWO) == (
        "Split of images against split of patients: AlexNet +5.0 and ResNet50 +1.0 percentage points. AlexNet seems "
        "better than on new patients, though other splits could have shown otherwise."
    )
    sure = replace(ONE, lower_over_splits=0.01)
    assert said(sure).endswith("AlexNet seems better than on new patients.")
    assert said(sure, replace(sure, architecture="resnet50")).endswith("Each seems better than on new patients.")
    assert "No difference is clear" in said(TWO)
    assert said(NONE) == "No network has this metric under both splits: there is no difference to take."


def test_lower_is_better_for_losses() -> None:
    assert "AlexNet is not better but worse" in said(ONE, metric=LOG_LOSS)
    gain = replace(ONE, difference=-0.05, lower=-0.08, upper=-0.02)
    assert said(gain, metric=LOG_LOSS).startswith("Split of images against split of patients: AlexNet −0.050 nats.")
    assert "AlexNet seems better than on new patients" in said(gain, metric=LOG_LOSS)


def test_two_experiments_of_one_kind_have_p_values() -> None:
    tested = ArchitectureDifference(
        architecture="alexnet",
        mean_a=0.9,
        mean_b=0.8,
        n_a=3,
        n_b=3,
        difference=0.1,
        lower=0.05,
        upper=0.15,
        p=0.01,
        p_holm=0.02,
    )
    bare = ArchitectureDifference(
        architecture="resnet50", mean_a=0.9, mean_b=None, n_a=3, n_b=0, difference=None, note="resnet50 has none."
    )
    pair = ExperimentPair(
        a="exp-001", b="exp-002", paired=True, splits_shared=3, how="", differences=(tested, bare), notes=()
    )
    compared = of_two_experiments(pair)
    first, second = side_by_side_rows(compared, ACCURACY)
    assert (first["exp-001"], first["p, Holm"], first["95 % over repeats"]) == (90, "0.020", "+5.0 to +15.0")
    assert (second["exp-002"], second["p, Holm"]) == (None, "–")
    assert compared.networks[1].note == "ResNet50 has none."


def test_other_settings_that_matter_are_named() -> None:
    one = TrainingSettings()
    assert describe_other_settings(one, replace(one, split_by="image", repeats=3, seed=5, device="cpu")) is None
    assert describe_other_settings(one, replace(one, epochs=7, learning_rate=0.01)) == (
        "They also differ in epochs (30 and 7) and learning rate (0.002 and 0.01), which may explain part of the "
        "difference."
    )
