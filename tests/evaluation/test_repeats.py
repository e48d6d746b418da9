"""Accuracies side by side, repeat by repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.repeats import Repeats, is_constant, without_rounding

NAN = math.nan


def test_shorter_sequences_lack_their_last_repeats() -> None:
    repeats = Repeats.of({"a": [0.9, 0.8], "b": [0.7]})
    np.testing.assert_array_equal(repeats.values, [[0.9, 0.7], [0.8, NAN]])
    assert repeats.names == ("1", "2")
    assert {model: values.tolist() for model, values in repeats.groups.items()} == {"a": [0.9, 0.8], "b": [0.7]}


def test_only_repeats_that_all_have_are_shared_and_the_others_are_named() -> None:
    repeats = Repeats.of({"a": [0.1, NAN, 0.3, NAN], "b": [0.4, 0.5, NAN, NAN], "c": [NAN] * 4}, names="wxyz")
    assert repeats.shared(["a", "b"]).tolist() == [[0.1, 0.4]]
    assert repeats.left_out(["a", "b"]) == ("x", "y")
    assert repeats.shared(["b", "a"]).tolist() == [[0.4, 0.1]]
    assert repeats.pairs() == [("a", "b")]


def test_records_are_aligned_by_the_number_of_their_repeat() -> None:
    repeats = Repeats.align([("a", "10", 0.1), ("b", "9", 0.2), ("a", "9.0", 0.3)])
    assert repeats.names == ("9", "10")
    np.testing.assert_array_equal(repeats.values, [[0.3, 0.2], [0.1, NAN]])


def test_repeats_with_names_keep_the_order_in_which_they_came() -> None:
    assert Repeats.align([("a", "second", 0.1), ("b", "first", 0.2)]).names == ("second", "first")


def test_nothing_has_no_repeats() -> None:
    repeats = Repeats.of({})
    assert (repeats.values.shape, repeats.groups, repeats.pairs()) == ((0, 0), {}, [])


def test_a_name_for_each_repeat_is_asked_for() -> None:
    with pytest.raises(EvaluationError, match="There are 2 repeats and 1 names"):
        Repeats.of({"a": [0.1, 0.2]}, names=["1"])


def test_numbers_that_differ_by_rounding_only_are_constant_and_tie() -> None:
    numbers = np.array([0.3, 0.1 + 0.2])
    assert numbers[0] != numbers[1]
    assert is_constant(numbers)
    assert np.unique(without_rounding(numbers)).size == 1
    assert np.unique(without_rounding(np.array([0.9, 0.9 + 1e-9]))).size == 2
    assert without_rounding(np.zeros(2)).tolist() == [0, 0]
