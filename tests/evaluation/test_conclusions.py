"""Sentences on what holds under which assumption."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.findings import Findings

NAN = math.nan
SPLITS = np.random.default_rng(0).normal(0, 0.02, 10)
NOISE = np.random.default_rng(8).normal(0, 0.01, (6, 10))


def texts(findings: Findings) -> dict[str, str]:
    return {conclusion.topic: conclusion.text for conclusion in findings.conclusions}


@pytest.fixture(scope="module")
def disagreeing() -> Findings:
    """One model far ahead, two at a distance that only the plain tests take for shown."""
    return analyse({"best": 0.96 + NOISE[0], "middle": 0.92 + NOISE[1], "worst": 0.905 + NOISE[2]})


def test_every_assumption_has_its_paragraph(disagreeing: Findings) -> None:
    assert list(texts(disagreeing)) == [
        "plain",
        "unequal scatter",
        "ranks",
        "shared splits",
        "overlap",
        "disagreement",
        "probability",
        "size",
    ]
    assert all(text.endswith(".") and ".." not in text for text in texts(disagreeing).values())


def test_numbers_in_sentences_are_those_of_the_tests(disagreeing: Findings) -> None:
    found = texts(disagreeing)
    pair = disagreeing.comparison.tukey[0]
    assert f"best is more accurate than middle (by {100 * pair.difference:.1f} percentage points" in found["plain"]
    assert "rely on this one" in found["overlap"]
    assert f"{100 * disagreeing.effect_sizes.eta_squared:.0f} % lies between the models" in found["size"]


def test_pairs_on_which_the_plain_and_the_corrected_test_disagree_are_named(disagreeing: Findings) -> None:
    plain = {(pair.a, pair.b): pair.p < 0.05 for pair in disagreeing.comparison.tukey}
    corrected = {(pair.a, pair.b): pair.p_holm < 0.05 for pair in disagreeing.corrected_t}
    assert [pair for pair in plain if plain[pair] and not corrected[pair]] == [("middle", "worst")]
    text = texts(disagreeing)["disagreement"]
    assert text.startswith("The plain and the corrected test disagree: Tukey's test tells middle from worst")
    assert "best" not in text
    assert "do not show that middle is the better of the two, nor that the models are equal" in text


def test_agreement_is_told_in_one_sentence() -> None:
    found = texts(analyse({"a": 0.9 + NOISE[0], "b": 0.9 + NOISE[1]}))
    assert found["disagreement"] == "The plain test (Tukey) and the corrected one agree on every pair."
    assert re.search(r"a and b are not told apart|b and a are not told apart", found["overlap"])


def test_a_steady_difference_under_shaky_accuracies_is_explained() -> None:
    found = texts(analyse({"a": 0.9 + SPLITS, "b": 0.888 + SPLITS + NOISE[0] / 5}))
    assert found["disagreement"].startswith("The corrected test tells a from b")
    assert "Tukey's test does not" in found["disagreement"]
    assert "the mean accuracies differ" in found["shared splits"]


def test_probabilities_say_better_equal_or_undecided() -> None:
    near = analyse({"a": 0.9 + SPLITS, "b": 0.9 + SPLITS + NOISE[0] / 20})
    assert "practically equal with a probability of more than 99 %" in texts(near)["probability"]
    far = texts(analyse({"a": 0.8 + NOISE[0], "b": 0.9 + NOISE[1]}, equivalence_points=2))["probability"]
    assert "differences up to 2 percentage points counted as none" in far
    assert "b is better than a with a probability of more than 99 %" in far
    assert "undecided" not in far


def test_accuracies_in_per_cent_say_the_same_as_shares(disagreeing: Findings) -> None:
    hundred = analyse({model: np.multiply(values, 100) for model, values in disagreeing.repeats.accuracies.items()})
    assert texts(hundred) == texts(disagreeing)


def test_many_pairs_are_counted_and_not_listed() -> None:
    found = texts(analyse({f"m{i}": 0.5 + 0.08 * i + NOISE[i] for i in range(6)}))
    assert "15 of 15 pairs of models are told apart (in the table)" in found["plain"]
    assert "9 more pairs are in the table" in found["probability"]


def test_where_nothing_can_be_tested_the_notes_are_named() -> None:
    found = analyse({"a": [0.9], "b": [0.8]})
    assert texts(found) == {"plain": "These accuracies allow no test of models; the notes say why."}
    assert len(found.notes) == 1


def test_a_constant_shift_is_told_by_ranks_only() -> None:
    found = analyse({"a": [0.9, 0.9, 0.9], "b": [0.8, 0.8, 0.8]})
    assert "overlap" not in texts(found)
    assert "Friedman" in texts(found)["shared splits"]
    assert any("differ by the same amount on every shared split" in note for note in found.notes)
