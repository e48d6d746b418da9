"""Simulated studies of equally good models, and what each test claims of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.claims import CLAIMS, claim_differences
from brainmri.evaluation.simulation import TypeOneSettings, draw_studies, simulate_type_one

SMALL = TypeOneSettings(studies=400, cases=120)


def shares(studies: np.ndarray) -> dict[str, float]:
    return {test: float(found.mean()) for test, found in claim_differences(studies, test_fraction=0.3).items()}


@pytest.mark.parametrize("models", [2, 3])
def test_claims_are_those_of_the_tests_that_the_results_show(models: int) -> None:
    settings = replace(SMALL, models=models, repeats=6, of_architecture=0.3)
    studies = draw_studies(settings, 6, np.random.default_rng(4))
    claimed = claim_differences(studies, test_fraction=0.3)
    for i, study in enumerate(studies):
        found = analyse({f"m{j}": study[:, j] for j in range(models)}, test_fraction=0.3)
        expected = {
            "anova": found.comparison.anova.p,
            "tukey": min(pair.p for pair in found.comparison.tukey),
            "welch": found.welch.p,
            "kruskal": found.kruskal.p,
            "repeated_measures": found.repeated_measures.p,
            "repeated_measures_gg": found.repeated_measures.p_greenhouse_geisser,
            "friedman": found.friedman.p,
            "nemenyi": min(pair.p for pair in found.nemenyi),
            "corrected_t": min(pair.p_holm for pair in found.corrected_t),
            "bayesian": 1 - max(max(pair.p_a_better, pair.p_b_better) for pair in found.bayesian),
        }
        assert {test: bool(claimed[test][i]) for test in expected} == {test: p < 0.05 for test, p in expected.items()}


def test_independent_repeats_are_told_apart_in_5_per_cent() -> None:
    """Where the plain tests' assumptions hold, they keep their level: the array formulas are right."""
    found = shares(np.random.default_rng(1).normal(0.9, 0.02, size=(4000, 10, 3)))
    for test in ("anova", "tukey", "welch", "kruskal", "repeated_measures", "friedman"):
        assert found[test] == pytest.approx(0.05, abs=0.015), test
    assert 0.02 < found["nemenyi"] < 0.055
    assert 0.03 < found["paired_t"] < 0.055
    assert found["corrected_t"] < 0.005


def test_overlapping_splits_make_plain_tests_claim_too_often_and_not_the_corrected_one() -> None:
    found = simulate_type_one(replace(SMALL, studies=1000))
    rates = {rate.test: rate for rate in found.rates}
    assert list(rates) == list(CLAIMS)
    for test in ("anova", "tukey", "kruskal", "repeated_measures", "friedman", "paired_t"):
        assert rates[test].lower > 0.15, test
    assert rates["corrected_t"].upper < 0.05
    assert found.mean_accuracy == pytest.approx(0.93, abs=0.003)
    assert 0.1 < found.correlation < 0.3


def test_a_corrected_test_keeps_5_per_cent_where_its_correlation_is_the_true_one() -> None:
    """Normal differences that correlate at ρ = n_test / (n_train + n_test), as the correction takes them to: exact."""
    draw = np.random.default_rng(2)
    shared, own = draw.normal(size=(6000, 1, 2)), draw.normal(size=(6000, 10, 2))
    studies = 0.9 + 0.01 * (np.sqrt(0.3) * shared + np.sqrt(0.7) * own)
    found = shares(studies)
    assert found["corrected_t"] == pytest.approx(0.05, abs=0.01)
    assert found["paired_t"] > 0.3


def test_repeats_with_nothing_but_chance_do_not_correlate() -> None:
    settings = replace(SMALL, of_architecture=0.0, of_run=0.3, pull_of_case=0.0, studies=1500)
    assert simulate_type_one(settings).correlation == pytest.approx(0, abs=0.02)


def test_answers_that_never_change_correlate_by_the_share_of_test_data() -> None:
    """A mean of a random 30 % of the same numbers, twice: the correlation that Nadeau and Bengio's correction takes."""
    settings = replace(SMALL, of_architecture=0.3, of_run=0.0, pull_of_case=0.0, studies=1500)
    assert simulate_type_one(settings).correlation == pytest.approx(0.3, abs=0.03)


def test_the_pull_of_training_sets_correlates_by_the_share_of_training_cases() -> None:
    """With so many cases that hardly anything else is left: 0.7, a little less for the chance of each answer."""
    settings = TypeOneSettings(
        studies=300, cases=2000, of_case=0.0, of_architecture=0.0, of_run=1.0, pull_of_case=13.0, accuracy=0.5
    )
    assert simulate_type_one(settings).correlation == pytest.approx(0.685, abs=0.05)


def test_the_same_seed_gives_the_same_table_and_another_one_another() -> None:
    first, again, other = (simulate_type_one(replace(SMALL, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first.mean_accuracy != other.mean_accuracy


def test_studies_without_scatter_claim_nothing() -> None:
    found = claim_differences(np.full((3, 4, 3), 0.9), test_fraction=0.3)
    assert not any(claimed.any() for claimed in found.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"studies": 0}, "'studies' is 0; expected 1 or more"),
        ({"repeats": 1}, "'repeats' is 1; expected 2 or more"),
        ({"models": 1}, "'models' is 1; expected 2 or more"),
        ({"cases": 1}, "1 cases cannot be split"),
        ({"test_fraction": 1.5}, "The share of test data is 1.5"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_make_no_sense_are_refused(change: dict, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        simulate_type_one(replace(SMALL, **change))
