"""Confidence of readers against scikit-learn and hand-computed cases."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainmri.teaching.confidence import chosen_confidence, measure_areas, measure_calibration, scores_by_class
from tests.teaching.drawn_answers import CLASSES, draw_answers

NAN = np.nan


def test_the_confidence_of_the_chosen_class_is_taken_and_none_where_nothing_was_answered():
    confidence = np.array([[0.2, 0.7, 0.1], [0.9, NAN, NAN], [NAN, NAN, NAN], [0.3, 0.3, 0.4]])
    taken = chosen_confidence(np.array([1, 0, 2, -1]), confidence)
    np.testing.assert_array_equal(taken, [0.7, 0.9, NAN, NAN])


def test_a_confidence_in_the_chosen_class_only_puts_each_yes_above_each_no():
    chosen = np.array([0, 0, 1, -1])
    confidence = np.array([[0.9, NAN], [0.4, NAN], [NAN, 0.8], [NAN, NAN]])
    scores = scores_by_class(chosen, confidence)
    np.testing.assert_array_equal(scores, [[0.9, -0.9], [0.4, -0.4], [-0.8, 0.8], [NAN, NAN]])


def test_one_answer_without_all_classes_makes_all_scores_follow_the_same_rule():
    chosen, confidence = np.array([0, 1]), np.array([[0.9, 0.1], [NAN, 0.8]])
    np.testing.assert_array_equal(scores_by_class(chosen, confidence), [[0.9, -0.9], [-0.8, 0.8]])


@pytest.mark.parametrize("confidence", ["each", "chosen"])
def test_areas_are_those_of_scikit_learn(confidence):
    answers = draw_answers(cases=60, confidence=confidence)
    found = measure_areas(answers.alone[0], answers.alone_confidence[0], answers.truth, CLASSES)
    scores = scores_by_class(answers.alone[0], answers.alone_confidence[0])
    expected = [roc_auc_score(answers.truth == index, scores[:, index]) for index in range(3)]
    assert [area.auc for area in found.areas] == pytest.approx(expected, abs=1e-12)
    assert found.macro == pytest.approx(np.mean(expected), abs=1e-12)
    assert all(area.lower < area.auc < area.upper for area in found.areas)


def test_too_few_cases_have_no_area_and_the_reason():
    answers = draw_answers(cases=12)
    found = measure_areas(answers.alone[0], answers.alone_confidence[0], answers.truth, CLASSES)
    assert found.macro is None
    assert found.note == (
        "Of 12 cases answered with a confidence, 4 with glioblastoma and 8 without: an area under the ROC curve needs "
        "5 of each."
    )


def test_an_absent_class_leaves_the_areas_of_the_others():
    truth = np.array([0, 1] * 6)
    confidence = np.tile([0.6, 0.3, 0.1], (12, 1))
    found = measure_areas(np.zeros(12, dtype=int), confidence, truth, CLASSES)
    assert [area.auc for area in found.areas] == [0.5, 0.5, None]
    assert found.macro is None


def test_no_confidence_at_all_has_no_area():
    found = measure_areas(np.zeros(12, dtype=int), np.full((12, 3), NAN), np.zeros(12, dtype=int), CLASSES)
    assert (found.cases, found.macro) == (0, None)
    assert found.note.startswith("Of 0 cases answered with a confidence")


def test_calibration_of_a_hand_computed_case():
    """Bins (0.4, 0.6]: 0.5 and 0.6, one of two right; (0.8, 1]: 0.9 and 1.0, two of two right."""
    confidence = np.zeros((4, 3))
    confidence[:, 0] = [0.5, 0.6, 0.9, 1.0]
    found = measure_calibration(np.zeros(4, dtype=int), confidence, np.array([0, 1, 0, 0]))
    assert found.error == pytest.approx((2 * abs(0.55 - 0.5) + 2 * abs(0.95 - 1.0)) / 4)
    assert found.gap == pytest.approx(0.75 - 0.75)
    assert [one.right.n for one in found.bins] == [0, 0, 2, 0, 2]
    assert found.sentence == (
        "Mean confidence 75 %, right 75 %: confidence and accuracy agree. With 4 answers this may be chance."
    )


def test_over_and_under_confidence_are_said():
    sure, timid = np.tile([1.0, 0.0], (40, 1)), np.tile([0.6, 0.4], (40, 1))
    chosen, half = np.zeros(40, dtype=int), np.arange(40) % 2
    assert "more confident than right by 50 percentage points." in measure_calibration(chosen, sure, half).sentence
    assert "less confident than right by 40" in measure_calibration(chosen, timid, np.zeros(40, dtype=int)).sentence


def test_no_confidence_is_said():
    found = measure_calibration(np.array([0, -1]), np.full((2, 2), NAN), np.array([0, 1]))
    assert (found.answers, found.error, found.gap) == (0, None, None)
    assert found.sentence == "No answer came with a confidence: there is nothing to say about it."
