"""Cases as items of a test, against scipy and hand-computed cases."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from brainmri.teaching.items import analyse_items
from tests.teaching.drawn_answers import draw_answers


def test_difficulty_is_the_share_right_with_wilsons_interval():
    answers = draw_answers(readers=8, cases=10, missing=0.2)
    found = analyse_items(answers).items[4]
    here = answers.alone[:, 4] >= 0
    hits = int((answers.alone[here, 4] == answers.truth[4]).sum())
    assert (found.right.hits, found.right.n) == (hits, here.sum())
    assert (found.right.lower, found.right.upper) == pytest.approx(
        proportion_confint(hits, here.sum(), method="wilson")
    )


def test_discrimination_is_the_point_biserial_correlation_with_the_other_cases():
    answers = draw_answers(readers=12, cases=10)
    right = answers.alone == answers.truth
    for case, item in enumerate(analyse_items(answers).items):
        rest = np.delete(right, case, axis=1).mean(axis=1)
        if item.discrimination is None:
            assert right[:, case].all() or not right[:, case].any()
            continue
        expected = stats.pointbiserialr(right[:, case], rest)
        assert item.discrimination == pytest.approx(expected.statistic, abs=1e-12)
        interval = stats.pearsonr(right[:, case].astype(float), rest).confidence_interval(0.95)
        assert (item.lower, item.upper) == pytest.approx((interval.low, interval.high))


def test_a_missing_answer_leaves_the_reader_out_of_that_case_only():
    """By hand: readers score 2/2, 1/2, 0/1 on the other cases; on the first they are right, right and wrong."""
    answers = draw_answers(readers=3, cases=3)
    alone = np.array([[0, 1, 2], [0, 1, 0], [1, 0, -1]])
    found = analyse_items(replace(answers, alone=alone)).items[0]
    assert found.discrimination == pytest.approx(np.corrcoef([1, 1, 0], [1.0, 0.5, 0.0])[0, 1])
    assert found.lower is None, "three readers have no interval"


def test_answers_are_counted_and_the_commonest_wrong_one_is_named():
    answers = draw_answers(readers=5, cases=3)
    alone = np.array([[0, 1, 2], [1, 1, 2], [1, 0, 2], [2, 2, 2], [0, 1, 2]])
    first, second, third = analyse_items(replace(answers, alone=alone)).items
    assert (first.counts, first.commonest_wrong) == ((2, 2, 1), "PCNSL")
    assert (second.counts, second.commonest_wrong) == ((1, 3, 1), None)
    assert (third.counts, third.commonest_wrong) == ((0, 0, 5), None)
    assert third.note == "All readers are right here."


def test_few_readers_are_warned_of():
    found = analyse_items(draw_answers(readers=5))
    assert found.warning.startswith("5 readers have answered: the discrimination of a single case is mostly chance")
    assert analyse_items(draw_answers(readers=20)).warning is None


def test_one_reader_nobody_and_one_case_are_answered_in_words():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = analyse_items(draw_answers(readers=1))
        nobody = analyse_items(draw_answers(missing=1.0))
        single = analyse_items(draw_answers(readers=6, cases=1))
    assert one.warning.startswith("One reader has answered")
    assert one.items[0].note == "A correlation needs 3 readers who answered this and another case; there are 1."
    assert nobody.warning.startswith("Nobody has answered")
    assert nobody.items[0].right.share is None
    assert single.items[0].discrimination is None


def test_readers_who_score_alike_elsewhere_have_no_discrimination():
    answers = draw_answers(readers=3, cases=2)
    found = analyse_items(replace(answers, alone=np.array([[0, 1], [1, 1], [0, 1]]))).items
    assert found[0].note == "All readers score the same on the other cases."
    assert found[1].note == "All readers are right here."
