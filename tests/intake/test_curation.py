import pytest

from brainmri.errors import IntakeError, UsageError
from brainmri.intake.curation import set_diagnosis, set_excluded
from brainmri.intake.records import Case
from brainmri.study import Study


@pytest.fixture
def case(study: Study) -> Study:
    row = Case(
        case_id="case-0001",
        diagnosis=None,
        source="NIfTI",
        content_digest="0",
        slices=1,
        rows=1,
        columns=1,
        spacing_mm=[1, 1, 1],
    )
    with study.session() as session:
        session.add(row)
    return study


def read(study: Study) -> Case:
    with study.session() as session:
        return session.get_one(Case, "case-0001")


@pytest.mark.parametrize(
    ("words", "stored"),
    [("GBM", "glioblastoma"), ("  low grade  glioma ", "low grade glioma"), ("", None), (None, None)],
)
def test_a_diagnosis_is_stored_in_the_studys_spelling(case: Study, words: str | None, stored: str | None) -> None:
    set_diagnosis(case, "case-0001", words)
    assert read(case).diagnosis == stored


def test_a_case_is_left_out_with_a_reason_and_taken_back(case: Study) -> None:
    set_excluded(case, "case-0001", " motion \n artefact ")
    assert (read(case).excluded, read(case).exclusion_reason) == (True, "motion artefact")
    set_excluded(case, "case-0001", None)
    assert (read(case).excluded, read(case).exclusion_reason) == (False, None)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_a_few_words(case: Study, reason: str) -> None:
    with pytest.raises(UsageError, match="expected a few words"):
        set_excluded(case, "case-0001", reason)


def test_a_diagnosis_is_no_report(case: Study) -> None:
    with pytest.raises(UsageError, match="expected a name"):
        set_diagnosis(case, "case-0001", "x" * 61)


def test_an_unknown_case_is_named(study: Study) -> None:
    with pytest.raises(IntakeError, match="no case 'case-0404'"):
        set_diagnosis(study, "case-0404", "GBM")
