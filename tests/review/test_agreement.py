"""Agreement of reviewers against published tables and formulas written out."""

from __future__ import annotations

import math

import pytest

from brainmri.review.agreement import measure_agreement

FLEISS_TABLE = """
0 0 0 0 14
0 2 6 4 2
0 0 3 5 6
0 3 9 2 0
2 2 8 1 1
7 7 0 0 0
3 2 6 3 0
2 5 3 2 2
6 5 2 1 0
0 2 2 3 7
"""
"""Ten subjects, fourteen raters, five categories: the worked example of https://en.wikipedia.org/wiki/Fleiss%27_kappa,
which gives 0.210."""


def pairs(counts: dict[tuple[str, str], int]) -> dict[str, dict[str, str]]:
    flat = [verdicts for verdicts, count in counts.items() for _ in range(count)]
    return {f"case-{i:04d}": {"Abe": a, "Ito": b} for i, (a, b) in enumerate(flat)}


TWO_BY_TWO = {
    ("model error", "model error"): 20,
    ("model error", "artefact"): 5,
    ("artefact", "model error"): 10,
    ("artefact", "artefact"): 15,
}
"""The worked example of https://en.wikipedia.org/wiki/Cohen%27s_kappa: observed 0.7, by chance 0.5, kappa 0.4."""


def test_cohens_kappa_of_a_worked_example() -> None:
    (found,) = measure_agreement(pairs(TWO_BY_TWO))
    assert (found.reviewers, found.cases, found.agreed) == (("Abe", "Ito"), 50, 35)
    assert found.kappa == pytest.approx(0.4)


def test_its_interval_follows_fleiss_cohen_and_everitt() -> None:
    p = [[15 / 50, 10 / 50], [5 / 50, 20 / 50]]  # artefact first
    rows, columns = [sum(row) for row in p], [p[0][0] + p[1][0], p[0][1] + p[1][1]]
    kappa, chance = 0.4, 0.5
    first = sum(p[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in (0, 1))
    second = (1 - kappa) ** 2 * sum(p[i][j] * (columns[i] + rows[j]) ** 2 for i, j in ((0, 1), (1, 0)))
    third = (kappa - chance * (1 - kappa)) ** 2
    error = math.sqrt((first + second - third) / 50) / (1 - chance)
    (found,) = measure_agreement(pairs(TWO_BY_TWO))
    assert found.lower == pytest.approx(kappa - 1.959964 * error, abs=1e-6)
    assert found.upper == pytest.approx(kappa + 1.959964 * error, abs=1e-6)


def test_fleiss_kappa_of_a_worked_example() -> None:
    ratings = {}
    for case, line in enumerate(FLEISS_TABLE.split("\n")[1:-1]):
        words = [word for word, count in zip("abcde", map(int, line.split()), strict=True) for _ in range(count)]
        ratings[f"case-{case}"] = {f"reviewer {i:02d}": word for i, word in enumerate(words)}
    whole, *others = measure_agreement(ratings)
    assert (len(whole.reviewers), len(others), whole.cases, whole.agreed) == (14, 91, 10, 1)
    assert whole.kappa == pytest.approx(0.210, abs=0.0005)
    assert whole.lower < 0.210 < whole.upper


def test_cases_that_one_of_them_left_out_do_not_count() -> None:
    ratings = pairs(TWO_BY_TWO) | {"case-9999": {"Abe": "artefact"}}
    (found,) = measure_agreement(ratings)
    assert found.cases == 50


def test_one_verdict_only_has_no_kappa() -> None:
    (found,) = measure_agreement(pairs({("artefact", "artefact"): 8}))
    assert (found.kappa, found.agreed) == (None, 8)
    assert "same one" in found.note


def test_full_agreement_is_one_without_an_interval() -> None:
    (found,) = measure_agreement(pairs({("artefact", "artefact"): 8, ("model error", "model error"): 4}))
    assert found.kappa == pytest.approx(1.0)
    assert found.lower is None
    assert "no interval" in found.note


def test_fewer_than_two_reviewers_or_shared_cases_have_no_kappa() -> None:
    assert measure_agreement({"case-0001": {"Abe": "artefact"}}) == ()
    (found,) = measure_agreement({"case-0001": {"Abe": "artefact"}, "case-0002": {"Ito": "artefact"}})
    assert (found.cases, found.kappa) == (0, None)
    assert "fewer than two cases" in found.note


def test_a_reviewer_who_always_says_the_same_agrees_as_by_chance() -> None:
    """Observed agreement 2/3 and expected agreement 1 · 2/3 are equal, whatever the other says: kappa is 0."""
    ratings = {
        "case-1": {"A": "artefact", "B": "artefact"},
        "case-2": {"A": "artefact", "B": "artefact"},
        "case-3": {"A": "artefact", "B": "label error"},
    }
    (found,) = measure_agreement(ratings)
    assert (found.agreed, found.kappa, found.lower) == (2, 0.0, None)
    assert "no better than by chance" in str(found.note)


def test_reviewers_who_share_no_verdict_have_no_interval() -> None:
    ratings = {
        "case-1": {"A": "artefact", "B": "wrong region"},
        "case-2": {"A": "label error", "B": "model error"},
    }
    (found,) = measure_agreement(ratings)
    assert (found.agreed, found.kappa, found.lower) == (0, 0.0, None)
    assert "no verdict in common" in str(found.note)
