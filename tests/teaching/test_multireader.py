"""From the answers of a session to the analysis over readers and cases."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainmri.errors import EvaluationError
from brainmri.teaching.confidence import scores_by_class
from brainmri.teaching.multireader import compare_alone_with_network
from tests.teaching.drawn_answers import draw_answers


def test_readers_get_the_areas_of_scikit_learn_both_ways():
    answers = draw_answers(readers=5, cases=60)
    found = compare_alone_with_network(answers, diagnosis="PCNSL")
    for way, confidence in enumerate((answers.alone_confidence, answers.assisted_confidence)):
        expected = [roc_auc_score(answers.truth == 1, confidence[reader, :, 1]) for reader in range(5)]
        np.testing.assert_allclose(found.analysis.areas[way], expected, atol=1e-12)


def test_the_mean_over_diagnoses_is_the_mean_of_their_areas():
    answers = draw_answers(readers=4, cases=60)
    of_all = compare_alone_with_network(answers).analysis.areas
    each = [compare_alone_with_network(answers, diagnosis=name).analysis.areas for name in answers.classes]
    np.testing.assert_allclose(of_all, np.mean(each, axis=0), atol=1e-12)


def test_help_by_the_network_is_found_and_said():
    found = compare_alone_with_network(draw_answers(readers=8, cases=90))
    assert found.analysis.change.lower > 0
    assert found.sentence.startswith("Mean area under the ROC curve averaged over the diagnoses: 0.")
    assert found.sentence.endswith("a difference beyond chance for readers and cases like these.")
    assert found.warnings == ()


def test_confidence_in_the_chosen_diagnosis_is_enough():
    answers = draw_answers(readers=5, cases=60, confidence="chosen")
    found = compare_alone_with_network(answers, diagnosis="glioblastoma")
    scores = scores_by_class(answers.alone, answers.alone_confidence)
    assert found.analysis.areas[0, 2] == pytest.approx(roc_auc_score(answers.truth == 0, scores[2, :, 0]))


def test_a_reader_who_answered_little_is_left_out_before_cases_are():
    answers = draw_answers(readers=5, cases=60)
    alone, assisted = answers.alone.copy(), answers.assisted.copy()
    alone[0, 20:] = -1
    assisted[3, 5] = -1
    found = compare_alone_with_network(replace(answers, alone=alone, assisted=assisted))
    assert found.left_out == ("reader 1",)
    assert (len(found.readers), found.cases, found.cases_left_out) == (4, 59, 1)


def test_few_readers_and_few_cases_are_warned_of():
    found = compare_alone_with_network(draw_answers(readers=3, cases=24))
    assert found.warnings == (
        "With 3 readers little can be said about other readers: take 4 or more before relying on the interval.",
        "There are few cases (8 of glioblastoma, 8 of PCNSL, 8 of meningioma, of 24): with fewer than 10 with or "
        "without a diagnosis the interval is a rough guide.",
    )


def test_one_reader_is_compared_with_itself_only():
    found = compare_alone_with_network(draw_answers(readers=1, cases=60))
    assert found.sentence.endswith("for this reader on cases like these.")
    assert found.analysis.change.p is None


def test_a_diagnosis_without_cases_has_no_analysis_and_the_reason():
    answers = draw_answers(readers=4, cases=30)
    found = compare_alone_with_network(replace(answers, truth=np.arange(30) % 2))
    assert found.analysis is None
    assert found.curves.shape == (2, 0, found.grid.size)
    assert found.sentence == (
        "Of the 30 cases that all readers answered both ways, 0 with meningioma: an area under the ROC curve needs 2 "
        "cases with it and 2 without."
    )


@pytest.mark.parametrize(
    "answers", [draw_answers(missing=1.0), draw_answers(confidence="none"), draw_answers(readers=0)]
)
def test_nobody_who_answered_both_ways_is_said(answers):
    found = compare_alone_with_network(answers)
    assert found.analysis is None
    assert found.sentence.startswith("Nobody has answered with a confidence both alone and with the network")


def test_readers_who_are_always_right_and_sure_leave_nothing_to_test():
    answers = draw_answers(readers=4, cases=30)
    right = np.tile(answers.truth, (4, 1))
    sure = np.tile(np.eye(3)[answers.truth], (4, 1, 1))
    found = compare_alone_with_network(
        replace(answers, alone=right, assisted=right, alone_confidence=sure, assisted_confidence=sure)
    )
    assert "1.000 alone, 1.000 with the network" in found.sentence
    assert found.sentence.endswith("there is nothing to test.")


def test_curves_rise_from_left_to_right_and_enclose_the_area():
    answers = draw_answers(readers=4, cases=90)
    found = compare_alone_with_network(answers, diagnosis="PCNSL")
    assert (np.diff(found.curves, axis=2) >= 0).all()
    assert found.curves[..., -1].tolist() == [[1.0] * 4] * 2
    np.testing.assert_allclose(np.trapezoid(found.curves, found.grid, axis=2), found.analysis.areas, atol=0.01)


def test_a_diagnosis_that_is_not_offered_is_refused():
    with pytest.raises(EvaluationError, match="The session does not offer 'schwannoma'"):
        compare_alone_with_network(draw_answers(), diagnosis="schwannoma")
