"""Rows and sentences of comparisons on the same cases."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.bootstrap import bootstrap_metric
from brainmri.evaluation.case_tests import cochran_q, compare_on_cases
from brainmri.evaluation.consensus import find_consensus
from brainmri.evaluation.delong import compare_areas, compare_consensus_areas
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.rows_of_case_tests import (
    area_notes,
    area_pair_rows,
    bootstrap_notes,
    describe_areas,
    describe_cochran,
    mcnemar_rows,
    patient_difference_rows,
    without_empty,
)
from tests.evaluation.drawn_predictions import draw_predictions


def test_cochrans_q_is_told_with_the_cases_that_bear_on_it() -> None:
    """Six cases that only two of three got right: Q = 2 (3 (36 + 36) − 144) / (36 − 24) = 12."""
    text = describe_cochran(cochran_q(np.array([[1, 1, 0]] * 6 + [[1, 1, 1]] * 94, dtype=bool)))
    assert "On 100 cases" in text
    assert "verdicts differ: Q = 12.00, p = 0.002; some networks are right and others wrong on 6 cases" in text
    one = describe_cochran(cochran_q(np.array([[1, 0]] + [[1, 1]] * 3, dtype=bool)))
    assert "right and others wrong on one case" in one
    assert "They differ on one case only" in one
    same = describe_cochran(cochran_q(np.ones((3, 2), dtype=bool)))
    assert same.endswith("in the same repeats: All are right on the same cases: there is nothing to test.")


def test_mcnemar_rows_hold_the_fourfold_table_and_points() -> None:
    tests = compare_on_cases(find_consensus(draw_predictions(cases=60, skill=0.8)))
    pair, row = tests.pairs[0], mcnemar_rows(tests)[0]
    assert row["Pair"] == "AlexNet − ResNet50"
    counts = [row[name] for name in ("Both right", "Only the first", "Only the second", "Both wrong")]
    assert counts == [pair.both_right, pair.only_a, pair.only_b, pair.both_wrong]
    assert row["Difference (points)"] == pytest.approx(100 * (pair.only_a - pair.only_b) / sum(counts))
    assert row["Lower"] == pytest.approx(100 * pair.lower)


def test_areas_are_told_with_their_counts_and_their_test() -> None:
    predictions = draw_predictions(cases=60, skill=0.8)
    images = compare_consensus_areas(find_consensus(predictions, level="image"), 0)
    text = describe_areas(images)
    assert text.startswith(f"{images.positives} images with the diagnosis against {images.negatives} without it, of ")
    assert f"χ²(1) = {images.chi_square:.2f}" in text
    cases = describe_areas(compare_consensus_areas(find_consensus(predictions), 0))
    assert "cases with the diagnosis" in cases
    assert ", of " not in cases
    row = area_pair_rows(images)[0]
    assert (row["Pair"], row["Difference"]) == ("AlexNet − ResNet50", images.pairs[0].difference)


def test_an_absent_class_is_noted_once() -> None:
    none = compare_areas([False] * 4, np.zeros((2, 4)), names=("alexnet", "resnet50"))
    assert area_notes(none) == ["There are no positives among the 4 cases: there is no ROC curve."]
    assert describe_areas(none) == "0 cases with the diagnosis against 4 without it."
    perfect = compare_areas([0, 0, 1, 1], [[1, 2, 3, 4], [1, 3, 2, 4]], names=("alexnet", "resnet50"))
    assert area_notes(perfect) == ["AlexNet: All pairs are in the right order: there is no interval by this method."]


def test_differences_over_patients_are_in_points_for_shares_alone() -> None:
    predictions = draw_predictions(cases=40)
    shares = bootstrap_metric(predictions, Metric("accuracy"), seed=1, resamples=200)
    assert patient_difference_rows(shares)[0]["Difference"] == pytest.approx(100 * shares.differences[0].difference)
    plain = bootstrap_metric(predictions, Metric("brier"), seed=1, resamples=200)
    assert patient_difference_rows(plain)[0]["Lower"] == plain.differences[0].lower


def test_notes_of_few_patients_are_shown_once() -> None:
    few = bootstrap_metric(draw_predictions(cases=12, tested=0.8), Metric("accuracy"), seed=1, resamples=200)
    assert len(bootstrap_notes(few)) == 1
    assert "patients only" in bootstrap_notes(few)[0]


def test_a_column_without_entries_is_left_out() -> None:
    assert without_empty([{"a": 1, "Note": None}]) == [{"a": 1}]
    rows = [{"a": 1, "Note": None}, {"a": 2, "Note": "why"}]
    assert without_empty(rows) == rows
