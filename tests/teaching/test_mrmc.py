"""The Obuchowski-Rockette analysis against the published analysis of the Van Dyke data, and against simulation.

The published figures are those of OR-DBM MRMC 2.51 (University of Iowa: Schartz, Hillis, Pesce, Berbaum; trapezoidal
areas, jackknife covariances), as printed in tests of the R package RJafroc, and the same ones with more digits in the
README of the R package MRMCaov (Smith, Hillis).
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainmri.errors import EvaluationError
from brainmri.teaching.mrmc import analyse_one_class, analyse_two_ways, areas_with_left_out

VAN_DYKE = Path(__file__).parent / "data" / "van_dyke_1993.csv"


def read_van_dyke():
    lines = [line for line in VAN_DYKE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    scores = [[[float(row[f"{way}_{reader}"]) for row in rows] for reader in range(1, 6)] for way in ("se", "cine")]
    return np.array([row["dissection"] == "1" for row in rows]), np.array(scores)


@pytest.fixture(scope="module")
def van_dyke():
    return analyse_one_class(*read_van_dyke())


def test_the_data_are_those_of_the_study():
    positive, scores = read_van_dyke()
    assert (positive.sum(), (~positive).sum(), scores.shape) == (45, 69, (2, 5, 114))


def test_areas_of_each_reader_are_the_published_ones(van_dyke):
    published = [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
    np.testing.assert_allclose(van_dyke.areas, published, atol=5e-9)
    assert [mean.auc for mean in van_dyke.means] == pytest.approx([0.89703704, 0.94083736], abs=5e-9)


def test_components_are_the_published_ones(van_dyke):
    assert van_dyke.mean_square_way == pytest.approx(0.004796171, abs=5e-10)
    assert van_dyke.mean_square_interaction == pytest.approx(0.0005510306, abs=5e-11)
    assert van_dyke.variance == pytest.approx(0.0008022883, abs=5e-11)
    assert van_dyke.covariance_ways == pytest.approx(0.0003466137, abs=5e-11)
    assert van_dyke.covariance_readers == pytest.approx(0.0003440748, abs=5e-11)
    assert van_dyke.covariance_both == pytest.approx(0.0002390284, abs=5e-11)


def test_the_difference_for_readers_and_cases_like_these_is_the_published_one(van_dyke):
    change = van_dyke.change
    assert change.difference == pytest.approx(0.04380032, abs=5e-9)
    assert change.standard_error == pytest.approx(0.02074862, abs=5e-9)
    assert change.df == pytest.approx(15.25967, abs=5e-6)
    assert (change.lower, change.upper) == pytest.approx((-0.0003588544, 0.0879594986), abs=5e-9)
    assert change.p == pytest.approx(0.05166569, abs=5e-9)


def test_the_difference_for_these_very_readers_is_the_published_one(van_dyke):
    change = van_dyke.change_of_these
    assert change.standard_error == pytest.approx(0.01872, abs=5e-6)
    assert (change.lower, change.upper) == pytest.approx((0.00711, 0.08049), abs=5e-6)
    assert change.p == pytest.approx(0.0193, abs=5e-5)


def test_the_interval_of_each_way_is_the_published_one(van_dyke):
    first, second = van_dyke.means
    assert (first.standard_error, first.df) == pytest.approx((0.03317360, 12.74465), abs=5e-6)
    assert (first.lower, first.upper) == pytest.approx((0.8252236, 0.9688505), abs=5e-8)
    assert (second.lower, second.upper) == pytest.approx((0.8941378, 0.9875369), abs=5e-8)


def test_areas_without_a_case_are_those_of_scikit_learn_on_the_rest():
    positive, scores = read_van_dyke()
    area, left_out = areas_with_left_out(positive, scores)
    for case in (0, 50, 80, 113):
        kept = np.arange(114) != case
        assert left_out[1, 2, case] == pytest.approx(roc_auc_score(positive[kept], scores[1, 2, kept]), abs=1e-12)
    assert area[0, 4] == pytest.approx(roc_auc_score(positive, scores[0, 4]), abs=1e-12)


def test_several_classes_are_averaged_one_against_the_rest():
    draw = np.random.default_rng(3)
    truth = np.arange(30) % 3
    scores = draw.normal(size=(2, 4, 30, 3)) + (np.arange(3) == truth[:, None])
    found = analyse_two_ways(truth, scores)
    expected = np.mean([roc_auc_score(truth == one, scores[1, 3, :, one]) for one in range(3)])
    assert found.areas[1, 3] == pytest.approx(expected, abs=1e-12)


def test_two_classes_that_mirror_one_another_are_one_class():
    positive, scores = read_van_dyke()
    mirrored = analyse_two_ways(positive.astype(int), np.stack([-scores, scores], axis=-1))
    assert mirrored.change.p == pytest.approx(0.05166569, abs=5e-9)


def test_two_equal_ways_are_found_different_in_about_one_of_twenty_studies():
    """400 studies of 5 readers and 40 cases, both ways alike: 5 % with a margin of three standard errors."""
    draw = np.random.default_rng(1)
    truth = np.arange(40) % 2 == 0
    claims = 0
    for _ in range(400):
        case, reader = draw.normal(size=40), 0.3 * draw.normal(size=5)
        scores = draw.normal(size=(2, 5, 40)) + case + truth * (1.5 + reader[:, None])
        claims += analyse_one_class(truth, scores).change.p < 0.05
    assert claims / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert claims > 0


def test_one_reader_has_a_difference_of_that_reader_only():
    positive, scores = read_van_dyke()
    found = analyse_one_class(positive, scores[:, :1])
    assert found.note == "There is one reader: nothing can be said about other readers."
    assert (found.change.p, found.mean_square_way, found.covariance_readers) == (None, None, None)
    # published for reader 1 alone: standard error 0.02551, p = 0.2693
    assert found.change_of_these.standard_error == pytest.approx(0.02551, abs=5e-6)
    assert found.change_of_these.p == pytest.approx(0.2693, abs=5e-5)


def test_readers_who_order_all_cases_rightly_leave_nothing_to_test():
    truth = np.arange(20) % 2 == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = analyse_one_class(truth, np.tile(truth.astype(float), (2, 4, 1)))
    assert found.note == "Neither the readers' areas nor those without a case differ: there is nothing to test."
    assert (found.change.difference, found.change.p, found.means[0].lower) == (0.0, None, None)


def test_a_missing_score_too_few_cases_and_a_wrong_shape_are_refused():
    positive, scores = read_van_dyke()
    holed = scores.copy()
    holed[0, 0, 0] = np.nan
    with pytest.raises(EvaluationError, match="A score is missing"):
        analyse_one_class(positive, holed)
    with pytest.raises(EvaluationError, match=r"The classes have \[113, 1\] cases; the analysis needs 2 of each"):
        analyse_one_class(np.arange(114) == 0, scores)
    with pytest.raises(EvaluationError, match=r"shape \(1, 5, 114, 2\); expected two ways"):
        analyse_one_class(positive, scores[:1])
