"""Rows of the case table, its filters and its sentences."""

from __future__ import annotations

import pytest

from brainmri.evaluation.case_listing import case_rows, describe_suspected, filter_cases
from brainmri.evaluation.difficulty import CaseErrors, CaseRow
from brainmri.evaluation.label_errors import CaseLabel


def case(case_id: str, diagnosis: str, *wrong_of: tuple[int, int], taken_for: str | None = "PCNSL") -> CaseRow:
    names = ("alexnet", "resnet50")
    parts = [CaseErrors(architecture=a, wrong=w, tested=n) for a, (w, n) in zip(names, wrong_of, strict=True)]
    wrong = sum(part.wrong for part in parts)
    return CaseRow(
        case_id=case_id,
        diagnosis=diagnosis,
        tested=sum(part.tested for part in parts),
        wrong=wrong,
        mean_true_probability=0.25,
        taken_for=taken_for if wrong else None,
        by_architecture=tuple(parts),
        example_run_id="exp-001-alexnet-01",
    )


def label(case_id: str, suggested: str | None = None) -> CaseLabel:
    return CaseLabel(
        case_id=case_id,
        given="meningioma",
        suggested=suggested,
        self_confidence=0.1,
        suggested_confidence=None if suggested is None else 0.684,
        runs=4,
    )


ROWS = (
    case("case-0001", "meningioma", (2, 2), (2, 2)),
    case("case-0012", "glioblastoma", (3, 3), (0, 3)),
    case("case-0002", "meningioma", (1, 2), (1, 2)),
    case("case-0020", "PCNSL", (0, 2), (0, 0)),
)


def named(**filters) -> list[str]:
    return [row.case_id[-2:] for row in filter_cases(ROWS, **filters)]


def test_every_filter_narrows_and_keeps_the_order() -> None:
    assert named() == ["01", "12", "02", "20"]
    assert named(kinds=["network-specific", "always right"]) == ["12", "20"]
    assert named(diagnoses=["meningioma"]) == ["01", "02"]
    assert named(text=" CASE-000 ") == ["01", "02"]
    assert named(among={"case-0020", "case-0002"}) == ["02", "20"]
    assert named(kinds=["split-dependent"], diagnoses=["PCNSL"]) == []
    assert named(among=set()) == []


def test_a_row_says_how_often_and_by_which_network_a_case_was_wrong() -> None:
    first, *_, last = case_rows(ROWS, {"case-0001": label("case-0001", "PCNSL"), "case-0020": label("case-0020")})
    assert first["Wrong"] == 100
    assert (first["Kind"], first["Taken for"], first["Diagnosis"]) == ("always wrong", "PCNSL", "Meningioma")
    assert (first["AlexNet"], first["ResNet50"], first["Runs"]) == ("2 of 2", "2 of 2", 4)
    assert first["Second look"] == "PCNSL? 68 %"
    assert first["Truth"] == pytest.approx(25)
    assert (last["Wrong"], last["Taken for"], last["ResNet50"], last["Second look"]) == (0, None, None, None)


def test_suspicions_are_told_without_calling_a_label_wrong() -> None:
    assert (
        describe_suspected([label("A")]) == "The networks confidently contradict none of the labels of 1 tested cases."
    )
    said = describe_suspected([label("A", "PCNSL"), label("B"), label("C", "PCNSL")])
    assert said.startswith("2 of 3 labels are worth a second look: ")
    assert said.endswith("That does not make the label wrong.")
    assert describe_suspected([label("A", "PCNSL")]).startswith("1 of 1 labels is worth")
