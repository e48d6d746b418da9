"""Areas under ROC curves: the published example, the definition by loops, and what cannot be tested."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainmri.errors import EvaluationError
from brainmri.evaluation.consensus import find_consensus
from brainmri.evaluation.delong import areas_with_covariance, compare_areas, compare_consensus_areas
from tests.evaluation.drawn_predictions import draw_predictions

# Albumin, total protein, Krebs-Goplerud score and success of the operation: the 43 complete rows of DeLong et al. 1988.
OVARIAN_CANCER = np.array(
    [
        [3.0, 5.8, 10, 0], [3.2, 6.3, 5, 1], [3.9, 6.8, 3, 1], [2.8, 4.8, 6, 0], [3.2, 5.8, 3, 1], [0.9, 4.0, 5, 0],
        [2.5, 5.7, 8, 0], [1.6, 5.6, 5, 1], [3.8, 5.7, 5, 1], [3.7, 6.7, 6, 1], [3.2, 5.4, 4, 1], [3.8, 6.6, 6, 1],
        [4.1, 6.6, 5, 1], [3.6, 5.7, 5, 1], [4.3, 7.0, 4, 1], [3.6, 6.7, 4, 0], [2.3, 4.4, 6, 1], [4.2, 7.6, 4, 0],
        [4.0, 6.6, 6, 0], [3.5, 5.8, 6, 1], [3.8, 6.8, 7, 1], [3.0, 4.7, 8, 0], [4.5, 7.4, 5, 1], [3.7, 7.4, 5, 1],
        [3.1, 6.6, 6, 1], [4.1, 8.2, 6, 1], [4.3, 7.0, 5, 1], [4.3, 6.5, 4, 1], [3.2, 5.1, 5, 1], [2.6, 4.7, 6, 1],
        [3.3, 6.8, 6, 0], [1.7, 4.0, 7, 0], [3.7, 6.1, 5, 1], [3.3, 6.3, 7, 1], [4.2, 7.7, 6, 1], [3.5, 6.2, 5, 1],
        [2.9, 5.7, 9, 0], [2.1, 4.8, 7, 1], [2.8, 6.2, 8, 0], [4.0, 7.0, 7, 1], [3.3, 5.7, 6, 1], [3.7, 6.9, 5, 1],
        [3.6, 6.6, 5, 1],
    ]
)  # fmt: skip


def by_definition(positive, scores, patient):
    """Return areas and covariance by double loops over pairs and over patients (Obuchowski 1997)."""
    count = len(scores)
    credit = np.zeros((count, positive.size))
    ups, downs = np.flatnonzero(positive), np.flatnonzero(~positive)
    for row in range(count):
        for up in ups:
            for down in downs:
                order = (scores[row, up] > scores[row, down]) + 0.5 * (scores[row, up] == scores[row, down])
                credit[row, up] += order / downs.size
                credit[row, down] += order / ups.size
    areas = credit[:, ups].mean(axis=1)
    covariance = np.zeros((count, count))
    people = sorted(set(patient.tolist()))
    for a in range(count):
        for b in range(count):
            s10 = s01 = s11 = 0.0
            for one in people:
                mine_up = [i for i in ups if patient[i] == one]
                mine_down = [i for i in downs if patient[i] == one]
                up_a, up_b = (sum(credit[c, i] - areas[c] for i in mine_up) for c in (a, b))
                down_a, down_b = (sum(credit[c, i] - areas[c] for i in mine_down) for c in (a, b))
                s10 += up_a * up_b
                s01 += down_a * down_b
                s11 += up_a * down_b + down_a * up_b
            with_up, with_down = len(set(patient[ups])), len(set(patient[downs]))
            covariance[a, b] = (
                s10 * with_up / (with_up - 1) / ups.size**2
                + s01 * with_down / (with_down - 1) / downs.size**2
                + s11 * len(people) / (len(people) - 1) / (ups.size * downs.size)
            )
    return areas, covariance


def test_the_example_of_delong_comes_out_as_published() -> None:
    """DeLong et al. 1988; figures to four digits from SAS/STAT User's Guide, The LOGISTIC Procedure, Example 60.8."""
    albumin, protein, krebs, success = OVARIAN_CANCER.T
    found = compare_areas(success == 1, [albumin, protein, 10 - krebs], names=["albumin", "total protein", "K-G score"])
    assert (found.positives, found.negatives, found.patients) == (31, 12, None)
    assert [area.auc for area in found.areas] == pytest.approx([0.7366, 0.6478, 0.7258], abs=5e-5)
    assert [area.standard_error for area in found.areas] == pytest.approx([0.0927, 0.1000, 0.1028], abs=5e-5)
    against_krebs = [pair for pair in found.pairs if pair.b == "K-G score"]
    assert [pair.difference for pair in against_krebs] == pytest.approx([0.0108, -0.0780], abs=5e-5)
    assert [pair.standard_error for pair in against_krebs] == pytest.approx([0.0953, 0.1046], abs=5e-5)
    assert [pair.lower for pair in against_krebs] == pytest.approx([-0.1761, -0.2830], abs=5e-5)
    assert [pair.upper for pair in against_krebs] == pytest.approx([0.1976, 0.1271], abs=5e-5)
    assert [pair.p for pair in against_krebs] == pytest.approx([0.9102, 0.4561], abs=5e-5)
    assert (found.chi_square, found.df, found.p) == pytest.approx((2.5340, 2, 0.2817), abs=5e-5)


@pytest.mark.parametrize("patients", [40, 13, 6])
def test_areas_and_covariance_follow_the_definition(patients: int) -> None:
    rng = np.random.default_rng(patients)
    positive = rng.random(40) < 0.4
    scores = np.round(rng.normal(size=(3, 40)) + positive, 1)  # with ties
    patient = np.arange(40) if patients == 40 else rng.integers(0, patients, size=40)
    expected = by_definition(positive, scores, patient)
    found = areas_with_covariance(positive, scores, patient)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)
    assert found[0] == pytest.approx([roc_auc_score(positive, score) for score in scores])


def test_images_repeated_on_each_patient_say_no_more_than_one_each() -> None:
    rng = np.random.default_rng(2)
    positive = np.arange(30) < 12
    scores = rng.normal(size=(2, 30)) + positive
    once = compare_areas(positive, scores)
    copied = compare_areas(np.repeat(positive, 5), np.repeat(scores, 5, axis=1), patient=np.repeat(np.arange(30), 5))
    naive = compare_areas(np.repeat(positive, 5), np.repeat(scores, 5, axis=1))
    assert copied.pairs[0].p == pytest.approx(once.pairs[0].p)
    assert copied.areas[0].standard_error == pytest.approx(once.areas[0].standard_error)
    assert naive.areas[0].standard_error < 0.5 * once.areas[0].standard_error
    assert (copied.patients, copied.positives) == (30, 60)


def test_intervals_hold_the_true_area_in_about_95_percent() -> None:
    """Patients with 4 images, scores normal with intraclass correlation 1/2: the true area is Φ(1/√2) = 0.760."""
    rng = np.random.default_rng(8)
    true = 0.5 * (1 + math.erf(1 / math.sqrt(2) / math.sqrt(2)))
    patient = np.repeat(np.arange(60), 4)
    positive = patient < 25
    inside = {"clustered": 0, "plain": 0}
    for _ in range(500):
        scores = np.sqrt(0.5) * (rng.normal(size=60)[patient] + rng.normal(size=240)) + positive
        for name, of in (("clustered", patient), ("plain", None)):
            area = compare_areas(positive, scores, patient=of).areas[0]
            inside[name] += area.lower <= true <= area.upper
    assert 0.92 <= inside["clustered"] / 500 <= 0.98
    assert inside["plain"] / 500 < 0.88


def test_the_interval_stays_between_zero_and_one() -> None:
    area = compare_areas([True] * 5 + [False] * 5, [[9, 8, 7, 6, 3, 5, 4, 2, 1, 0]]).areas[0]
    assert area.auc == pytest.approx(0.92)
    assert 0 < area.lower < area.auc < area.upper < 1


def test_the_consensus_of_networks_is_compared_on_cases_and_on_images() -> None:
    predictions = draw_predictions(architectures=("alexnet", "googlenet", "resnet50"), repeats=4, cases=60)
    for level in ("case", "image"):
        consensus = find_consensus(predictions, level=level)
        found = compare_consensus_areas(consensus, 1)
        is_it = consensus.true_class == 1
        for area, scores in zip(found.areas, consensus.probabilities, strict=True):
            assert area.auc == pytest.approx(roc_auc_score(is_it, scores[:, 1]))
            assert area.lower < area.auc < area.upper
        assert found.patients == (None if level == "case" else np.unique(consensus.case).size)
        assert [pair.p_holm >= pair.p for pair in found.pairs] == [True] * 3
    with pytest.raises(EvaluationError, match="no class 3: the data set has 3"):
        compare_consensus_areas(consensus, 3)


@pytest.mark.parametrize(("positive", "lack"), [([True] * 4, "negatives"), ([False] * 4, "positives")])
def test_a_class_that_is_absent_or_alone_has_no_area(positive: list[bool], lack: str) -> None:
    found = compare_areas(positive, [[1, 2, 3, 4], [4, 3, 2, 1]])
    assert [area.auc for area in found.areas] == [None, None]
    assert found.areas[0].note == f"There are no {lack} among the 4 cases: there is no ROC curve."
    assert (found.pairs[0].difference, found.pairs[0].p, found.p) == (None, None, None)


def test_all_pairs_in_order_have_an_area_and_no_interval() -> None:
    found = compare_areas([True, True, False, False], [[4, 3, 2, 1], [4, 3, 2, 1]])
    assert (found.areas[0].auc, found.areas[0].lower) == (1.0, None)
    assert found.areas[0].note.startswith("All pairs are in the right order")
    assert found.pairs[0].difference == 0.0
    assert "put all pairs in the same order: there is nothing to test" in found.pairs[0].note
    assert found.chi_square is None


def test_a_network_beside_its_twin_does_not_spoil_the_test_of_all() -> None:
    rng = np.random.default_rng(4)
    positive = np.arange(40) < 20
    scores = rng.normal(size=(2, 40)) + positive
    pair = compare_areas(positive, scores)
    with_twin = compare_areas(positive, np.vstack([scores, scores[:1]]))
    assert (with_twin.df, with_twin.chi_square) == pytest.approx((1, pair.chi_square))


def test_positives_of_one_patient_have_an_area_and_no_test() -> None:
    found = compare_areas([True, True, False, False], [[4, 1, 2, 3], [4, 3, 2, 1]], patient=[0, 0, 1, 2])
    assert found.areas[0].auc == 0.5
    assert "of one patient: there is no interval" in found.areas[0].note
    assert "of one patient: there is no test" in found.pairs[0].note
    assert found.pairs[0].p is None


def test_one_positive_among_single_cases_has_no_interval() -> None:
    area = compare_areas([True, False, False], [[2, 1, 3]]).areas[0]
    assert (area.auc, area.lower) == (0.5, None)


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"shape \(1, 3\); expected \(1, 2\)"):
        compare_areas([True, False], [[1, 2, 3]])
    with pytest.raises(EvaluationError, match="one number a case"):
        compare_areas([True, False], [[1, math.nan]])
