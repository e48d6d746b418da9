"""The corrected resampled t-test against scikit-learn's worked example and against the formula by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import EvaluationError
from brainmri.evaluation.bayesian import bayesian_correlated_t
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import corrected_t, correction, holm

NAN = math.nan


@pytest.fixture(scope="module")
def worked_example() -> Repeats:
    """AUC of four support vector machines over ten times ten folds.

    scikit-learn's example "Statistical comparison of models using grid search",
    https://scikit-learn.org/1.7/auto_examples/model_selection/plot_grid_search_stats.html
    """
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    images, labels = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    kernels = {
        "rbf": {"kernel": "rbf"},
        "linear": {"kernel": "linear"},
        "3_poly": {"kernel": "poly", "degree": 3},
        "2_poly": {"kernel": "poly", "degree": 2},
    }
    return Repeats.of(
        {
            name: cross_val_score(SVC(**options), images, labels, scoring="roc_auc", cv=folds).tolist()
            for name, options in kernels.items()
        }
    )


def test_the_worked_example_has_its_published_t_values(worked_example: Repeats) -> None:
    pairs = corrected_t(worked_example, test_fraction=0.1)
    assert [(pair.a, pair.b) for pair in pairs] == list(combinations(("rbf", "linear", "3_poly", "2_poly"), 2))
    assert [pair.t for pair in pairs] == pytest.approx([0.750, 1.657, 4.565, 1.111, 4.276, 3.851], abs=5e-4)
    assert pairs[0].p / 2 == pytest.approx(0.227, abs=5e-4)  # published one-sided
    bonferroni = [min(1, 6 * pair.p / 2) for pair in pairs]
    assert bonferroni == pytest.approx([1, 0.302, 0, 0.807, 0, 0.001], abs=5e-4)


def test_the_worked_example_has_its_published_posterior(worked_example: Repeats) -> None:
    pairs = bayesian_correlated_t(worked_example, equivalence=0.01, test_fraction=0.1)
    found = [(pair.p_b_better, pair.p_a_better, pair.p_equivalent) for pair in pairs]
    published = [(0.068, 0.500, 0.432), (0.018, 0.882, 0.100), (0, 1, 0), (0.063, 0.750, 0.187), (0, 1, 0), (0, 1, 0)]
    np.testing.assert_allclose(found, published, atol=5e-4)
    assert (pairs[0].lower, pairs[0].upper) == pytest.approx((-0.016445, 0.036445), abs=5e-7)


def test_ten_splits_of_7_to_3_widen_the_plain_error_by_2_3() -> None:
    """1/10 + 3/7 against 1/10, by hand from Nadeau and Bengio 2003, section 3."""
    assert correction(10, 0.3) == pytest.approx(0.5285714286)
    assert math.sqrt(correction(10, 0.3) / 0.1) == pytest.approx(2.2990681, abs=1e-7)


def test_the_interval_is_that_of_the_plain_paired_test_widened() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(0.9, 0.02, size=(2, 10))
    pair = corrected_t(Repeats.of({"a": a, "b": b}), test_fraction=0.3)[0]
    plain = stats.ttest_rel(a, b)
    interval = plain.confidence_interval()
    widening = math.sqrt((1 / 10 + 3 / 7) / (1 / 10))
    assert pair.difference == pytest.approx(a.mean() - b.mean(), abs=1e-15)
    assert (pair.upper - pair.lower) == pytest.approx(widening * (interval.high - interval.low), rel=1e-9)
    assert pair.t == pytest.approx(plain.statistic / widening, rel=1e-9)
    assert pair.p == pytest.approx(2 * stats.t.sf(abs(plain.statistic) / widening, 9), rel=1e-9)


def test_only_splits_that_both_have_count() -> None:
    a, b = [0.9, NAN, 0.8, 0.95, 0.7], [0.85, 0.5, 0.8, NAN, 0.75]
    pair = corrected_t(Repeats.of({"a": a, "b": b}))[0]
    again = corrected_t(Repeats.of({"a": [0.9, 0.8, 0.7], "b": [0.85, 0.8, 0.75]}))[0]
    assert pair == again
    assert pair.n == 3


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert holm([0.02, None, 0.03]) == [pytest.approx(0.04), None, pytest.approx(0.04)]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("b", "words"),
    [
        ([0.8, 0.9, 0.7], "a and b have the same value on every shared split"),
        ([0.7, 0.8, 0.6], "a and b differ by the same amount on every shared split"),
        ([0.7, NAN, NAN], "a and b share one split only"),
        ([NAN, NAN, NAN, 0.9], "a and b share no split"),
    ],
    ids=["identical", "shifted", "one split", "no split"],
)
def test_pairs_that_cannot_be_tested_are_answered_in_words(b: list[float], words: str) -> None:
    repeats = Repeats.of({"a": [0.8, 0.9, 0.7], "b": b})
    pair, posterior = corrected_t(repeats)[0], bayesian_correlated_t(repeats, equivalence=0.01)[0]
    assert (pair.lower, pair.p, pair.p_holm, posterior.p_a_better) == (None, None, None, None)
    assert pair.note.startswith(words)
    assert posterior.note == pair.note
    assert (pair.difference is None) == (words.endswith("no split"))


def test_one_model_has_no_pairs() -> None:
    assert corrected_t(Repeats.of({"a": [0.9, 0.8]})) == ()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 30, NAN])
def test_a_share_of_test_data_that_no_split_has_is_refused(fraction: float) -> None:
    with pytest.raises(EvaluationError, match=r"The share of test data is .* expected n_test / \(n_train \+ n_test\)"):
        corrected_t(Repeats.of({"a": [0.9, 0.8], "b": [0.7, 0.8]}), test_fraction=fraction)
