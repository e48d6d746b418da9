"""Repeated-measures analysis of variance against R's published output and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from brainmri.evaluation.repeated_measures import repeated_measures
from brainmri.evaluation.repeats import Repeats
from tests.evaluation.published_data import REACTION_TIMES

NAN = math.nan
WITHOUT_NOISE, WITH_NOISE = REACTION_TIMES[:, :3], REACTION_TIMES[:, 3:]


@pytest.mark.parametrize(
    ("values", "f", "epsilon", "p", "corrected"),
    [
        ((WITHOUT_NOISE + WITH_NOISE) / 2, 40.719, 0.9616, 2.087e-7, 3.402e-7),
        (WITH_NOISE - WITHOUT_NOISE, 45.31, 0.904, 9.424e-8, 3.454e-7),
    ],
    ids=["angle", "angle and noise"],
)
def test_reaction_times_give_what_anova_mlm_of_r_prints(values, f, epsilon, p, corrected) -> None:
    """Greenhouse-Geisser's epsilon and p of ``anova(mlmfit, test = "Spherical")``; Dalgaard P, R News 2007;7(2):2-7."""
    found = repeated_measures(Repeats.of({str(i): values[:, i] for i in range(3)}))
    assert (found.df, found.df_error, found.n) == (2, 18, 10)
    assert found.f == pytest.approx(f, rel=1e-4)
    assert found.epsilon == pytest.approx(epsilon, abs=5e-5)
    assert (found.p, found.p_greenhouse_geisser) == pytest.approx((p, corrected), rel=3e-4)


def test_random_accuracies_agree_with_statsmodels() -> None:
    import pandas as pd
    from statsmodels.stats.anova import AnovaRM

    values = np.random.default_rng(1).normal(0.9, 0.02, size=(8, 4))
    rows = [(split, model, values[split, model]) for split in range(8) for model in range(4)]
    table = pd.DataFrame(rows, columns=["split", "model", "accuracy"])
    oracle = AnovaRM(table, "accuracy", "split", within=["model"]).fit().anova_table.iloc[0]
    found = repeated_measures(Repeats.of({str(i): values[:, i] for i in range(4)}))
    assert (found.f, found.p) == pytest.approx((oracle["F Value"], oracle["Pr > F"]), rel=1e-9)
    assert (found.df, found.df_error) == (oracle["Num DF"], oracle["Den DF"])


def test_two_models_give_the_paired_t_test() -> None:
    a, b = np.random.default_rng(2).normal(0.9, 0.02, size=(2, 7))
    found, oracle = repeated_measures(Repeats.of({"a": a, "b": b})), stats.ttest_rel(a, b)
    assert (found.f, found.p) == pytest.approx((oracle.statistic**2, oracle.pvalue), rel=1e-9)
    assert found.epsilon == pytest.approx(1)
    assert found.p_greenhouse_geisser == pytest.approx(found.p, rel=1e-9)


def test_splits_that_a_model_lacks_are_left_out() -> None:
    found = repeated_measures(Repeats.of({"a": [0.9, 0.8, NAN, 0.7], "b": [0.7, 0.75, 0.9, 0.71], "c": [NAN] * 4}))
    assert found == repeated_measures(Repeats.of({"a": [0.9, 0.8, 0.7], "b": [0.7, 0.75, 0.71]}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": [0.9, 0.8], "b": [0.8, 0.7]}, "differ by the same amounts on every shared split"),
        ({"a": [0.9, 0.9], "b": [0.9, 0.9]}, "differ by the same amounts on every shared split"),
        ({"a": [0.9, NAN], "b": [0.8, 0.9]}, "there is one."),
        ({"a": [0.9, NAN], "b": [NAN, 0.9]}, "there is none."),
        ({"a": [0.9, 0.8]}, "needs two models or more"),
    ],
    ids=["shifted", "identical", "one shared", "none shared", "one model"],
)
def test_degenerate_accuracies_are_answered_in_words(data, words) -> None:
    found = repeated_measures(Repeats.of(data))
    assert (found.f, found.p, found.epsilon, found.p_greenhouse_geisser) == (None,) * 4
    assert words in found.note
