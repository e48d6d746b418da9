"""Readers against the network, with statsmodels as the oracle of tests and Newcombe's published interval."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from brainmri.teaching.against_network import compare_with_network, majority_answers
from tests.teaching.drawn_answers import draw_answers


def tables_of(answers, step):
    network = answers.network_answers() == answers.truth
    for row in answers.chosen(step):
        here = row >= 0
        a, b = (row == answers.truth)[here], network[here]
        yield [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]


@pytest.mark.parametrize("step", ["alone", "with network"])
def test_each_reader_is_tested_as_by_statsmodels_and_adjusted_by_holm(step):
    answers = draw_answers(readers=4, cases=60, missing=0.1, seed=4)
    found = compare_with_network(answers, step=step)
    expected = [statsmodels_mcnemar(table, exact=True).pvalue for table in tables_of(answers, step)]
    assert [one.test.p_exact for one in found.readers] == pytest.approx(expected)
    adjusted = multipletests(expected, method="holm")[1]
    assert [one.p_adjusted for one in found.readers] == pytest.approx(adjusted)


def test_the_interval_of_the_difference_is_newcombes():
    """Newcombe (1998), table II, example of 50 pairs 36, 12, 2, 0: method 10 gives 0.0569 to 0.3404."""
    answers = draw_answers(readers=1, cases=50)
    truth = np.zeros(50, dtype=int)
    reader = np.where(np.arange(50) < 48, 0, 1)
    network = np.eye(3)[np.where((np.arange(50) < 36) | (np.arange(50) >= 48), 0, 1)]
    found = compare_with_network(replace(answers, truth=truth, alone=reader[None], network=network)).readers[0]
    assert (found.test.both_right, found.test.only_a, found.test.only_b, found.test.both_wrong) == (36, 12, 2, 0)
    assert (found.test.lower, found.test.upper) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    assert found.sentence == (
        "reader 1: 96 % right on 50 cases, the network 76 %: +20.0 points (+5.7 to +34.0), better than the network "
        "beyond chance (p = 0.013)."
    )


def test_the_majority_has_no_answer_where_diagnoses_tie():
    chosen = np.array([[0, 0, -1, 2], [0, 1, -1, 2], [1, 2, -1, -1]])
    assert majority_answers(chosen, 3).tolist() == [0, -1, -1, 2]


def test_the_majority_is_compared_and_ties_are_counted():
    answers = draw_answers(readers=3, cases=30, seed=8)
    found = compare_with_network(answers)
    votes = majority_answers(answers.alone, 3)
    assert found.ties == (votes == -1).sum() > 0
    assert found.majority.test.cases == (votes >= 0).sum()
    assert found.majority.reader_right.hits == (votes == answers.truth).sum()


def test_two_readers_have_no_majority():
    assert compare_with_network(draw_answers(readers=2)).majority is None


def test_cases_that_the_network_never_tested_are_left_out_and_counted():
    answers = draw_answers(readers=3, cases=30)
    network = answers.network.copy()
    network[:10] = np.nan
    found = compare_with_network(replace(answers, network=network))
    assert (found.untested, found.network.n, found.readers[0].test.cases) == (10, 20, 20)


def test_no_network_nobody_and_the_same_answers_are_said():
    answers = draw_answers(readers=3, cases=30)
    without = compare_with_network(replace(answers, network=np.full((30, 3), np.nan)))
    assert without.sentence == "The session has no answers of a network: there is nothing to compare readers with."
    assert (without.readers, without.majority) == ((), None)
    assert (
        compare_with_network(draw_answers(missing=1.0)).sentence
        == "Nobody has answered a case that the network tested."
    )
    same = compare_with_network(replace(answers, alone=np.tile(answers.network_answers(), (3, 1))))
    assert same.readers[0].sentence.endswith("both are right on the same cases.")
    assert same.sentence.startswith("Of 3 readers, 0 did better and 0 worse than the network beyond chance")
