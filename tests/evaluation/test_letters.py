"""Compact letters."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from brainmri.evaluation.comparison import compare
from brainmri.evaluation.letters import compact_letters, letters_by_mean
from tests.evaluation.published_data import INSECT_SPRAYS, PLANT_GROWTH


@pytest.mark.parametrize("count", [2, 3, 4])
def test_models_share_a_letter_if_and_only_if_they_are_not_told_apart(count: int) -> None:
    """Every way in which a test can come out for so many models."""
    models = "abcd"[:count]
    pairs = list(combinations(models, 2))
    for told_apart in chain.from_iterable(combinations(pairs, size) for size in range(len(pairs) + 1)):
        letters = compact_letters(models, told_apart)
        for pair in pairs:
            assert bool(set(letters[pair[0]]) & set(letters[pair[1]])) == (pair not in told_apart), told_apart


def test_many_models_share_letters_as_they_should() -> None:
    draw = np.random.default_rng(0)
    models = [str(i) for i in range(9)]
    told_apart = {pair for pair in combinations(models, 2) if draw.random() < 0.4}
    letters = compact_letters(models, told_apart)
    for a, b in combinations(models, 2):
        assert bool(set(letters[a]) & set(letters[b])) == ((a, b) not in told_apart)


def of_tukey(data: dict) -> dict[str, str]:
    comparison = compare(data)
    means = {row.model: row.mean for row in comparison.descriptive}
    return letters_by_mean(means, {(pair.a, pair.b): pair.p for pair in comparison.tukey})


def test_plant_growth_has_the_letters_that_r_gives_it() -> None:
    """Of multcomp::cld(TukeyHSD) in R, where letters start at the smallest mean: ctrl ab, trt1 a, trt2 b."""
    assert of_tukey(PLANT_GROWTH) == {"trt2": "a", "ctrl": "ab", "trt1": "b"}


def test_insect_sprays_fall_into_two_groups() -> None:
    assert of_tukey(INSECT_SPRAYS) == {"F": "a", "B": "a", "A": "a", "D": "b", "E": "b", "C": "b"}


def test_the_best_model_has_the_first_letter() -> None:
    assert letters_by_mean({"x": 0.1, "y": 0.9}, {("x", "y"): 0.01}) == {"y": "a", "x": "b"}


def test_a_pair_without_a_test_leaves_all_without_letters() -> None:
    assert letters_by_mean({"x": 0.1, "y": 0.9}, {("x", "y"): None}) == {}
    assert letters_by_mean({"x": 0.1}, {}) == {}


def test_after_z_letters_have_numbers() -> None:
    models = [str(i) for i in range(28)]
    letters = compact_letters(models, combinations(models, 2))
    assert [letters[model] for model in ("0", "25", "26", "27")] == ["a", "z", "a1", "b1"]
