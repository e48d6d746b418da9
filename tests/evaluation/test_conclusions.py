"""Sentences on what holds under which assumption."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.measure import measure_of
from brainmri.evaluation.metrics import Metric

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
        "fewer assumptions",
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


def test_tests_with_fewer_assumptions_have_a_paragraph_each_where_they_do_not_say_the_same(disagreeing) -> None:
    assert "the same models are told apart" in texts(disagreeing)["fewer assumptions"]
    wild = analyse(
        {"a": [0.9, 0.91, 0.9, 0.91, 0.9], "b": [0.88, 0.89, 0.88, 0.89, 0.88], "c": [0.2, 0.4, 0.6, 0.8, 1]}
    )
    assert wild.comparison.tukey[0].p > 0.05 > wild.games_howell[0].p
    found = texts(wild)
    assert "fewer assumptions" not in found
    assert "a is more accurate than b" in found["unequal scatter"]
    assert "Kruskal-Wallis" in found["ranks"]


def test_a_test_that_tells_almost_the_same_pairs_apart_names_the_others_alone() -> None:
    """Games-Howell keeps the models of little scatter apart and loses the pair with the wild one."""
    found = analyse(
        {"a": 0.95 + NOISE[0] / 4, "b": 0.9 + NOISE[1] / 4, "c": 0.88 + 3 * NOISE[2], "d": 0.5 + NOISE[3] / 4}
    )
    plain = {(pair.a, pair.b) for pair in found.comparison.tukey if pair.p < 0.05}
    howell = {(pair.a, pair.b): pair.p for pair in found.games_howell}
    (lost,) = [pair for pair in plain if howell[pair] >= 0.05]
    text = texts(found)["unequal scatter"]
    assert f"the same models are told apart, but not {lost[0]} and {lost[1]} (p = {howell[lost]:.3f})" in text


def test_of_a_loss_the_smaller_one_is_the_better() -> None:
    """A model with the smaller Brier scores comes first in ranks, letters, probabilities and sentences."""
    brier = measure_of(Metric("brier"))
    found = analyse({"a": 0.5 + NOISE[0], "b": 0.2 + NOISE[1]}, measure=brier, equivalence_points=0.01)
    assert found.friedman.mean_ranks == {"a": 2.0, "b": 1.0}
    assert found.letters["tukey"] == {"b": "a", "a": "b"}
    assert found.bayesian[0].p_b_better > 0.999
    assert found.bayesian[0].equivalence == 0.01
    said = texts(found)
    difference = found.comparison.tukey[0].difference
    assert f"b is better than a (by {difference:.3f}, p < 0.001)" in said["plain"]
    assert "differences up to 0.01 counted as none" in said["probability"]
    assert "b is better than a with a probability of more than 99 %" in said["probability"]
    assert not re.search("accura|percentage", " ".join(said.values()))
    same = analyse({"a": 0.5 + NOISE[0], "b": 0.2 + NOISE[1]})
    assert found.comparison.tukey == same.comparison.tukey
    assert found.corrected_t == same.corrected_t


def test_losses_above_and_below_one_are_not_taken_for_per_cent() -> None:
    loss = {"a": [0.5, 0.6, 0.7], "b": [1.5, 1.6, 1.9]}
    found = analyse(loss, measure=measure_of(Metric("log_loss")), equivalence_points=0.05)
    assert found.bayesian[0].equivalence == 0.05
    assert "a is better than b (by 1.067 nats" in texts(found)["plain"]
    assert not any("mixed" in note for note in found.notes)
    assert any("mixed" in note for note in analyse(loss).notes)


def test_accuracies_in_per_cent_say_the_same_as_shares(disagreeing: Findings) -> None:
    hundred = analyse({model: np.multiply(values, 100) for model, values in disagreeing.repeats.accuracies.items()})
    assert texts(hundred) == texts(disagreeing)


def test_many_pairs_are_counted_and_not_listed() -> None:
    found = texts(analyse({f"m{i}": 0.5 + 0.08 * i + NOISE[i] for i in range(6)}))
    assert "15 of 15 pairs of models are told apart (in the table)" in found["plain"]
    assert "9 more pairs are in the table" in found["probability"]


def test_where_nothing_can_be_tested_the_notes_are_named() -> None:
    found = analyse({"a": [0.9], "b": [0.8]})
    assert texts(found) == {"nothing": "These accuracies allow no test of models; the notes say why."}
    assert len(found.notes) == 1


def test_a_constant_shift_is_told_by_ranks_only() -> None:
    found = analyse({"a": [0.9, 0.9, 0.9], "b": [0.8, 0.8, 0.8]})
    assert "overlap" not in texts(found)
    assert "Friedman" in texts(found)["shared splits"]
    assert any("differ by the same amount on every shared split" in note for note in found.notes)
