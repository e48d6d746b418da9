"""Scores of one reader against scikit-learn and statsmodels."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from brainmri.errors import EvaluationError
from brainmri.teaching.scores import measure_help, score_reader, score_readers
from tests.teaching.drawn_answers import draw_answers

NAN = np.nan


@pytest.fixture(scope="module")
def answers():
    return draw_answers(readers=3, cases=60, missing=0.1, seed=2)


@pytest.mark.parametrize("step", ["alone", "with network"])
def test_accuracy_confusion_and_sensitivity_are_those_of_scikit_learn(answers, step):
    for row, score in enumerate(score_readers(answers)):
        found = score.alone if step == "alone" else score.assisted
        here = answers.chosen(step)[row] >= 0
        true, said = answers.truth[here], answers.chosen(step)[row][here]
        assert found.accuracy.share == pytest.approx(accuracy_score(true, said))
        np.testing.assert_array_equal(found.confusion, confusion_matrix(true, said, labels=[0, 1, 2]))
        assert [one.sensitivity.share for one in found.classes] == pytest.approx(recall_score(true, said, average=None))
        of_rest = [recall_score(true != index, said != index) for index in range(3)]
        assert [one.specificity.share for one in found.classes] == pytest.approx(of_rest)


def test_intervals_are_wilsons_as_in_statsmodels(answers):
    score = score_reader(answers, "reader 2")
    shares = [score.alone.accuracy, score.alone.classes[1].sensitivity, score.assisted.classes[2].specificity]
    for share in shares:
        expected = proportion_confint(share.hits, share.n, method="wilson")
        assert (share.lower, share.upper) == pytest.approx(expected)


def test_helped_and_harmed_are_counted_and_tested_as_in_statsmodels(answers):
    help_ = score_reader(answers, "reader 1").help
    here = answers.alone[0] >= 0
    first, second = (answers.alone[0] == answers.truth)[here], (answers.assisted[0] == answers.truth)[here]
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    assert (help_.helped, help_.harmed) == (table[1][0], table[0][1])
    assert help_.test.p_exact == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert help_.test.difference == pytest.approx(second.mean() - first.mean())


def test_help_beyond_chance_is_said_and_help_within_it_too():
    truth, wrong = np.zeros(20, dtype=int), np.ones(20, dtype=int)
    one = np.where(np.arange(20) < 2, 1, 0)
    assert measure_help(wrong, truth, truth).sentence == (
        "Of 20 cases, the network helped in 20 and harmed in 0: more than chance explains (McNemar's exact test, "
        "p < 0.001)."
    )
    assert "no more than chance may explain" in measure_help(one, truth, truth).sentence
    assert "the same cases are right either way" in measure_help(truth, truth, truth).sentence


def test_a_change_from_wrong_to_wrong_is_a_change_but_no_help():
    found = measure_help(np.array([1]), np.array([2]), np.array([0]))
    assert (found.changed, found.helped, found.harmed) == (1, 0, 0)


def test_time_is_the_median_with_quartiles(answers):
    times = answers.seconds[0]
    assert score_reader(answers, "reader 1").seconds == pytest.approx(np.nanpercentile(times, [25, 50, 75]))


def test_cases_to_see_come_with_reasons_the_most_instructive_first(answers):
    small = replace(
        answers,
        readers=("a",),
        cases=("1", "2", "3", "4", "5", "6"),
        truth=np.array([0, 0, 0, 0, 0, 0]),
        alone=np.array([[0, 1, 0, 1, 1, -1]]),
        assisted=np.array([[0, 0, 1, 1, 1, -1]]),
        alone_confidence=np.array(
            [[[0.3, 0, 0], [0, 0.5, 0], [0.9, 0, 0], [0, 0.6, 0], [0, 0.95, 0], [NAN, NAN, NAN]]]
        ),
        assisted_confidence=np.full((1, 6, 3), NAN),
        seconds=np.full((1, 6), NAN),
        network=np.full((6, 3), NAN),
    )
    found = score_reader(small, "a")
    assert [(one.case_id, one.reason) for one in found.look_again] == [
        ("3", "right alone, then changed to a wrong answer with the network"),
        ("5", "wrong with a confidence of 95 %"),
        ("4", "wrong"),
        ("2", "wrong alone, right with the network"),
        ("1", "right with a confidence of 30 % only"),
    ]
    assert (found.look_again[0].alone, found.look_again[0].assisted) == ("glioblastoma", "PCNSL")
    assert found.seconds is None
    assert (found.cases, found.answered) == (6, 5)


def test_an_absent_class_has_no_sensitivity_and_says_so():
    answers = draw_answers(readers=1, cases=9)
    score = score_reader(replace(answers, truth=np.zeros(9, dtype=int)), "reader 1")
    first, second, _ = score.alone.classes
    assert first.specificity.share is None
    assert first.note == "No case of another diagnosis than glioblastoma was answered: there is no specificity."
    assert second.sensitivity.share is None
    assert second.note == "No case of PCNSL was answered: there is no sensitivity."


def test_all_right_is_scored_without_a_warning():
    answers = draw_answers(readers=1, cases=30)
    right = np.array([answers.truth])
    score = score_reader(replace(answers, alone=right, assisted=right), "reader 1")
    assert score.alone.accuracy.share == 1
    assert score.alone.accuracy.lower < 1
    assert "the same cases are right either way" in score.help.sentence


def test_nobody_answered_is_said():
    answers = draw_answers(readers=1, cases=6, missing=1.0)
    score = score_reader(answers, "reader 1")
    assert score.answered == 0
    assert score.alone.note == "No case was answered alone."
    assert score.assisted.note == "No case was answered with the network."
    assert score.alone.accuracy.share is None
    assert score.help.sentence == ("No case was answered both alone and with the network: its help cannot be counted.")
    assert score.look_again == ()


def test_one_case_is_scored():
    score = score_reader(draw_answers(readers=1, cases=1), "reader 1")
    assert score.alone.accuracy.n == 1


def test_a_stranger_has_no_score(answers):
    with pytest.raises(EvaluationError, match="'nobody' is no reader of this session"):
        score_reader(answers, "nobody")
