"""Following the network where it is right, and holding out where it is wrong; by hand."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from brainmri.teaching.reliance import measure_reliance
from brainmri.teaching.scores import score_reader
from tests.teaching.drawn_answers import draw_answers


def reliance(*cases: str):
    """Each case is three letters, right or wrong: alone, network, with the network; a dash is no answer."""
    code = {"r": 0, "w": 1, "-": -1}
    alone, network, assisted = (np.array([code[case[place]] for case in cases]) for place in range(3))
    return measure_reliance(alone, assisted, network, np.zeros(len(cases), dtype=int))


def test_only_cases_on_which_reader_and_network_differ_count():
    found = reliance("wrr", "wrr", "wrw", "rwr", "rww", "rrr", "www", "rrw", "wr-", "r-r", "-rr")
    assert (found.taken_up.hits, found.taken_up.n) == (2, 3)
    assert (found.held_out.hits, found.held_out.n) == (1, 2)
    assert (found.taken_up.lower, found.taken_up.upper) == pytest.approx(proportion_confint(2, 3, method="wilson"))
    assert found.sentence == (
        "Where only the network was right, its answer was taken up in 2 of 3 cases. Where the network was wrong and "
        "the reader right, the reader held out in 1 of 2."
    )


def test_nothing_to_take_up_or_to_hold_out_against_is_said():
    assert reliance("rrr").sentence == "There was no case on which only the reader, or only the network, was right."
    assert reliance("wrr").sentence.endswith("There was no case on which only the reader was right.")
    assert reliance("rwr").sentence.startswith("There was no case on which only the network was right.")
    assert reliance("rwr").taken_up.share is None


def test_a_reader_who_always_follows_takes_up_all_and_holds_out_never():
    answers = draw_answers(readers=1, cases=60)
    network = answers.network_answers()
    found = measure_reliance(answers.alone[0], network, network, answers.truth)
    assert (found.taken_up.share, found.held_out.share) == (1.0, 0.0)


def test_it_is_part_of_the_readers_score():
    answers = draw_answers(readers=2, cases=60)
    expected = measure_reliance(answers.alone[1], answers.assisted[1], answers.network_answers(), answers.truth)
    assert score_reader(answers, "reader 2").reliance == expected
