"""Kappas against statsmodels, scikit-learn and a published example with missing answers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from brainmri.teaching.agreement import agree_among_readers, agree_with_network
from brainmri.teaching.answers import ReadAnswers
from tests.teaching.drawn_answers import draw_answers

# Table of 12 units and 4 raters in Gwet (2014), as distributed with the packages irrCAC for R and Python
# (`raw_4raters`), whose documentation prints for it: Fleiss' kappa 0.76117, standard error 0.15302, agreement 0.81818,
# interval 0.42438 to 1.
FOUR_RATERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 0],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]


def answers_of(table, classes: int) -> ReadAnswers:
    chosen = np.array(table)
    readers, cases = chosen.shape
    return ReadAnswers(
        classes=tuple("abcdefg"[:classes]),
        readers=tuple(f"reader {index}" for index in range(readers)),
        cases=tuple(f"case-{index}" for index in range(cases)),
        truth=np.zeros(cases, dtype=int),
        alone=chosen,
        assisted=np.full_like(chosen, -1),
        alone_confidence=np.full((readers, cases, classes), np.nan),
        assisted_confidence=np.full((readers, cases, classes), np.nan),
        seconds=np.full((readers, cases), np.nan),
        network=np.full((cases, classes), np.nan),
    )


def test_fleiss_kappa_is_that_of_statsmodels_without_missing_answers():
    answers = draw_answers(readers=6, cases=40)
    found = agree_among_readers(answers, step="with network")
    counts, _ = aggregate_raters(answers.assisted.T)
    assert found.kappa == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    assert found.lower < found.kappa < found.upper
    assert (found.readers, found.cases, found.answers) == (6, 40, 240)


def test_missing_answers_give_the_published_kappa_and_standard_error():
    found = agree_among_readers(answers_of(np.array(FOUR_RATERS) - 1, 5))
    assert found.kappa == pytest.approx(0.76117, abs=5e-6)
    assert found.standard_error == pytest.approx(0.15302, abs=5e-6)
    assert found.agreement == pytest.approx(0.81818, abs=5e-6)
    assert (found.lower, found.upper) == pytest.approx((0.42438, 1.0), abs=5e-6)
    assert (found.cases, found.answers, found.unanimous) == (11, 41, 8)


def test_cohens_kappa_with_the_network_is_that_of_scikit_learn_and_statsmodels():
    answers = draw_answers(readers=2, cases=60, missing=0.2)
    found = agree_with_network(answers)["reader 2"]
    here = answers.alone[1] >= 0
    said, network = answers.alone[1][here], answers.network_answers()[here]
    assert found.kappa == pytest.approx(cohen_kappa_score(said, network), abs=1e-12)
    table = np.zeros((3, 3))
    np.add.at(table, (said, network), 1)
    expected = cohens_kappa(table)
    assert (found.lower, found.upper) == pytest.approx((expected.kappa_low, expected.kappa_upp))
    assert (found.cases, found.agreed) == (here.sum(), (said == network).sum())


def test_one_reader_and_nobody_are_said():
    sentence = "Fewer than two readers have answered: there is nobody to agree with."
    assert agree_among_readers(draw_answers(readers=1)).note == sentence
    assert agree_among_readers(draw_answers(missing=1.0)).note == sentence


def test_one_case_is_said():
    assert agree_among_readers(draw_answers(cases=1)).note == "Fewer than 2 cases have two answers: there is no kappa."


def test_full_agreement_has_a_kappa_of_one_without_an_interval():
    found = agree_among_readers(answers_of([[0, 1, 2], [0, 1, 2]], 3))
    assert (found.kappa, found.lower) == (1.0, None)
    assert found.note.startswith("Without any disagreement")


def test_disagreement_alike_on_every_case_has_no_interval():
    found = agree_among_readers(answers_of([[0, 1, 2], [1, 2, 0]], 3))
    assert found.kappa == pytest.approx(-0.5)  # no pair agrees, a third by chance
    assert (found.lower, found.upper) == (None, None)
    assert "do not scatter" in found.note


def test_one_diagnosis_only_has_no_kappa():
    found = agree_among_readers(answers_of([[0, 0, 0], [0, 0, 0]], 3))
    assert (found.kappa, found.agreement) == (None, 1.0)
    assert found.note.startswith("All answers are the same diagnosis")


def test_a_session_without_a_network_has_no_kappa_with_it():
    answers = draw_answers(readers=1)
    found = agree_with_network(replace(answers, network=np.full((30, 3), np.nan)))["reader 1"]
    assert (found.kappa, found.cases) == (None, 0)
    assert found.note == "The reader and the network answered 0 cases in common: a kappa needs 2."
