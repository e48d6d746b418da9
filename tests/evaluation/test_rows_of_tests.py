"""Rows and sentences of every test of models over repeats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainmri.evaluation.analysis import analyse, weigh_by_region
from brainmri.evaluation.bayesian import BayesianPair
from brainmri.evaluation.case_tests import cochran_q
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.measure import measure_of
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.rows_of_tests import (
    assumption_rows,
    conclusions_by_topic,
    decide,
    describe_disagreement,
    disagree,
    effect_rows,
    letter_rows,
    omnibus_notes,
    omnibus_rows,
    pair_intervals,
    pair_rows,
    posterior_rows,
    write_p,
)

NOISE = np.random.default_rng(8).normal(0, 0.01, (3, 10))
NAMES = ("alexnet", "googlenet", "resnet50")


@pytest.fixture(scope="module")
def found() -> Findings:
    """One network far ahead, two at a distance that only the plain tests take for shown."""
    return analyse(dict(zip(NAMES, (0.96 + NOISE[0], 0.92 + NOISE[1], 0.905 + NOISE[2]), strict=True)))


def test_every_test_of_all_models_is_a_row_with_its_own_numbers(found: Findings) -> None:
    rows = {row["Test"]: row for row in omnibus_rows(found, None)}
    assert list(rows) == ["One-way ANOVA", "Welch's ANOVA", "Kruskal-Wallis", "Repeated-measures ANOVA", "Friedman"]
    measured = found.repeated_measures
    assert rows["One-way ANOVA"]["Statistic"] == f"F(2, 27) = {found.comparison.anova.f:.2f}"
    assert rows["Kruskal-Wallis"]["Statistic"] == f"χ²(2) = {found.kruskal.statistic:.2f}"
    freedoms = f"{measured.epsilon * 2:.2f}, {measured.epsilon * 18:.1f}"
    assert rows["Repeated-measures ANOVA"]["Statistic"] == f"F({freedoms}) = {measured.f:.2f}"
    assert [row["On"] for row in rows.values()] == ["30 repeats"] * 3 + ["10 splits"] * 2
    assert rows["One-way ANOVA"]["p"] == "< 0.001"
    assert rows["Friedman"]["In words"] == "Ranks within splits differ"


def test_cochrans_q_is_a_row_where_there_are_verdicts(found: Findings) -> None:
    right = np.array([[1, 1, 0]] * 6 + [[1, 1, 1]] * 3, dtype=bool)
    row = omnibus_rows(found, cochran_q(right))[-1]
    assert (row["Test"], row["On"], row["Statistic"]) == ("Cochran's Q", "9 cases", "χ²(2) = 12.00")
    assert row["In words"] == "Shares of right verdicts differ"
    assert any("6 cases only" in note for note in omnibus_notes(found, cochran_q(right)))


def test_tests_that_cannot_be_computed_say_why() -> None:
    single = analyse({"alexnet": [0.9], "resnet50": [0.8]})
    rows = omnibus_rows(single, None)
    assert {row["In words"] for row in rows} == {"Not computed"}
    assert {row["p"] for row in rows} == {None}
    assert [row["On"] for row in rows] == ["2 repeats"] * 3 + ["1 split"] * 2
    notes = omnibus_notes(single, None)
    assert any("one repeat: AlexNet, ResNet50" in note for note in notes)
    assert not set(notes) & set(single.notes)
    assert conclusions_by_topic(single) == [("No test", "These accuracies allow no test of models; the notes say why.")]
    assert describe_disagreement(single) is None
    assert letter_rows(single) == []


def test_disagreement_is_found_and_told_with_the_names_that_people_write(found: Findings) -> None:
    assert disagree(found)
    assert "Tukey's test tells GoogLeNet from ResNet50" in describe_disagreement(found)
    equal = analyse({"a": 0.9 + NOISE[0], "b": 0.9 + NOISE[1]})
    assert not disagree(equal)
    assert describe_disagreement(equal) == "The plain test (Tukey) and the corrected one agree on every pair."


def test_conclusions_come_with_headings_what_to_rely_on_first(found: Findings) -> None:
    headings = [heading for heading, _ in conclusions_by_topic(found)]
    assert headings == [
        "The splits overlap",
        "As published: independent repeats",
        "Unequal scatter, or ranks only",
        "Within shared splits",
        "Size of the differences",
    ]
    assert "AlexNet is more accurate than GoogLeNet" in conclusions_by_topic(found)[0][1]


def test_assumptions_are_named(found: Findings) -> None:
    rows = assumption_rows(found)
    assert [checked for checked, _ in rows] == ["Normality", "Equal scatter", "Independence"]
    assert all(text[0].isupper() for _, text in rows)


def test_every_pair_has_an_interval_by_three_tests_in_points(found: Findings) -> None:
    intervals = pair_intervals(found)
    assert [(one.a, one.b, one.method) for one in intervals[:4]] == [
        ("alexnet", "googlenet", "tukey"),
        ("alexnet", "googlenet", "games_howell"),
        ("alexnet", "googlenet", "corrected_t"),
        ("alexnet", "resnet50", "tukey"),
    ]
    tukey, corrected = found.comparison.tukey[0], found.corrected_t[0]
    assert intervals[0].lower == pytest.approx(100 * tukey.lower)
    assert (intervals[2].upper, intervals[2].p) == (pytest.approx(100 * corrected.upper), corrected.p_holm)
    told = {one.method: one.told_apart for one in intervals if (one.a, one.b) == ("googlenet", "resnet50")}
    assert told["tukey"]
    assert not told["corrected_t"]


def test_pairs_list_the_p_of_every_test(found: Findings) -> None:
    row = pair_rows(found)[2]
    assert row["Pair"] == "GoogLeNet − ResNet50"
    assert row["Difference"] == pytest.approx(100 * found.comparison.tukey[2].difference)
    p = (found.comparison.tukey, found.games_howell, found.nemenyi)
    assert [row["Tukey"], row["Games-Howell"], row["Nemenyi"]] == [write_p(pairs[2].p) for pairs in p]
    assert row["Dunn"] == write_p(found.dunn[2].p_holm)
    assert row["Corrected t"] == write_p(found.corrected_t[2].p_holm)


def test_p_stands_in_a_column_without_its_letter() -> None:
    assert [write_p(p) for p in (1e-9, 0.0123, 1.0, None)] == ["< 0.001", "0.012", "> 0.999", None]


def test_letters_come_with_the_best_network_first(found: Findings) -> None:
    rows = letter_rows(found)
    assert [row["Letters"] for row in rows] == ["Tukey", "Games-Howell", "Corrected t"]
    assert list(rows[2].items())[1:] == [("AlexNet", "a"), ("GoogLeNet", "b"), ("ResNet50", "b")]
    loss = analyse({"alexnet": 0.9 + NOISE[0], "resnet50": 0.5 + NOISE[1]}, measure=measure_of(Metric("brier")))
    assert list(letter_rows(loss)[0].items())[1:] == [("ResNet50", "a"), ("AlexNet", "b")]


@pytest.mark.parametrize(
    ("chances", "text"),
    [
        ((0.96, 0.03, 0.01), "AlexNet better"),
        ((0.01, 0.03, 0.96), "ResNet50 better"),
        ((0.02, 0.96, 0.02), "Practically equal"),
        ((0.6, 0.3, 0.1), "Undecided"),
        ((None, None, None), "Not computed"),
    ],
)
def test_posteriors_are_decided_above_95_per_cent(chances: tuple, text: str) -> None:
    a, equal, b = chances
    pair = BayesianPair(
        a="alexnet",
        b="resnet50",
        n=10,
        difference=0.1,
        equivalence=0.01,
        p_a_better=a,
        p_equivalent=equal,
        p_b_better=b,
    )
    assert decide(pair) == text


def test_a_wider_region_moves_probability_to_practically_equal(found: Findings) -> None:
    narrow, wide = (posterior_rows(weigh_by_region(found, points), 0.01)[2] for points in (0.0, 5.0))
    assert narrow["Practically equal"] == pytest.approx(0)
    assert wide["Practically equal"] > 95
    assert wide["In words"] == "Practically equal"
    assert wide["Lower"] == narrow["Lower"] == pytest.approx(100 * found.bayesian[2].lower)
    assert math.isclose(sum(wide[key] for key in ("a better", "Practically equal", "b better")), 100)


def test_effect_sizes_are_listed_of_all_and_of_pairs(found: Findings) -> None:
    rows = effect_rows(found)
    assert [row["Effect size"] for row in rows] == ["η²", "ω²"] + ["Hedges' g"] * 3
    assert rows[0]["Value"] == found.effect_sizes.eta_squared
    assert rows[2]["Lower"] == found.effect_sizes.hedges_g[0].lower
    assert [row["Value"] for row in effect_rows(analyse({"a": [0.9], "b": [0.8]}))] == [None]
