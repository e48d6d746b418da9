"""Effect sizes against R's MBESS, against definitions by hand, and their intervals by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from brainmri.evaluation.effect_sizes import (
    bias_factor,
    effect_sizes,
    eta_squared_interval,
    hedges_g,
    noncentral_t,
    standardized_interval,
)
from tests.evaluation.published_data import PLANT_GROWTH, arrays


def test_plant_growth_has_the_shares_of_its_anova_table() -> None:
    """Sums of squares that R prints: 3.76634 between, 10.49209 within; ω² by hand from them."""
    found = effect_sizes(arrays(PLANT_GROWTH))
    between, within = 3.76634, 10.49209
    error = within / 27
    assert found.eta_squared == pytest.approx(between / (between + within), abs=1e-6)
    assert found.omega_squared == pytest.approx((between - 2 * error) / (between + within + error), abs=1e-6)


@pytest.mark.parametrize(
    ("f", "n", "lower", "upper"), [(5.765, 36, 0.01916242, 0.4524208), (39.18, 36, 0.4545357, 0.8006797)]
)
def test_the_interval_of_eta_squared_is_that_of_mbess(f, n, lower, upper) -> None:
    """R's MBESS::ci.pvaf(F.value, df.1 = 2, df.2 = 22, N): λ / (λ + N)."""
    assert eta_squared_interval(f, 2, 22, n) == pytest.approx((lower, upper), abs=5e-7)


@pytest.mark.parametrize(
    ("t", "n1", "n2", "lower", "upper"),
    [(2.509, 182, 145, 0.05985009, 0.4983036), (1.747, 168, 159, -0.02421889, 0.4105067)],
)
def test_the_interval_of_a_standardized_difference_is_that_of_mbess(t, n1, n2, lower, upper) -> None:
    """R's MBESS::ci.smd(ncp, n.1, n.2)."""
    found = standardized_interval(t, n1 + n2 - 2, math.sqrt(1 / n1 + 1 / n2))
    assert found == pytest.approx((lower, upper), abs=5e-7)


def test_limits_put_2_5_per_cent_on_either_side() -> None:
    lower, upper = eta_squared_interval(4.846, 2, 27, 30)
    tails = [stats.ncf.cdf(4.846, 2, 27, 30 * share / (1 - share)) for share in (lower, upper)]
    assert tails == pytest.approx([0.975, 0.025], abs=1e-8)


def test_a_small_f_has_an_interval_that_starts_at_zero() -> None:
    assert eta_squared_interval(0.001, 2, 27, 30) == (0.0, 0.0)
    lower, upper = eta_squared_interval(1.0, 2, 27, 30)
    assert lower == 0.0
    assert 0 < upper < 1


@pytest.mark.parametrize(
    ("df", "by_hand"),
    [
        (2, 1 / math.sqrt(math.pi)),
        (4, math.sqrt(2 / math.pi)),
        (3, math.sqrt(math.pi / 6)),
        (5, 1.5 * math.sqrt(math.pi / 10)),
    ],
)
def test_the_factor_for_bias_is_that_of_gamma_functions_by_hand(df: int, by_hand: float) -> None:
    """Γ(m/2) / (√(m/2) Γ((m − 1)/2)) of Hedges 1981, with Γ(1/2) = √π; his approximation is 1 − 3 / (4m − 1)."""
    assert bias_factor(df) == pytest.approx(by_hand, rel=1e-12)
    assert bias_factor(df) == pytest.approx(1 - 3 / (4 * df - 1), abs=0.01)


def test_hedges_g_is_the_t_statistic_scaled() -> None:
    first, second = np.array([0.95, 0.96, 0.93, 0.97]), np.array([0.90, 0.94, 0.91])
    pair = hedges_g("a", "b", first, second)
    t = stats.ttest_ind(first, second).statistic
    assert pair.g == pytest.approx(bias_factor(5) * t * math.sqrt(1 / 4 + 1 / 3), rel=1e-9)
    tails = [stats.nct.cdf(t, 5, limit / math.sqrt(1 / 4 + 1 / 3)) for limit in (pair.lower, pair.upper)]
    assert tails == pytest.approx([0.975, 0.025], abs=1e-8)


def test_intervals_of_g_cover_the_true_difference_95_times_in_a_hundred() -> None:
    draw = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        pair = hedges_g("a", "b", draw.normal(1.0, 1, 8), draw.normal(0.0, 1, 10))
        hits += pair.lower < 1.0 < pair.upper
    assert hits / 400 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("gap", [1e-3, 0.01, 1e6])
def test_differences_far_beyond_the_scatter_keep_their_intervals(gap: float) -> None:
    groups = arrays({"a": (0.9, 0.9 + 1e-5, 0.9), "b": (0.9 - gap, 0.9 - gap, 0.9 - gap + 2e-5)})
    found = effect_sizes(groups)
    assert 0.9 < found.eta_squared_lower <= found.eta_squared_upper <= 1
    pair = found.hedges_g[0]
    assert 0 < pair.lower < pair.g < pair.upper
    turned = hedges_g("b", "a", groups["b"], groups["a"])
    assert (-turned.upper, -turned.lower) == pytest.approx((pair.lower, pair.upper), rel=1e-9)


def test_limits_of_a_large_f_go_over_smoothly_into_their_asymptote() -> None:
    below, above = (eta_squared_interval(f, 2, 27, 30) for f in (499_990, 500_010))
    assert above == pytest.approx(below, rel=1e-8)


@pytest.mark.parametrize("df", [1, 2, 5, 18, 400, 20_000])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.5, 25.0])
@pytest.mark.parametrize("noncentrality", [-2.0, 0.0, 1.5, 20.0])
def test_the_noncentral_t_is_that_of_scipy(t: float, df: int, noncentrality: float) -> None:
    assert noncentral_t(t, df, noncentrality) == pytest.approx(stats.nct.cdf(t, df, noncentrality), abs=1e-10)


@pytest.mark.parametrize("t", [-300.0, -40.0, -3.0, 0.0, 0.5, 12.0, 37.6, 90.0, 999.0])
@pytest.mark.parametrize("df", [2, 4, 18, 58, 398])
def test_limits_are_found_for_any_t(t: float, df: int) -> None:
    lower, upper = standardized_interval(t, df, 1.0)
    assert lower < t < upper
    turned = standardized_interval(-t, df, 1.0)
    assert (-turned[1], -turned[0]) == pytest.approx((lower, upper), rel=1e-8)


@pytest.mark.parametrize("f", [0.0, 0.3, 1.0, 20.0, 900.0, 2e5, 1e12])
@pytest.mark.parametrize("freedoms", [(1, 2), (2, 27), (5, 66), (11, 1000)])
def test_limits_are_found_for_any_f(f: float, freedoms: tuple[int, int]) -> None:
    lower, upper = eta_squared_interval(f, *freedoms, sum(freedoms) + 1)
    assert 0 <= lower <= upper <= 1


def test_a_per_cent_scale_changes_nothing() -> None:
    shares = arrays({"a": (0.95, 0.96, 0.97), "b": (0.9, 0.91, 0.93)})
    hundred = {model: 100 * values for model, values in shares.items()}
    assert effect_sizes(hundred).omega_squared == pytest.approx(effect_sizes(shares).omega_squared)
    assert effect_sizes(hundred).hedges_g[0].upper == pytest.approx(effect_sizes(shares).hedges_g[0].upper)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": (0.9, 0.9), "b": (0.8, 0.8)}, "there is none"),
        ({"a": (0.9,), "b": (0.8,)}, "there is none"),
        ({"a": (0.9, 0.8)}, "two models or more"),
    ],
    ids=["no scatter", "one repeat", "one model"],
)
def test_degenerate_accuracies_are_answered_in_words(data, words) -> None:
    found = effect_sizes(arrays(data))
    assert (found.eta_squared, found.eta_squared_lower, found.omega_squared) == (None, None, None)
    assert words in found.note
    assert all((pair.g, pair.lower) == (None, None) for pair in found.hedges_g)
