"""Checks of assumptions against R's published results and scipy, and their sentences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brainmri.evaluation.assumptions import check_assumptions, describe_overlap
from tests.evaluation.published_data import INSECT_SPRAYS, PLANT_GROWTH, arrays


def test_plant_growth_gives_what_r_prints() -> None:
    """``shapiro.test(residuals(aov(weight ~ group)))`` and ``car::leveneTest``, R's around medians."""
    found = check_assumptions(arrays(PLANT_GROWTH), test_fraction=0.3)
    assert (found.shapiro_w, found.shapiro_p) == pytest.approx((0.96607, 0.4379), abs=5e-5)
    assert (found.levene_f, found.levene_p) == pytest.approx((1.1192, 0.3412), abs=5e-5)
    assert found.is_normal
    assert found.is_equally_scattered
    assert found.sentences[0].startswith("Normality: nothing speaks against it (Shapiro-Wilk, p = 0.438).")
    assert found.sentences[1] == "Equal scatter: nothing speaks against it (Levene, p = 0.341)."


def test_insect_sprays_give_what_r_prints() -> None:
    found = check_assumptions(arrays(INSECT_SPRAYS), test_fraction=0.3)
    assert (found.levene_f, found.levene_p) == pytest.approx((3.8214, 0.004223), rel=2e-4)
    assert found.shapiro_p == pytest.approx(0.02226, abs=5e-6)
    assert not found.is_normal
    assert "otherwise than normally (Shapiro-Wilk, p = 0.022)" in found.sentences[0]
    assert "F scatters more between repeats than E (Levene, p = 0.004)" in found.sentences[1]
    assert "Prefer Welch and Games-Howell" in found.sentences[1]


def test_each_model_is_checked_as_scipy_does() -> None:
    groups = {f"m{i}": np.random.default_rng(i).normal(0.9, 0.01, 6 + i) for i in range(3)}
    found = check_assumptions(groups, test_fraction=0.3)
    expected = {model: stats.shapiro(values).pvalue for model, values in groups.items()}
    assert found.shapiro_by_model == pytest.approx(expected, rel=1e-6)
    levene = stats.levene(*groups.values(), center="median")
    assert (found.levene_f, found.levene_p) == pytest.approx((levene.statistic, levene.pvalue), rel=1e-9)


def test_overlap_is_told_with_its_size() -> None:
    text = describe_overlap(0.2)
    assert "about 20 % of each test set" in text
    assert "about 80 % of each training set" in text


@pytest.mark.parametrize(
    "data",
    [
        {"a": (0.9,), "b": (0.8,)},
        {"a": (0.9, 0.9, 0.9), "b": (0.8, 0.8, 0.8)},
        {"a": (0.9, 0.8), "b": (0.8,)},
        {"a": (0.9, 0.8)},
    ],
    ids=["one repeat", "no scatter", "one repeat of one", "two repeats of one model"],
)
def test_what_cannot_be_checked_is_said(data) -> None:
    found = check_assumptions(arrays(data), test_fraction=0.3)
    assert (found.shapiro_p, found.levene_p, found.is_normal, found.is_equally_scattered) == (None,) * 4
    assert "cannot be checked" in found.sentences[0]
    assert "cannot be checked" in found.sentences[1]
    assert found.shapiro_by_model == {}
