"""The instructor's board."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.teaching.board import STARS, ReaderProgress, answers_on_case, draw_up_board, hide_names
from tests.teaching.drawn_answers import draw_answers

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def progress(reader, *, minute=0, answered=0, finished=False, last=None):
    return ReaderProgress(
        reader=reader,
        joined_at=START + timedelta(minutes=minute),
        answered=answered,
        cases=10,
        case_id=None if finished else "case-001",
        step="done" if finished else "alone",
        finished=finished,
        last_answer_at=None if last is None else START + timedelta(minutes=last),
    )


def test_the_board_counts_who_joined_and_what_is_done():
    board = draw_up_board(
        [progress("Ito"), progress("Abe", minute=1, answered=4, last=6), progress("Sato", answered=10, finished=True)],
        salt="ses-001",
        names_hidden=False,
        now=START + timedelta(minutes=8),
    )
    assert board.sentence == "3 readers have joined, 1 finished; 14 of 30 readings are done (47 %)."
    assert [(row.name, row.state, row.quiet_minutes) for row in board.rows] == [
        ("Abe", "reading", 2.0),
        ("Ito", "joined", 8.0),
        ("Sato", "finished", None),
    ]
    assert {row.place for row in board.rows} == {None}, "a rank only by choice"


def test_nobody_and_one_reader_are_said():
    assert draw_up_board([], salt="ses-001").sentence == "Nobody has joined yet."
    assert draw_up_board([progress("Ito")], salt="ses-001").sentence.startswith("1 reader has joined, 0 finished")


def test_hidden_names_are_stars_that_stay_when_others_join_and_change_with_the_session():
    first = hide_names(["Ito", "Abe"], salt="ses-001")
    later = hide_names(["Ito", "Abe", "Sato", "Mori"], salt="ses-001")
    assert set(first.values()) <= set(STARS)
    assert {name: later[name] for name in first} == first
    assert hide_names(["Ito", "Abe"], salt="ses-002") != first


def test_more_readers_than_stars_still_have_different_names():
    names = hide_names([str(index) for index in range(150)], salt="ses-001")
    assert len(set(names.values())) == 150


def test_hidden_rows_are_ordered_by_the_shown_name_so_that_order_does_not_tell():
    people = [progress(name, minute=minute) for minute, name in enumerate(("Ito", "Abe", "Sato", "Mori"))]
    board = draw_up_board(people, salt="ses-001")
    shown = [row.name for row in board.rows]
    assert board.names_hidden
    assert shown == sorted(shown)
    assert not set(shown) & {"Ito", "Abe", "Sato", "Mori"}


def test_a_rank_is_by_the_share_right_and_equal_shares_have_one_place():
    answers = draw_answers(readers=4, cases=3)
    alone = np.array([[0, 1, 0], [0, 1, 2], [0, 1, 0], [-1, -1, -1]])
    people = [progress(name) for name in answers.readers]
    board = draw_up_board(people, salt="ses-001", names_hidden=False, answers=replace(answers, alone=alone))
    assert [(row.name, row.place, row.right) for row in board.rows] == [
        ("reader 2", 1, 1.0),
        ("reader 1", 2, pytest.approx(2 / 3)),
        ("reader 3", 2, pytest.approx(2 / 3)),
        ("reader 4", None, None),
    ]


def test_the_answers_on_a_case_are_counted_with_hidden_names():
    answers = replace(draw_answers(readers=4, cases=2), alone=np.array([[0, 0], [0, 1], [1, 1], [-1, 0]]))
    found = answers_on_case(answers, "case-001", salt="ses-001")
    assert found.counts == {"glioblastoma": 2, "PCNSL": 1, "meningioma": 0}
    assert (found.majority, found.right, found.answered) == ("glioblastoma", 2, 3)
    assert found.sentence == "3 of 4 readers have answered this case: 2 Glioblastoma and 1 PCNSL."
    stars = hide_names(answers.readers, salt="ses-001")
    assert found.who["PCNSL"] == (stars["reader 3"],)
    shown = answers_on_case(answers, "case-001", salt="ses-001", names_hidden=False)
    assert shown.who["glioblastoma"] == ("reader 1", "reader 2")


def test_a_tie_has_no_majority_and_an_unanswered_case_says_so():
    answers = replace(draw_answers(readers=4, cases=2), alone=np.array([[0, -1], [0, -1], [1, -1], [1, -1]]))
    assert answers_on_case(answers, "case-001", salt="s").majority is None
    unanswered = answers_on_case(answers, "case-002", salt="s")
    assert (unanswered.sentence, unanswered.majority) == ("None of 4 readers has answered this case yet.", None)


def test_the_sentence_on_a_case_does_not_tell_the_pathology():
    answers = replace(draw_answers(readers=2, cases=2), alone=np.array([[1, 1], [1, 1]]))
    assert "lioblastoma" not in answers_on_case(answers, "case-001", salt="s").sentence


def test_a_case_of_another_session_is_refused():
    with pytest.raises(EvaluationError, match="There is no case 'case-999' in this session of 30 cases"):
        answers_on_case(draw_answers(), "case-999", salt="s")
