"""Accuracy in subgroups, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.case_attributes import CaseAttributes
from brainmri.evaluation.intervals import share_interval, wilson_interval
from brainmri.evaluation.subgroups import NOT_KNOWN, tabulate_subgroups
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of


def attributes(**of_case: dict) -> dict[str, CaseAttributes]:
    return {case_id: CaseAttributes(case_id=case_id, **known) for case_id, known in of_case.items()}


def groups(table, attribute: str) -> list[str]:
    return list(dict.fromkeys(row.group for row in table.rows if row.attribute == attribute))


def test_accuracy_is_counted_in_each_group() -> None:
    rows = [(0, 0, 0, [0.9, 0.1, 0]), (0, 0, 0, [0.1, 0.9, 0]), (0, 1, 1, [0.1, 0.9, 0]), (0, 2, 1, [0.9, 0.1, 0])]
    table = tabulate_subgroups(
        predictions_of(rows), attributes(A={"sex": "female"}, B={"sex": "female"}, C={"sex": "male"})
    )
    found = {row.group: row for row in table.rows if row.attribute == "Sex"}
    assert (found["female"].accuracy.hits, found["female"].accuracy.n, found["female"].cases) == (2, 3, 2)
    assert found["female"].accuracy.share == pytest.approx(2 / 3)
    assert (found["male"].accuracy.hits, found["male"].cases) == (0, 1)
    assert found["male"].note == "1 case only: too few to tell this group from the others."
    assert "Scanner is not known of any tested case." in table.notes


def test_groups_hold_every_row_once_and_intervals_count_cases() -> None:
    predictions = draw_predictions(repeats=3, cases=60)
    known = {
        case_id: CaseAttributes(
            case_id=case_id,
            scanner="A" if place % 2 else "B",
            field_strength_t=3.0 if place % 3 else 1.5,
            age_years=30 + place,
            sex="male" if place % 4 else None,
            tumour_side_mm=20 + place,
        )
        for place, case_id in enumerate(predictions.case_ids)
    }
    table = tabulate_subgroups(predictions, known)
    for attribute in ("Scanner", "Field strength", "Age", "Sex", "Tumour size"):
        assert sum(row.accuracy.n for row in table.rows if row.attribute == attribute) == predictions.run.size
    row = next(row for row in table.rows if (row.group, row.architecture) == ("3 T", "resnet50"))
    mine = predictions.of("resnet50")
    rows = np.array([known[predictions.case_ids[case]].field_strength_t == 3.0 for case in mine.case])
    expected = share_interval(mine.true_class[rows] == mine.predicted_class[rows], mine.case[rows])
    assert row.accuracy == expected
    assert row.cases == np.unique(mine.case[rows]).size


def test_groups_come_in_the_order_of_what_they_hold() -> None:
    rows = [(0, case, case % 3, [0.9, 0.1, 0]) for case in range(7)]
    ages = [80, 39.9, 40, 55, 69.5, 70, None]
    sides = [10, 20, 30, 40, 50, 60, 70]
    known = {
        name: {"age_years": age, "tumour_side_mm": side, "field_strength_t": tesla}
        for name, age, side, tesla in zip("ABCDEFG", ages, sides, [7, 3, 1.5, 3, 1.5, 0.5, 3], strict=True)
    }
    table = tabulate_subgroups(predictions_of(rows), attributes(**known))
    assert groups(table, "Age") == [
        "under 40 years",
        "40 to 54 years",
        "55 to 69 years",
        "70 years and over",
        NOT_KNOWN,
    ]
    assert groups(table, "Field strength") == ["0.5 T", "1.5 T", "3 T", "7 T"]
    assert groups(table, "Tumour size") == ["up to 30 mm", "30 to 50 mm", "above 50 mm"]
    assert [row.cases for row in table.rows if row.attribute == "Tumour size"] == [3, 2, 2]
    assert [row.cases for row in table.rows if row.attribute == "Age"] == [1, 1, 2, 2, 1]


def test_tumours_of_one_size_are_one_group() -> None:
    rows = [(0, case, 0, [0.9, 0.1, 0]) for case in range(4)]
    known = attributes(**{name: {"tumour_side_mm": 30.0} for name in "ABCD"})
    assert groups(tabulate_subgroups(predictions_of(rows), known), "Tumour size") == ["all of about one size"]


def test_verdicts_are_grouped_too_and_many_cases_carry_no_warning() -> None:
    predictions = draw_predictions(architectures=("alexnet",), repeats=1, cases=80, tested=0.5)
    known = {case_id: CaseAttributes(case_id=case_id, sex="female") for case_id in predictions.case_ids}
    row = tabulate_subgroups(verdicts_by_case(predictions), known).rows[0]
    assert (row.accuracy.n, row.cases, row.note) == (40, 40, None)
    expected = wilson_interval(row.accuracy.hits, 40)
    assert (row.accuracy.lower, row.accuracy.upper) == pytest.approx(expected, abs=0.01)  # 39 of 40 by n − 1


def test_cases_of_which_nothing_is_known_and_no_case_at_all_are_told() -> None:
    table = tabulate_subgroups(draw_predictions(), {})
    assert table.rows == ()
    assert len(table.notes) == 5
    assert tabulate_subgroups(predictions_of([]), {}).notes == ("No case was tested.",)
