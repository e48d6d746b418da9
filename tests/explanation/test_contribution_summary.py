"""Contributions over repeats and cases, against means worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import ExplanationError
from brainmri.explanation.contribution_summary import by_diagnosis, over_cases, over_repeats, spread
from brainmri.explanation.contributions import Baseline, RunContributions

CLASSES = ("glioblastoma", "PCNSL")


def run(seed, samples, baseline="blurred"):
    logits = np.random.default_rng(seed).normal(size=(len(samples), 1, 8, 2)).astype(np.float32)
    return RunContributions(
        classes=CLASSES,
        baseline=Baseline(name=baseline),
        made_from="run",
        sample_index=np.array(samples),
        logits=logits,
    )


def test_the_spread_is_that_of_the_values():
    one = run(1, [3, 5, 8, 9])
    records = [one.of(sample, 1) for sample in one.sample_index]
    values = np.array([record.values for record in records])
    found = spread(records)
    assert (found.n, found.class_name, found.score) == (4, "PCNSL", "probability")
    np.testing.assert_allclose(found.mean, values.mean(axis=0))
    np.testing.assert_allclose(found.sd, [np.sqrt(((c - c.mean()) ** 2).sum() / 3) for c in values.T])
    np.testing.assert_allclose(found.lowest, values.min(axis=0))
    np.testing.assert_allclose(found.highest, values.max(axis=0))
    assert found.mean_total == pytest.approx(np.mean([record.total for record in records]))
    assert spread(records[:1]).sd is None


def test_a_spread_of_different_things_is_refused():
    one = run(1, [3, 5])
    with pytest.raises(ExplanationError, match="found 2 kinds among 2 records"):
        spread([one.of(3, 0), one.of(3, 1)])
    with pytest.raises(ExplanationError, match="found 2 kinds among 2 records"):
        spread([one.of(3, 0), run(2, [3], "mean").of(3, 0)])
    with pytest.raises(ExplanationError, match="found 0 kinds among 0 records"):
        spread([])


def test_repeats_that_did_not_test_the_case_do_not_count():
    runs = [run(1, [3, 5]), run(2, [5]), run(3, [3, 5, 8])]
    found = over_repeats(runs, [3, 5], 0, "logit")
    assert found.n == 2
    expected = [one.of([3, 5], 0, "logit").values for one in (runs[0], runs[2])]
    np.testing.assert_allclose(found.mean, np.mean(expected, axis=0))
    assert over_repeats(runs, [4], 0) is None


def test_each_case_counts_once_however_many_slices_and_runs_it_has():
    runs = [run(1, [0, 1, 2]), run(2, [2, 3]), run(3, [3])]
    found = over_cases(runs, {"case-1": [0, 1], "case-2": [2, 3], "case-3": [7]}, 1)
    first = np.mean([runs[0].of(sample, 1).values for sample in (0, 1)], axis=0)
    second = np.mean([runs[0].of(2, 1).values, runs[1].of([2, 3], 1).values, runs[2].of(3, 1).values], axis=0)
    assert found.n == 2
    np.testing.assert_allclose(found.mean, (first + second) / 2)
    np.testing.assert_allclose(found.sd, np.abs(first - second) / np.sqrt(2))
    assert found.mean_total == pytest.approx(((first + second) / 2).sum())
    assert over_cases(runs, {"case-3": [7]}, 1) is None


def games_of(contributions):
    """Return a run whose contributions to the logit of the first class are as given: shape (N, 3)."""
    contributions = np.asarray(contributions, dtype=np.float32)
    logits = np.zeros((len(contributions), 1, 8, 2), dtype=np.float32)
    for coalition in range(8):
        kept = [bool(coalition >> player & 1) for player in range(3)]
        logits[:, 0, coalition, 0] = contributions @ kept  # an additive game: the values are the players' own
    return RunContributions(
        classes=CLASSES,
        baseline=Baseline(name="mean"),
        made_from="run",
        sample_index=np.arange(len(contributions)),
        logits=logits,
    )


def test_each_diagnosis_is_summarised_over_the_patients_who_have_it():
    first = games_of([[1, 0, 4], [3, 0, 4], [0, 1, 0], [9, 9, 9]])
    second = games_of([[1, 0, 4], [3, 0, 4], [0, 3, 0], [9, 9, 9]])
    cases = {"glioblastoma": {"a": [0, 1], "b": [2]}, "schwannoma": {"c": [3]}}
    (found,) = by_diagnosis([first, second], cases, score="logit")
    assert (found.class_name, found.patients) == ("glioblastoma", 2)
    assert found.mean == pytest.approx((1, 1, 2))  # of (2, 0, 4) and (0, 2, 0)
    assert found.low == pytest.approx((0, 0, 0))  # a quarter of the draws hold b twice, a quarter a twice
    assert found.high == pytest.approx((2, 2, 4))


def test_the_interval_over_patients_is_that_of_scipys_bootstrap():
    values = np.random.default_rng(5).normal(size=(40, 3))
    (found,) = by_diagnosis([games_of(values)], {"glioblastoma": {str(n): [n] for n in range(40)}}, score="logit")
    for player in range(3):
        theirs = stats.bootstrap(
            (values[:, player],), np.mean, method="percentile", n_resamples=9999, rng=np.random.default_rng(1)
        ).confidence_interval
        close = 0.25 * values[:, player].std() / np.sqrt(40)  # four standard errors of a percentile of 2,000 draws
        assert found.low[player] == pytest.approx(theirs.low, abs=close)
        assert found.high[player] == pytest.approx(theirs.high, abs=close)


def test_one_patient_has_no_interval_and_none_no_summary():
    (found,) = by_diagnosis([games_of([[1, 2, 3]])], {"glioblastoma": {"a": [0]}}, score="logit")
    assert (found.patients, found.low, found.high) == (1, None, None)
    assert by_diagnosis([games_of([[1, 2, 3]])], {"PCNSL": {"a": [7]}}) == ()
    assert by_diagnosis([], {"PCNSL": {"a": [0]}}) == ()
