"""Comparison of models against published results of R and NIST, and against scipy, statsmodels and numpy."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import Comparison, TukeyPair, compare

PLANT_GROWTH = {
    "ctrl": (4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14),
    "trt1": (4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69),
    "trt2": (6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26),
}
"""R's datasets::PlantGrowth."""

INSECT_SPRAYS = {
    "A": (10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13),
    "B": (11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13),
    "C": (0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4),
    "D": (3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4),
    "E": (3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4),
    "F": (11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13),
}
"""R's datasets::InsectSprays."""

WARP_BREAKS = {
    "L": (26, 30, 54, 25, 70, 52, 51, 26, 67, 27, 14, 29, 19, 29, 31, 41, 20, 44),
    "M": (18, 21, 29, 17, 12, 18, 35, 30, 36, 42, 26, 19, 16, 39, 28, 21, 39, 29),
    "H": (36, 21, 24, 18, 10, 43, 28, 15, 26, 20, 21, 24, 17, 13, 15, 15, 16, 28),
}
"""R's datasets::warpbreaks by tension."""

SILICON_RESISTIVITY = {
    "1": (196.3052, 196.1240, 196.1890, 196.2569, 196.3403),
    "2": (196.3042, 196.3825, 196.1669, 196.3257, 196.0422),
    "3": (196.1303, 196.2005, 196.2889, 196.0343, 196.1811),
    "4": (196.2795, 196.1748, 196.1494, 196.1485, 195.9885),
    "5": (196.2119, 196.1051, 196.1850, 196.0052, 196.2090),
}
"""NIST StRD, SiRstv."""


def find_pair(comparison: Comparison, a: str, b: str) -> TukeyPair:
    return next(pair for pair in comparison.tukey if (pair.a, pair.b) == (a, b))


def simon_lesage(base: float) -> dict[str, list[float]]:
    """Return NIST StRD SmLs01 (base 1) or SmLs04 (base 1000000): nine treatments of 21 values."""
    centres = [base + 0.4, *[base + 0.3, base + 0.5] * 4]
    return {str(i): [c, *[c - 0.1, c + 0.1] * 10] for i, c in enumerate(centres, 1)}


def test_plant_growth_gives_the_anova_of_r() -> None:
    anova = compare(PLANT_GROWTH).anova
    assert (anova.df_between, anova.df_within) == (2, 27)
    assert anova.f == pytest.approx(4.846, abs=5e-4)
    assert anova.p == pytest.approx(0.01591, abs=5e-6)


# R prints b − a; the record holds a − b.
@pytest.mark.parametrize(
    ("a", "b", "difference", "lower", "upper", "p"),
    [
        ("ctrl", "trt1", -0.371, -1.0622161, 0.3202161, 0.3908711),
        ("ctrl", "trt2", 0.494, -0.1972161, 1.1852161, 0.1979960),
        ("trt1", "trt2", 0.865, 0.1737839, 1.5562161, 0.0120064),
    ],
)
def test_plant_growth_gives_the_tukey_intervals_of_r(
    a: str, b: str, difference: float, lower: float, upper: float, p: float
) -> None:
    pair = find_pair(compare(PLANT_GROWTH), a, b)
    assert (-pair.difference, -pair.upper, -pair.lower, pair.p) == pytest.approx(
        (difference, lower, upper, p), abs=1e-7
    )


@pytest.mark.parametrize(
    ("a", "b", "difference", "lower", "upper", "p"),
    [
        ("A", "B", 0.8333333, -3.866075, 5.532742, 0.9951810),
        ("A", "C", -12.4166667, -17.116075, -7.717258, 0.0000000),
        ("A", "D", -9.5833333, -14.282742, -4.883925, 0.0000014),
        ("A", "F", 2.1666667, -2.532742, 6.866075, 0.7542147),
        ("C", "D", 2.8333333, -1.866075, 7.532742, 0.4920707),
        ("C", "E", 1.4166667, -3.282742, 6.116075, 0.9488669),
    ],
)
def test_insect_sprays_give_the_tukey_intervals_of_r(
    a: str, b: str, difference: float, lower: float, upper: float, p: float
) -> None:
    pair = find_pair(compare(INSECT_SPRAYS), a, b)
    assert (-pair.difference, -pair.upper, -pair.lower) == pytest.approx((difference, lower, upper), abs=1e-6)
    assert pair.p == pytest.approx(p, abs=1e-7)


def test_insect_sprays_give_the_anova_of_r() -> None:
    anova = compare(INSECT_SPRAYS).anova
    assert (anova.df_between, anova.df_within) == (5, 66)
    assert anova.f == pytest.approx(34.7, abs=0.05)
    assert anova.p < 2e-16


def test_warp_breaks_give_the_numbers_of_r() -> None:
    comparison = compare(WARP_BREAKS)
    assert comparison.anova.f == pytest.approx(7.206, abs=5e-4)
    assert comparison.anova.p == pytest.approx(0.00175, abs=5e-6)
    pair = find_pair(comparison, "L", "H")
    found = (-pair.difference, -pair.upper, -pair.lower, pair.p)
    assert found == pytest.approx((-14.722222, -24.28205, -5.1623978, 0.0014315), abs=5e-6)


def test_nist_silicon_resistivity_has_its_certified_f() -> None:
    assert compare(SILICON_RESISTIVITY).anova.f == pytest.approx(1.18046237440255, rel=1e-9)


@pytest.mark.parametrize("base", [1.0, 1e6])
def test_nist_simon_lesage_keeps_its_digits_under_a_large_offset(base: float) -> None:
    anova = compare(simon_lesage(base)).anova
    assert (anova.df_between, anova.df_within) == (8, 180)
    assert anova.f == pytest.approx(21.0, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_random_accuracies_agree_with_statsmodels_and_scipy(seed: int) -> None:
    from statsmodels.stats.multicomp import pairwise_tukeyhsd
    from statsmodels.stats.oneway import anova_oneway

    draw = np.random.default_rng(seed)
    sizes = [10, 10, 10] if seed == 0 else draw.integers(3, 12, size=3 + seed % 2)
    groups = {f"model {i}": draw.normal(0.9 + 0.008 * i, 0.02, size=n) for i, n in enumerate(sizes)}
    comparison = compare(groups)
    oracle = anova_oneway(list(groups.values()), use_var="equal")
    assert comparison.anova.f == pytest.approx(oracle.statistic, rel=1e-9)
    assert comparison.anova.p == pytest.approx(oracle.pvalue, rel=1e-8)
    assert comparison.anova.f == pytest.approx(stats.f_oneway(*groups.values()).statistic, rel=1e-9)
    flat = np.concatenate(list(groups.values()))
    pairs = pairwise_tukeyhsd(flat, np.repeat(list(groups), [len(g) for g in groups.values()]))
    assert [-pair.difference for pair in comparison.tukey] == pytest.approx(pairs.meandiffs, abs=1e-12)
    assert [-pair.upper for pair in comparison.tukey] == pytest.approx(pairs.confint[:, 0], abs=1e-6)
    assert [-pair.lower for pair in comparison.tukey] == pytest.approx(pairs.confint[:, 1], abs=1e-6)
    assert [pair.p for pair in comparison.tukey] == pytest.approx(pairs.pvalues, abs=1e-6)
    scipys = stats.tukey_hsd(*groups.values())
    rows, columns = np.triu_indices(len(groups), k=1)
    assert [pair.p for pair in comparison.tukey] == pytest.approx(scipys.pvalue[rows, columns], rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 11])
def test_quartiles_are_of_type_7(n: int) -> None:
    values = np.random.default_rng(n).normal(0.9, 0.03, size=n)
    row = compare({"a": values}).descriptive[0]
    ordered, expected = np.sort(values), []
    for share in (0.25, 0.5, 0.75):  # R's documentation of quantile: x[j] + γ (x[j + 1] − x[j]), (n − 1) p = j + γ
        place = (n - 1) * share
        low = math.floor(place)
        expected.append(ordered[low] + (place - low) * (ordered[min(low + 1, n - 1)] - ordered[low]))
    assert (row.q1, row.median, row.q3) == pytest.approx(expected, abs=1e-15)
    assert (row.minimum, row.maximum, row.n) == (ordered[0], ordered[-1], n)


def test_the_descriptive_table_of_plant_growth_is_that_of_r() -> None:
    row = compare(PLANT_GROWTH).descriptive[0]
    assert (row.minimum, row.q1, row.median, row.mean, row.q3, row.maximum) == pytest.approx(
        (4.17, 4.55, 5.155, 5.032, 5.2925, 6.11), abs=1e-12
    )
    assert row.sd == pytest.approx(0.58309, abs=5e-6)


def test_whiskers_end_at_the_last_value_within_reach() -> None:
    row = compare({"a": [0.5, 0.9, 0.91, 0.92, 0.93, 0.94]}).descriptive[0]
    assert (row.whisker_low, row.whisker_high) == (0.9, 0.94)


def test_pairs_and_models_keep_the_order_in_which_they_came() -> None:
    comparison = compare({"z": [0.9, 0.8], "a": [0.7, 0.75], "m": [0.6, 0.65]})
    assert [row.model for row in comparison.descriptive] == ["z", "a", "m"]
    assert [(pair.a, pair.b) for pair in comparison.tukey] == [("z", "a"), ("z", "m"), ("a", "m")]
    assert comparison.tukey[0].difference == pytest.approx(0.125)


def test_per_cent_gives_the_same_tests_as_shares() -> None:
    shares = {"a": [0.95, 0.96, 0.97], "b": [0.9, 0.91, 0.93]}
    one, hundred = compare(shares), compare({m: [100 * v for v in values] for m, values in shares.items()})
    assert hundred.anova.f == pytest.approx(one.anova.f, rel=1e-9)
    assert hundred.tukey[0].lower == pytest.approx(100 * one.tukey[0].lower, rel=1e-9)


def test_the_json_has_the_documented_keys_and_full_precision() -> None:
    record = compare({"a": [0.1 + 0.2, 0.4], "b": [0.7, 0.6]}).to_json()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) >= {"descriptive", "anova", "tukey"}
    assert set(record["descriptive"]["a"]) >= {"n", "median", "q1", "q3", "mean", "sd"}
    assert list(record["anova"]) == ["F", "df_between", "df_within", "p"]
    assert list(record["tukey"][0]) == ["a", "b", "difference", "lower", "upper", "p"]
    assert record["descriptive"]["a"]["min"] == 0.1 + 0.2


def test_one_repeat_is_described_and_not_tested() -> None:
    comparison = compare({"a": [0.9], "b": [0.8]})
    record = comparison.to_json()
    assert record["descriptive"]["a"] == {
        "n": 1,
        "median": 0.9,
        "q1": 0.9,
        "q3": 0.9,
        "mean": 0.9,
        "sd": None,
        "min": 0.9,
        "max": 0.9,
    }
    assert record["anova"] == {"F": None, "df_between": 1, "df_within": 0, "p": None}
    assert record["tukey"] == [
        {"a": "a", "b": "b", "difference": pytest.approx(0.1), "lower": None, "upper": None, "p": None}
    ]
    assert "one repeat only" in comparison.notes[0]


def test_one_model_has_nothing_to_be_tested_against() -> None:
    comparison = compare({"alone": [0.9, 0.8, 0.85]})
    assert comparison.tukey == ()
    assert comparison.anova.f is None
    assert comparison.notes == ("There is only one model (alone) with results: nothing to test it against.",)


def test_identical_accuracies_are_answered_in_words() -> None:
    comparison = compare({"a": [0.3, 0.1 + 0.2], "b": [0.3, 0.3]})  # rounding is no spread
    assert comparison.anova.f is None
    assert "All repeats have the same value" in comparison.notes[0]


def test_no_spread_within_any_model_is_answered_in_words() -> None:
    comparison = compare({"a": [0.9, 0.9], "b": [0.8, 0.8]})
    assert (comparison.anova.f, comparison.tukey[0].p) == (None, None)
    assert comparison.tukey[0].difference == pytest.approx(0.1)
    assert "No model varies between its repeats" in comparison.notes[0]


def test_equal_means_with_spread_give_no_difference() -> None:
    comparison = compare({"a": [0.8, 0.9], "b": [0.9, 0.8]})
    assert (comparison.anova.f, comparison.anova.p) == pytest.approx((0, 1), abs=1e-12)
    assert comparison.tukey[0].p == pytest.approx(1, abs=1e-9)


def test_unequal_numbers_of_repeats_are_noted() -> None:
    comparison = compare({"a": [0.9, 0.8, 0.85], "b": [0.7, 0.75], "c": [0.6]})
    assert comparison.notes == (
        "Numbers of repeats differ (a 3, b 2, c 1): Tukey's intervals are those of Tukey and Kramer.",
    )
    assert all(pair.p is not None for pair in comparison.tukey)


def test_a_missing_repeat_is_left_out_and_noted() -> None:
    comparison = compare({"a": [0.9, math.nan, 0.85], "b": [0.7, 0.75], "c": [math.nan]})
    assert comparison.notes[:2] == (
        "a: 1 of 3 repeats is missing and left out.",
        "c: 1 of 1 repeats is missing and left out.",
    )
    assert [row.n for row in comparison.descriptive] == [2, 2, 0]
    assert comparison.to_json()["descriptive"]["c"]["median"] is None
    assert comparison.anova.f == pytest.approx(stats.f_oneway([0.9, 0.85], [0.7, 0.75]).statistic, rel=1e-9)


def test_shares_beside_per_cent_are_noted() -> None:
    assert "shares and per cent may be mixed" in compare({"a": [0.9, 0.8], "b": [91.0, 92.0]}).notes[0]


@pytest.mark.parametrize("accuracies", [{}, {"a": []}, {"a": [math.nan]}])
def test_no_number_at_all_is_refused(accuracies: dict[str, list[float]]) -> None:
    with pytest.raises(EvaluationError, match="There is no accuracy to compare"):
        compare(accuracies)


def test_an_infinite_accuracy_is_refused() -> None:
    with pytest.raises(EvaluationError, match="An accuracy of b is infinite"):
        compare({"a": [0.9], "b": [math.inf]})
