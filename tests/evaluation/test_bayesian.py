"""The Bayesian correlated t-test; its published worked example stands with that of the corrected t-test."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.bayesian import bayesian_correlated_t
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import corrected_t

REPEATS = Repeats.of({"a": [0.93, 0.95, 0.91, 0.96], "b": [0.90, 0.93, 0.92, 0.92]})


def test_probabilities_are_areas_under_the_posterior() -> None:
    """The posterior density of Corani and Benavoli 2015 integrated by hand on a grid."""
    pair = bayesian_correlated_t(REPEATS, equivalence=0.01, test_fraction=0.3)[0]
    differences = np.array([0.03, 0.02, -0.01, 0.04])
    scale = math.sqrt(np.var(differences, ddof=1) * (1 / 4 + 0.3 / 0.7))
    angle = np.linspace(-np.pi / 2, np.pi / 2, 400_001)[1:-1]  # x = mean + scale · tan(angle) covers the whole line
    x = differences.mean() + scale * np.tan(angle)
    density = (1 + np.tan(angle) ** 2 / 3) ** -2 / np.cos(angle) ** 2
    density /= density.sum()
    assert pair.p_a_better == pytest.approx(density[x > 0.01].sum(), abs=1e-5)
    assert pair.p_equivalent == pytest.approx(density[np.abs(x) <= 0.01].sum(), abs=1e-5)
    assert pair.p_b_better == pytest.approx(density[x < -0.01].sum(), abs=1e-5)
    assert pair.p_a_better + pair.p_equivalent + pair.p_b_better == pytest.approx(1, abs=1e-12)


def test_without_a_region_half_of_p_is_the_probability_of_the_worse() -> None:
    pair = bayesian_correlated_t(REPEATS, equivalence=0.0)[0]
    corrected = corrected_t(REPEATS)[0]
    assert pair.p_b_better == pytest.approx(corrected.p / 2, rel=1e-9)
    assert pair.p_equivalent == 0
    assert (pair.lower, pair.upper) == pytest.approx((corrected.lower, corrected.upper))


def test_a_wide_region_makes_models_equal() -> None:
    assert bayesian_correlated_t(REPEATS, equivalence=0.5)[0].p_equivalent > 0.99


@pytest.mark.parametrize("equivalence", [-0.01, math.inf, math.nan])
def test_a_region_that_is_none_is_refused(equivalence: float) -> None:
    with pytest.raises(EvaluationError, match="The region of practical equivalence is ±"):
        bayesian_correlated_t(REPEATS, equivalence=equivalence)
