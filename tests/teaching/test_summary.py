"""A session gathered."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from brainmri.teaching.board import STARS
from brainmri.teaching.summary import describe_session, summarise_session
from tests.teaching.drawn_answers import draw_answers

ABOUT = {
    "session_id": "ses-001",
    "title": "Monday",
    "author": "Dr Mori",
    "written_at": datetime(2026, 11, 23, 14, 0, tzinfo=UTC),
}


def test_help_is_counted_over_all_readers():
    answers = draw_answers(readers=4, cases=20)
    summary = summarise_session(answers, **ABOUT)
    first, second = answers.alone == answers.truth, answers.assisted == answers.truth
    assert summary.helped.readings == 80
    assert (summary.helped.helped, summary.helped.harmed) == ((~first & second).sum(), (first & ~second).sum())
    assert summary.helped.sentence.startswith(f"In 80 readings with the network it helped in {summary.helped.helped}")


def test_hidden_names_are_nowhere():
    answers = replace(draw_answers(readers=4, cases=20), readers=("Ito", "Abe", "Sato", "Mori"))
    summary = summarise_session(answers, **ABOUT, names_hidden=True)
    assert set(summary.answers.readers) <= set(STARS)
    text = repr((summary.scores, summary.agreement_with_network, summary.against_network, summary.multireader))
    assert not [name for name in answers.readers if name in text]
    np.testing.assert_array_equal(summary.answers.alone, answers.alone)


def test_what_was_read_is_said():
    answers = draw_answers(readers=3, cases=10)
    alone = answers.alone.copy()
    alone[0], alone[1, 5:], alone[2, 4:] = -1, -1, -1
    summary = summarise_session(replace(answers, alone=alone), **ABOUT)
    assert describe_session(summary) == "2 readers, 5 of 10 cases, 9 readings alone."


def test_nobody_and_no_reader_are_answered_in_words():
    nobody = summarise_session(draw_answers(readers=2, missing=1.0), **ABOUT)
    assert describe_session(nobody) == "2 readers joined; nobody has answered a case yet."
    assert nobody.helped.sentence.startswith("No case was answered both alone and with the network")
    empty = summarise_session(draw_answers(readers=0), **ABOUT)
    assert describe_session(empty) == "0 readers joined; nobody has answered a case yet."
    assert empty.agreement.note.startswith("Fewer than two readers")


def test_one_case_of_one_reader_is_gathered_without_a_warning():
    summary = summarise_session(draw_answers(readers=1, cases=1), **ABOUT)
    assert describe_session(summary) == "1 reader, 1 of 1 cases, 1 readings alone."
