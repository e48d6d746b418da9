"""Confident learning by hand, against a loop over its definition, and with labels that were turned on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainmri.evaluation.label_errors import class_thresholds, confident_classes, find_label_errors
from brainmri.evaluation.loading import ExperimentPredictions
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of

TWO = ("glioblastoma", "PCNSL")


def by_definition(probabilities: np.ndarray, given: np.ndarray) -> list[int]:
    """Return what each case counts for (−1: nothing), by loops over equations 1 and 2 of the paper."""
    classes = probabilities.shape[1]
    thresholds = {}
    for name in range(classes):
        mine = [row[name] for row, label in zip(probabilities, given, strict=True) if label == name]
        if mine:
            thresholds[name] = sum(mine) / len(mine)
    found = []
    for row in probabilities:
        reached = [name for name in thresholds if row[name] >= thresholds[name] - 1e-9]
        found.append(max(reached, key=lambda name: row[name]) if reached else -1)
    return found


def test_a_case_by_hand() -> None:
    """Thresholds (0.9 + 0.8 + 0.1) / 3 = 0.6 and (0.9 + 0.7 + 0.5) / 3 = 0.7.

    C gives PCNSL 0.9 and is suspected; F reaches neither threshold and counts for nothing.
    """
    first = [(0, 0, 0, [0.9, 0.1]), (0, 1, 0, [0.8, 0.2]), (0, 2, 0, [0.1, 0.9])]
    second = [(0, 3, 1, [0.1, 0.9]), (0, 4, 1, [0.3, 0.7]), (0, 5, 1, [0.5, 0.5])]
    found = find_label_errors(predictions_of([*first, *second], classes=TWO))
    assert found.thresholds == pytest.approx({"glioblastoma": 0.6, "PCNSL": 0.7})
    assert found.confident_joint.tolist() == [[2, 1], [0, 2]]
    assert [(one.case_id, one.given, one.suggested) for one in found.suspected] == [("C", "glioblastoma", "PCNSL")]
    assert found.suspected[0].self_confidence == pytest.approx(0.1)
    assert found.suspected[0].suggested_confidence == pytest.approx(0.9)
    assert [one.case_id for one in found.cases] == ["C", "F", "E", "B", "A", "D"]


def test_a_case_that_reaches_two_thresholds_counts_for_the_likelier() -> None:
    thresholds = np.array([0.3, 0.4, np.inf])
    probabilities = np.array([[0.35, 0.45, 0.2], [0.5, 0.42, 0.08], [0.1, 0.1, 0.8]])
    assert confident_classes(probabilities, thresholds).tolist() == [1, 0, -1]


def test_probabilities_are_means_over_images_and_then_over_the_runs_that_tested_the_case() -> None:
    rows = [
        (0, 0, 0, [0.9, 0.1]),
        (0, 0, 0, [0.7, 0.3]),
        (1, 0, 0, [0.2, 0.8]),
        (1, 1, 1, [0.0, 1.0]),
    ]
    found = find_label_errors(predictions_of(rows, runs=("alexnet", "resnet50"), classes=TWO))
    cases = {one.case_id: one for one in found.cases}
    assert cases["A"].self_confidence == pytest.approx((0.8 + 0.2) / 2)
    assert (cases["A"].runs, cases["B"].runs) == (2, 1)


@pytest.mark.parametrize("seed", range(5))
def test_arrays_agree_with_loops_over_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([0.6, 0.6, 0.6, 0.6], size=80)
    given = rng.integers(0, 3, size=80)  # no case of the last class
    found = confident_classes(probabilities, class_thresholds(probabilities, given))
    assert found.tolist() == by_definition(probabilities, given)
    assert (found < 3).all()


def test_turned_labels_are_suspected_and_their_diagnosis_suggested() -> None:
    true = draw_predictions(cases=60, repeats=8, skill=6.0, tested=0.5, seed=2)
    turned = {4: 2, 20: 0, 33: 1}  # case → another class than case % 3
    labels = true.true_class.copy()
    for case, label in turned.items():
        assert case % 3 != label
        labels[true.case == case] = label
    found = find_label_errors(replace(true, true_class=labels))
    suggested = {one.case_id: one.suggested for one in found.suspected}
    for case in turned:
        assert suggested[f"case-{case + 1:04d}"] == true.classes[case % 3]
    assert len(suggested) <= 5  # of 57 right labels, two at most
    assert len(find_label_errors(true).suspected) <= 2


def test_what_cannot_be_said_is_told() -> None:
    alone = find_label_errors(predictions_of([(0, 0, 0, [0.2, 0.8]), (0, 1, 0, [0.9, 0.1])], classes=TWO))
    assert alone.suspected == ()
    assert "No case of PCNSL was tested" in alone.notes[0]
    assert "Few tested cases of glioblastoma (2)" in alone.notes[1]
    none: ExperimentPredictions = predictions_of([], classes=TWO)
    assert find_label_errors(none).cases == ()
    many = draw_predictions(cases=60, tested=1.0)
    assert find_label_errors(many).notes == ()
    assert "hardly contradict a wrong one" in find_label_errors(many, out_of_sample=False).notes[0]
