"""Wilson's interval, for independent and for clustered answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from brainmri.errors import EvaluationError
from brainmri.evaluation.intervals import share_interval, wilson_interval


@pytest.mark.parametrize(
    ("hits", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombe(hits: int, n: int, lower: float, upper: float) -> None:
    """Newcombe RG. Statistics in Medicine 1998;17:857-872, table I, method 3."""
    assert wilson_interval(hits, n) == pytest.approx((lower, upper), abs=5e-5)


@pytest.mark.parametrize("n", [1, 7, 40, 1000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilsons_interval_agrees_with_statsmodels(n: int, confidence: float) -> None:
    for hits in {0, 1, n // 2, n}:
        expected = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
        assert wilson_interval(hits, n, confidence=confidence) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 5), (math.nan, 5)])
def test_a_share_that_cannot_be_is_refused(hits: float, n: float) -> None:
    with pytest.raises(EvaluationError, match="There is no share of"):
        wilson_interval(hits, n)


def test_independent_answers_have_wilsons_interval() -> None:
    found = share_interval([True] * 15 + [False] * 5)
    assert (found.share, found.hits, found.n, found.effective_n) == (0.75, 15, 20, 20.0)
    assert (found.lower, found.upper) == wilson_interval(15, 20)


def test_answers_repeated_on_each_patient_say_no_more_than_one_each() -> None:
    once = np.array([True] * 15 + [False] * 5)
    ten_times = share_interval(np.repeat(once, 10), np.repeat(np.arange(20), 10))
    assert ten_times.effective_n == pytest.approx(20)  # 19 by the unbiased variance, bounded by one answer a patient
    assert (ten_times.lower, ten_times.upper) == pytest.approx(wilson_interval(15, 20))


def test_the_variance_over_patients_is_that_of_a_ratio() -> None:
    """Patients with 4, 2 and 6 images, 4, 1 and 2 of them right: residuals 4 − 7/3, 1 − 7/6 and 2 − 7/2."""
    right = [1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0]
    found = share_interval(right, [0] * 4 + [1] * 2 + [2] * 6)
    variance = 3 / 2 * ((4 - 7 / 3) ** 2 + (1 - 7 / 6) ** 2 + (2 - 7 / 2) ** 2) / 144
    by_hand = 7 / 12 * 5 / 12 / variance  # 4.6, and 2.57 were it one answer a patient
    assert found.effective_n == pytest.approx(by_hand)


def test_patients_who_balance_one_another_are_worth_no_more_than_all_answers() -> None:
    found = share_interval([True, False] * 10, np.repeat(np.arange(10), 2))
    assert found.effective_n == 20


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_counts_patients(answer: bool) -> None:
    found = share_interval([answer] * 30, np.repeat(np.arange(10), 3))
    assert found.effective_n == pytest.approx(10)
    assert (found.lower, found.upper) == pytest.approx(wilson_interval(10 * answer, 10))


def test_one_patient_counts_once_and_none_has_no_interval() -> None:
    assert share_interval([True, False, True], [4, 4, 4]).effective_n == pytest.approx(1)
    empty = share_interval([], [])
    assert (empty.share, empty.lower, empty.upper, empty.n) == (None, None, None, 0)


def test_intervals_of_clustered_answers_cover_the_truth() -> None:
    """400 draws of 40 patients with 5 images: 95 % intervals should hold the true 80 % in 91 to 99 % of them."""
    rng = np.random.default_rng(5)
    plain, clustered = 0, 0
    for _ in range(400):
        ease = rng.beta(0.8 * 2, 0.2 * 2, size=40)  # intraclass correlation 1/3
        right = rng.random((40, 5)) < ease[:, None]
        patient = np.repeat(np.arange(40), 5)
        inside = [share_interval(right.ravel(), one) for one in (None, patient)]
        plain += inside[0].lower <= 0.8 <= inside[0].upper
        clustered += inside[1].lower <= 0.8 <= inside[1].upper
    assert 0.91 <= clustered / 400 <= 0.99
    assert plain / 400 < 0.88
