"""Welch's analysis of variance and Games-Howell intervals against R, statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brainmri.evaluation.studentized import critical_ranges
from brainmri.evaluation.unequal_variances import games_howell, welch
from tests.evaluation.published_data import INSECT_SPRAYS, PLANT_GROWTH, arrays


@pytest.mark.parametrize(
    ("data", "f", "df_between", "df_within", "p"),
    [(PLANT_GROWTH, 5.181, 2, 17.128, 0.01739), (INSECT_SPRAYS, 36.065, 5, 30.043, 7.999e-12)],
    ids=["PlantGrowth", "InsectSprays"],
)
def test_welch_gives_what_oneway_test_of_r_prints(data, f, df_between, df_within, p) -> None:
    found = welch(arrays(data))
    assert found.df_between == df_between
    assert found.f == pytest.approx(f, abs=5e-4)
    assert found.df_within == pytest.approx(df_within, abs=5e-4)
    assert found.p == pytest.approx(p, rel=4e-4)


@pytest.mark.parametrize("seed", range(3))
def test_random_accuracies_agree_with_statsmodels(seed: int) -> None:
    from statsmodels.stats.multicomp import pairwise_tukeyhsd
    from statsmodels.stats.oneway import anova_oneway

    draw = np.random.default_rng(seed)
    groups = {f"m{i}": draw.normal(0.9, 0.01 * (i + 1), size=5 + 3 * i) for i in range(3 + seed)}
    oracle = anova_oneway(list(groups.values()), use_var="unequal")
    found = welch(groups)
    assert (found.f, found.df_within, found.p) == pytest.approx(
        (oracle.statistic, oracle.df_denom, oracle.pvalue), rel=1e-9
    )
    names = np.repeat(list(groups), [len(values) for values in groups.values()])
    pairs = pairwise_tukeyhsd(np.concatenate(list(groups.values())), names, use_var="unequal")
    mine = games_howell(groups)
    assert [-pair.difference for pair in mine] == pytest.approx(pairs.meandiffs, abs=1e-12)
    assert [-pair.upper for pair in mine] == pytest.approx(pairs.confint[:, 0], abs=1e-8)
    assert [-pair.lower for pair in mine] == pytest.approx(pairs.confint[:, 1], abs=1e-8)
    assert [pair.p for pair in mine] == pytest.approx(pairs.pvalues, abs=1e-8)


def test_two_models_give_welchs_t_test() -> None:
    groups = arrays({"a": (0.91, 0.95, 0.90, 0.93), "b": (0.80, 0.92, 0.85)})
    oracle = stats.ttest_ind(groups["a"], groups["b"], equal_var=False)
    interval = oracle.confidence_interval()
    pair = games_howell(groups)[0]
    assert pair.p == pytest.approx(oracle.pvalue, rel=1e-8)
    assert (pair.lower, pair.upper) == pytest.approx((interval.low, interval.high), rel=1e-8)
    assert (welch(groups).f, welch(groups).p) == pytest.approx((oracle.statistic**2, oracle.pvalue), rel=1e-9)


def test_a_large_offset_costs_no_digits() -> None:
    groups = arrays(PLANT_GROWTH)
    moved = {name: values + 1e6 for name, values in groups.items()}
    assert welch(moved).f == pytest.approx(welch(groups).f, rel=1e-8)


def test_a_model_without_scatter_is_compared_in_pairs_only() -> None:
    groups = arrays({"a": (0.9, 0.9, 0.9), "b": (0.8, 0.85, 0.9), "c": (0.7, 0.7, 0.7)})
    assert welch(groups).f is None
    assert welch(groups).note.endswith("without any scatter: a, c.")
    pairs = {(pair.a, pair.b): pair for pair in games_howell(groups)}
    assert pairs["a", "c"].p is None
    assert pairs["a", "c"].difference == pytest.approx(0.2)
    oracle = stats.ttest_1samp(groups["b"], 0.9)
    range_p = stats.studentized_range.sf(abs(oracle.statistic) * np.sqrt(2), 3, 2)
    assert pairs["a", "b"].p == pytest.approx(range_p, rel=1e-8)


def test_one_repeat_of_a_model_is_answered_in_words() -> None:
    groups = arrays({"a": (0.9, 0.8), "b": (0.7,), "c": (0.85, 0.9)})
    assert welch(groups).note == "Welch's test needs two repeats or more of every model; one repeat: b."
    assert [pair.p is None for pair in games_howell(groups)] == [True, False, True]
    assert welch(arrays({"a": (0.9, 0.8)})).note == "Welch's test needs two models or more."
    assert games_howell({}) == ()


@pytest.mark.parametrize("groups", [2, 3, 6, 30])
def test_critical_ranges_are_those_of_scipy(groups: int) -> None:
    freedoms = np.array([1.0, 3.5, 17.1, 1000.0])
    expected = stats.studentized_range.ppf(0.95, groups, freedoms)
    assert critical_ranges(0.95, groups, freedoms) == pytest.approx(expected, rel=1e-9)
