"""Answers are checked when they are made."""

from dataclasses import replace

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.teaching.answers import ReadAnswers

NAN = np.nan


@pytest.fixture
def answers() -> ReadAnswers:
    """Two readers, three cases, two classes; reader b left the last case out."""
    return ReadAnswers(
        classes=("glioblastoma", "PCNSL"),
        readers=("a", "b"),
        cases=("case-001", "case-002", "case-003"),
        truth=np.array([0, 1, 0]),
        alone=np.array([[0, 0, 1], [0, 1, -1]]),
        assisted=np.array([[0, 1, 1], [0, 1, -1]]),
        alone_confidence=np.full((2, 3, 2), 0.5),
        assisted_confidence=np.full((2, 3, 2), NAN),
        seconds=np.array([[10.0, 20.0, 30.0], [5.0, 5.0, NAN]]),
        network=np.array([[0.9, 0.1], [0.4, 0.6], [NAN, NAN]]),
    )


def test_each_step_has_its_answers_and_confidences(answers):
    assert answers.chosen("alone") is answers.alone
    assert answers.chosen("with network") is answers.assisted
    assert answers.confidence("alone") is answers.alone_confidence
    assert answers.confidence("with network") is answers.assisted_confidence


def test_the_network_answers_its_most_probable_class_and_nothing_where_it_tested_nothing(answers):
    assert answers.network_answers().tolist() == [0, 1, -1]


def test_a_reader_is_found_by_name(answers):
    assert answers.reader_index("b") == 1


def test_a_stranger_is_refused(answers):
    with pytest.raises(EvaluationError, match="'c' is no reader of this session"):
        answers.reader_index("c")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"readers": ("a", "a")}, "The readers of a session are to differ"),
        ({"truth": np.array([0, 1])}, r"'truth' of the answers has shape \(2,\); expected \(3,\)"),
        ({"truth": np.array([0, -1, 0])}, "'truth' of the answers runs from -1 to 0; expected 0 to 1"),
        ({"alone": np.array([[0, 0, 2], [0, 1, -1]])}, "'alone' of the answers runs from -1 to 2; expected -1 to 1"),
        ({"alone": np.zeros((2, 3))}, "'alone' of the answers is float64; expected whole numbers"),
        ({"alone_confidence": np.full((2, 3, 2), 50.0)}, "'alone_confidence' of the answers holds a number outside"),
        ({"seconds": np.full((2, 3), -1.0)}, "seconds of an answer are 0 or more"),
        ({"network": np.array([[0.9, NAN], [0.4, 0.6], [NAN, NAN]])}, "for each class of a case, or for none"),
        ({"network": np.array([[0.9, 0.5], [0.4, 0.6], [NAN, NAN]])}, "are to add up to 1"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, change, words):
    with pytest.raises(EvaluationError, match=words):
        replace(answers, **change)


def test_no_diagnosis_offered_is_refused(answers):
    nothing = np.zeros((2, 3, 0))
    with pytest.raises(EvaluationError, match="offers at least one diagnosis"):
        replace(answers, classes=(), alone_confidence=nothing, assisted_confidence=nothing, network=np.zeros((3, 0)))


def test_a_session_without_readers_is_fine(answers):
    empty = replace(
        answers,
        readers=(),
        alone=np.zeros((0, 3), dtype=int),
        assisted=np.zeros((0, 3), dtype=int),
        alone_confidence=np.zeros((0, 3, 2)),
        assisted_confidence=np.zeros((0, 3, 2)),
        seconds=np.zeros((0, 3)),
    )
    assert empty.chosen("alone").shape == (0, 3)
