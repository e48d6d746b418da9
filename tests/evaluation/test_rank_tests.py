"""Tests by ranks against R's published results, Demšar's worked example, scipy and statsmodels."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from brainmri.evaluation.rank_tests import (
    Friedman,
    critical_difference,
    dunn,
    friedman,
    kruskal,
    nemenyi,
    undecided_groups,
)
from brainmri.evaluation.repeats import Repeats
from tests.evaluation.published_data import (
    DEMSAR_AUC,
    INSECT_SPRAYS,
    PLANT_GROWTH,
    ROUNDING_TIMES,
    WARP_BREAKS,
    arrays,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("data", "statistic", "df", "p"),
    [(PLANT_GROWTH, 7.9882, 2, 0.01842), (INSECT_SPRAYS, 54.691, 5, 1.511e-10)],
    ids=["PlantGrowth", "InsectSprays"],
)
def test_kruskal_gives_what_r_prints(data, statistic, df, p) -> None:
    found = kruskal(arrays(data))
    assert found.df == df
    assert found.statistic == pytest.approx(statistic, rel=1e-5)
    assert found.p == pytest.approx(p, rel=4e-4)


def test_dunn_gives_the_published_p_of_the_fertilizers() -> None:
    """With Bonferroni's adjustment: https://www.statology.org/dunns-test-python/ (scikit-posthocs)."""
    groups = arrays(
        {
            "1": (7, 14, 14, 13, 12, 9, 6, 14, 12, 8),
            "2": (15, 17, 13, 15, 15, 13, 9, 12, 10, 8),
            "3": (6, 8, 8, 9, 5, 14, 13, 8, 10, 9),
        }
    )
    pairs = dunn(groups)
    assert [min(1, 3 * pair.p) for pair in pairs] == pytest.approx([0.550846, 0.718451, 0.036633], abs=5e-7)
    assert [pair.z > 0 for pair in pairs] == [False, True, True]
    assert pairs[2].p_holm == pytest.approx(0.036633, abs=5e-7)
    assert pairs[1].p_holm == pytest.approx(2 * pairs[0].p)  # the step before is the larger one


def test_dunn_of_two_models_is_kruskal_wallis() -> None:
    groups = arrays({"a": (0.9, 0.8, 0.8, 0.95), "b": (0.7, 0.8, 0.6)})
    oracle = stats.kruskal(*groups.values())
    assert dunn(groups)[0].z ** 2 == pytest.approx(oracle.statistic, rel=1e-12)
    assert dunn(groups)[0].p == pytest.approx(oracle.pvalue, rel=1e-12)


def test_friedman_gives_what_r_prints_of_the_rounding_times() -> None:
    found = friedman(Repeats.of(ROUNDING_TIMES))
    assert (found.df, found.n) == (2, 22)
    assert found.statistic == pytest.approx(11.143, abs=5e-4)
    assert found.p == pytest.approx(0.003805, abs=5e-7)


def test_friedman_gives_what_r_prints_of_the_warp_breaks() -> None:
    """Example of friedman.test: mean breaks of two wools in three blocks, chi-squared 0.33333, p 0.5637."""
    means = {wool: [float(np.mean(values)) for values in blocks.values()] for wool, blocks in WARP_BREAKS.items()}
    found = friedman(Repeats.of(means))
    assert (found.df, found.n) == (1, 3)
    assert found.statistic == pytest.approx(0.33333, abs=5e-6)
    assert found.p == pytest.approx(0.5637, abs=5e-5)


def test_friedman_and_nemenyi_give_demsars_worked_example() -> None:
    """JMLR 2006;7:1-30, section 3.2.2: ranks, χ² = 9.28 (not corrected for ties), critical difference 1.25."""
    found = friedman(Repeats.of(DEMSAR_AUC))
    assert list(found.mean_ranks.values()) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    squares = sum(rank**2 for rank in found.mean_ranks.values())
    assert 12 * 14 / 20 * (squares - 4 * 25 / 4) == pytest.approx(9.28, abs=5e-3)
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*DEMSAR_AUC.values()).statistic, rel=1e-9)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)
    pairs = {(pair.a, pair.b): pair for pair in nemenyi(found)}
    assert pairs["C4.5", "C4.5+m+cf"].rank_difference == pytest.approx(1.179, abs=5e-4)
    assert pairs["C4.5", "C4.5+m+cf"].p > 0.05  # the paper: Nemenyi's test is not strong enough at 5 %


@pytest.mark.parametrize(("models", "published"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_critical_differences_follow_demsars_table(models: int, published: float) -> None:
    """Table 5(a) of the paper; the difference is q · √(k (k + 1) / 6N)."""
    assert critical_difference(models, 14) == pytest.approx(
        published * math.sqrt(models * (models + 1) / (6 * 14)), rel=3e-4
    )


def test_nemenyi_p_crosses_5_per_cent_at_the_critical_difference() -> None:
    draw = np.random.default_rng(0)
    found = friedman(Repeats.of({str(i): draw.normal(i / 3, 1, 12) for i in range(5)}))
    for pair in nemenyi(found):
        assert (pair.p < 0.05) == (abs(pair.rank_difference) > found.critical_difference)


@pytest.mark.parametrize("seed", range(3))
def test_random_accuracies_with_ties_agree_with_scipy(seed: int) -> None:
    draw = np.random.default_rng(seed)
    values = np.round(draw.normal(0.9, 0.02, size=(4, 9)), 2)
    found, oracle = friedman(Repeats.of(dict(zip("abcd", values, strict=True)))), stats.friedmanchisquare(*values)
    assert (found.statistic, found.p) == pytest.approx((oracle.statistic, oracle.pvalue), rel=1e-9)
    groups = {"a": values[0], "b": values[1][:4], "c": values[2][:7]}
    kruskals = stats.kruskal(*groups.values())
    assert (kruskal(groups).statistic, kruskal(groups).p) == pytest.approx(
        (kruskals.statistic, kruskals.pvalue), rel=1e-9
    )


def test_friedman_leaves_out_splits_that_a_model_lacks() -> None:
    whole = {"a": [0.9, 0.8, 0.7, 0.95], "b": [0.8, 0.85, 0.6, 0.7], "c": [0.5, 0.6, 0.9, 0.8]}
    missing = {**whole, "b": [0.8, NAN, 0.6, 0.7]}
    without = {model: [values[i] for i in (0, 2, 3)] for model, values in whole.items()}
    assert friedman(Repeats.of(missing)) == friedman(Repeats.of(without))


def test_numbers_that_differ_by_rounding_only_tie() -> None:
    found = friedman(Repeats.of({"a": [0.3, 0.9], "b": [0.1 + 0.2, 0.8]}))
    assert found.mean_ranks == {"a": 1.25, "b": 1.75}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": [0.9, 0.8], "b": [0.9, 0.8]}, "All models tie on every shared split"),
        ({"a": [0.9, NAN], "b": [NAN, 0.8]}, "needs two splits or more .* there is none"),
        ({"a": [0.9], "b": [0.8]}, "needs two splits or more .* there is one"),
        ({"a": [0.9, 0.8]}, "Friedman's test needs two models"),
        ({}, "Friedman's test needs two models"),
    ],
    ids=["ties", "none shared", "one shared", "one model", "nothing"],
)
def test_friedman_answers_degenerate_accuracies_in_words(data, words) -> None:
    found = friedman(Repeats.of(data))
    assert (found.statistic, found.p) == (None, None)
    assert re.search(words, found.note)
    assert all(pair.p is None for pair in nemenyi(found))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": (0.9, 0.9), "b": (0.9, 0.9)}, "All values tie"),
        ({"a": (0.9,), "b": (0.8,)}, "more than one repeat"),
        ({"a": (0.9, 0.8)}, "two models or more"),
    ],
    ids=["ties", "one repeat", "one model"],
)
def test_kruskal_answers_degenerate_accuracies_in_words(data, words) -> None:
    found = kruskal(arrays(data))
    assert (found.statistic, found.p) == (None, None)
    assert words in found.note
    assert all(pair.z is None and pair.p_holm is None for pair in dunn(arrays(data)))


def test_a_critical_difference_joins_what_it_does_not_tell_apart() -> None:
    """Demšar 2006, section 3.2.2 and figure 1: at 10 % (1.12) C4.5+cf belongs to both groups, at 5 % (1.25) all do."""
    ranks = {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    found = Friedman(statistic=9.28, df=3, p=0.026, n=14, mean_ranks=ranks, critical_difference=1.12)
    assert undecided_groups(found) == (("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5"))
    wider = replace(found, critical_difference=critical_difference(4, 14))
    assert wider.critical_difference == pytest.approx(1.25, abs=0.01)
    assert undecided_groups(wider) == (("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),)
    assert undecided_groups(replace(found, critical_difference=0.01)) == ()
    assert undecided_groups(replace(found, critical_difference=None)) == ()
