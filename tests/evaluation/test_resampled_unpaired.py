"""Two means over different splits, against Welch's test as scipy and R have it, and against a case by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import EvaluationError
from brainmri.evaluation.resampled_unpaired import compare_unpaired

# R, t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p-value = 0.07939, interval -3.3654832 to 0.2054832
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)


def test_without_overlap_it_is_welchs_test() -> None:
    found = compare_unpaired(*SLEEP, test_fractions=(1e-12, 1e-12))
    assert found.difference == pytest.approx(-1.58)
    assert (found.lower, found.upper) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)
    assert found.p == pytest.approx(0.07939, abs=1e-5)
    assert (found.n_a, found.n_b) == (10, 10)


def test_overlap_widens_the_interval_by_hand() -> None:
    """Variances 0.01 and 0.04 over 3 and 2 repeats, 7:3 and 9:1: 0.01·(1/3 + 3/7) + 0.02·(1/2 + 1/9)."""
    a, b = np.array([0.8, 0.9, 1.0]), np.array([0.6, 0.8])
    found = compare_unpaired(a, b, test_fractions=(0.3, 0.1))
    terms = [0.01 * (1 / 3 + 3 / 7), 0.02 * (1 / 2 + 1 / 9)]
    df = sum(terms) ** 2 / (terms[0] ** 2 / 2 + terms[1] ** 2 / 1)
    assert found.difference == pytest.approx(0.2)
    assert found.upper - found.difference == pytest.approx(stats.t.ppf(0.975, df) * math.sqrt(sum(terms)))
    assert found.p == pytest.approx(2 * stats.t.sf(0.2 / math.sqrt(sum(terms)), df))


def test_missing_values_are_left_out_and_gaps_answered_in_words() -> None:
    a, none = np.array([0.8, math.nan, 0.9]), np.array([math.nan])
    assert compare_unpaired(a, np.array([0.5, 0.6]), test_fractions=(0.3, 0.3)).n_a == 2
    assert compare_unpaired(a, none, test_fractions=(0.3, 0.3)).note == "One side has no value: no difference."
    one = compare_unpaired(a, np.array([0.5]), test_fractions=(0.3, 0.3))
    assert (one.difference, one.lower) == (pytest.approx(0.35), None)
    assert "two repeats or more" in one.note
    still = compare_unpaired(np.array([0.7, 0.7]), np.array([0.1 + 0.2, 0.3]), test_fractions=(0.3, 0.3))
    assert still.p is None
    assert "neither side scatters" in still.note


def test_a_share_of_test_data_that_cannot_be_is_refused() -> None:
    with pytest.raises(EvaluationError, match="The share of test data is 0"):
        compare_unpaired(*SLEEP, test_fractions=(0.3, 0.0))
