"""McNemar's test and Cochran's Q on cases: published examples, statsmodels, and what cannot be tested."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_oracle
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tests import cochran_q, compare_on_cases, mcnemar
from brainmri.evaluation.consensus import find_consensus
from tests.evaluation.drawn_predictions import draw_predictions


def pairs(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@pytest.mark.parametrize(
    ("table", "exact", "mid"), [((1, 1, 7, 12), 0.0703, 0.0391), ((59, 6, 16, 80), 0.0525, 0.0347)]
)
def test_p_values_are_those_of_fagerland(table: tuple[int, ...], exact: float, mid: float) -> None:
    """Airway hyper-responsiveness and complete response: Fagerland et al. 2013, doi:10.1186/1471-2288-13-91."""
    found = mcnemar(*pairs(*table))
    assert (found.p_exact, found.p_mid) == pytest.approx((exact, mid), abs=5e-5)
    assert (found.both_right, found.only_a, found.only_b, found.both_wrong) == table


def test_the_interval_of_the_difference_is_that_of_fagerland() -> None:
    """Newcombe's interval of the first table: Fagerland et al. Stat Med 2014;33:2850-2875, doi:10.1002/sim.6148."""
    found = mcnemar(*pairs(1, 1, 7, 12))
    assert found.difference == pytest.approx(-6 / 21)
    assert (found.lower, found.upper) == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize("table", [(10, 3, 9, 4), (0, 1, 0, 0), (50, 20, 20, 5), (5, 0, 12, 0), (2, 400, 460, 3)])
def test_exact_p_agrees_with_statsmodels(table: tuple[int, ...]) -> None:
    a, b, c, d = table
    expected = mcnemar_oracle([[a, b], [c, d]], exact=True).pvalue
    assert mcnemar(*pairs(*table)).p_exact == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("only_a", "only_b"), [(3, 9), (0, 5), (7, 7), (1, 0), (11, 12)])
def test_mid_p_counts_half_of_what_is_as_likely_as_the_observed(only_a: int, only_b: int) -> None:
    chances = stats.binom.pmf(np.arange(only_a + only_b + 1), only_a + only_b, 0.5)
    seen = chances[only_a]
    as_likely = np.isclose(chances, seen, rtol=1e-9)
    expected = chances[(chances < seen) & ~as_likely].sum() + chances[as_likely].sum() / 2
    assert mcnemar(*pairs(4, only_a, only_b, 4)).p_mid == pytest.approx(expected, abs=1e-12)


def test_many_thousand_differing_answers_are_counted_too() -> None:
    found = mcnemar(*pairs(0, 6000, 6200, 0))
    assert found.p_exact == pytest.approx(stats.binomtest(6000, 12_200).pvalue, rel=1e-9)
    assert found.p_mid < found.p_exact


def test_without_correlation_the_interval_is_newcombes_for_independent_shares() -> None:
    """Where one is right on every case, nothing tells how the two go together: method 10 becomes the unpaired one."""
    found = mcnemar(*pairs(33, 7, 0, 0))
    expected = confint_proportions_2indep(40, 40, 33, 40, method="newcomb", compare="diff")
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-12)


def test_the_interval_holds_the_true_difference_in_about_95_percent() -> None:
    rng = np.random.default_rng(11)
    chances = [0.7, 0.12, 0.08, 0.1]
    inside = 0
    for table in rng.multinomial(40, chances, size=1000):
        found = mcnemar(*pairs(*table))
        inside += found.lower <= 0.04 <= found.upper
    assert 0.93 <= inside / 1000 <= 0.985


def test_the_answers_turn_with_the_order_of_the_two() -> None:
    ab, ba = mcnemar(*pairs(20, 9, 3, 8)), mcnemar(*pairs(20, 3, 9, 8))
    assert ab.p_mid == pytest.approx(ba.p_mid)
    assert (ab.difference, ab.lower, ab.upper) == pytest.approx((-ba.difference, -ba.upper, -ba.lower))


@pytest.mark.parametrize("shape", [(60, 3), (25, 5), (400, 2)])
def test_cochrans_q_agrees_with_statsmodels(shape: tuple[int, int]) -> None:
    right = np.random.default_rng(shape[0]).random(shape) < np.linspace(0.6, 0.8, shape[1])
    expected = cochrans_q(right.astype(int))
    found = cochran_q(right)
    assert (found.q, found.p, found.df) == pytest.approx((expected.statistic, expected.pvalue, expected.df), abs=1e-10)
    assert found.cases == shape[0]
    assert found.differing == (right.any(axis=1) & ~right.all(axis=1)).sum()


def test_cochrans_q_of_two_is_mcnemars_chi_square() -> None:
    a, b = pairs(20, 9, 3, 8)
    assert cochran_q(np.stack([a, b], axis=1)).q == pytest.approx((9 - 3) ** 2 / 12)


def test_networks_are_compared_on_their_consensus() -> None:
    predictions = draw_predictions(architectures=("alexnet", "googlenet", "resnet50"), repeats=4, cases=60)
    consensus = find_consensus(predictions)
    found = compare_on_cases(consensus)
    assert [(pair.a, pair.b) for pair in found.pairs] == [
        ("alexnet", "googlenet"),
        ("alexnet", "resnet50"),
        ("googlenet", "resnet50"),
    ]
    for pair in found.pairs:
        rows = [consensus.right[consensus.architectures.index(name)] for name in (pair.a, pair.b)]
        assert pair.difference == pytest.approx(rows[0].mean() - rows[1].mean())
        assert pair.cases == consensus.case.size
    expected = multipletests([pair.p_mid for pair in found.pairs], method="holm")[1]
    assert [pair.p_holm for pair in found.pairs] == pytest.approx(list(expected))
    assert found.cochran.architectures == ("alexnet", "googlenet", "resnet50")


def test_equal_verdicts_leave_nothing_to_test() -> None:
    same = np.array([True] * 8 + [False] * 4)
    found = mcnemar(same, same, names=("alexnet", "resnet50"))
    assert (found.difference, found.p_exact, found.p_mid) == (0.0, None, None)
    assert found.lower < 0 < found.upper
    assert found.note == "alexnet and resnet50 are right on the same cases: there is nothing to test."
    q = cochran_q(np.stack([same, same, same], axis=1))
    assert (q.q, q.p, q.differing) == (None, None, 0)
    assert "nothing to test" in q.note


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_leaves_nothing_to_test(answer: bool) -> None:
    found = mcnemar([answer] * 10, [answer] * 10)
    assert found.p_exact is None
    assert -0.35 < found.lower < 0 < found.upper < 0.35


def test_one_case_and_no_case_are_answered() -> None:
    one = mcnemar([True], [False])
    assert (one.p_exact, one.p_mid, one.difference) == (1.0, 0.5, 1.0)
    none = mcnemar([], [])
    assert (none.difference, none.lower, none.p_exact) == (None, None, None)
    assert "share no case" in none.note


def test_few_differing_cases_are_told() -> None:
    right = np.array([[1, 1, 0]] * 3 + [[1, 1, 1]] * 20, dtype=bool)
    assert cochran_q(right).note.startswith("They differ on 3 cases only")


def test_one_network_alone_is_refused() -> None:
    with pytest.raises(EvaluationError, match="There is alexnet only: a comparison on cases needs two"):
        compare_on_cases(find_consensus(draw_predictions(architectures=("alexnet",))))
    with pytest.raises(EvaluationError, match=r"two columns or more; found the shape \(4, 1\)"):
        cochran_q(np.ones((4, 1)))
