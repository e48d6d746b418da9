import json
from pathlib import Path

import pytest

from brainmri import tasks
from brainmri.intake.records import Case
from brainmri.study import Study
from tests.pages.conftest import OpenPage


def read_case(study: Study, case_id: str) -> Case:
    with study.session() as session:
        return session.get_one(Case, case_id)


def test_an_empty_study_offers_the_import_and_no_table(empty_study: Study, open_page: OpenPage) -> None:
    page = open_page("cases")
    assert [field.label for field in page.text_input] == [
        "Folder with DICOM or NIfTI files",
        "Table of diagnoses (CSV), if there is one",
    ]
    assert not page.dataframe


def test_patients_are_kept_out_of_a_study_of_phantoms_by_a_warning(filled_study: Study, open_page: OpenPage) -> None:
    assert "Import patients into a study of their own" in open_page("cases").warning[0].value


@pytest.mark.parametrize(
    ("folder", "labels", "message"),
    [("", "", "Name the folder"), ("/no/such/folder", "", "no folder"), ("{here}", "/no/labels.csv", "no table")],
)
def test_a_path_that_is_missing_is_explained_and_nothing_starts(
    empty_study: Study, open_page: OpenPage, started: list, folder: str, labels: str, message: str
) -> None:
    page = open_page("cases")
    page.text_input[0].set_value(folder.format(here=empty_study.folder))
    page.text_input[1].set_value(labels)
    page.button[0].click().run()
    assert message in page.error[0].value
    assert started == []


def test_the_import_starts_as_a_background_task(
    empty_study: Study, open_page: OpenPage, started: list, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("patient_id,diagnosis\n")
    page = open_page("cases")
    page.text_input[0].set_value(f'"{tmp_path}"')
    page.text_input[1].set_value(str(table))
    page.button[0].click().run()
    assert started == [("import", ["import", str(tmp_path), "--labels", str(table), "--json"], None)]


def test_the_report_of_an_import_names_what_was_refused_until_it_is_closed(
    empty_study: Study, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tasks.running(empty_study, "import") as task:
        pass
    report = {
        "cases": 2,
        "series": {"T1": 2, "T2": 2, "T1c": 2, "other": 1},
        "refused": [{"path": "/data/broken.dcm", "reason": "the file is cut short"}],
        "notes": ["case-0001: the mask was taken from a DICOM SEG."],
        "already_present": [],
    }
    outputs = {task.task_id: tasks.TaskOutput(json.dumps(report), "")}
    monkeypatch.setattr("brainmri.tasks.read_output", lambda study, task_id, **_: outputs.get(task_id))
    monkeypatch.setattr("brainmri.tasks.forget_output", lambda study, task_id: outputs.pop(task_id))
    page = open_page("cases")
    assert page.dataframe[0].value.iloc[0].tolist() == ["/data/broken.dcm", "the file is cut short"]
    page.button(key="close-report").click().run()
    assert not page.dataframe


def test_an_import_that_failed_shows_the_reason_of_its_process(
    empty_study: Study, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = tasks._insert(empty_study, "import", None)
    tasks.TaskHandle(empty_study, task_id).finish(tasks.FAILED, message="stored")
    output = tasks.TaskOutput("", "brainmri import: The table labels.csv has no column patient_id.\n")
    monkeypatch.setattr("brainmri.tasks.read_output", lambda study, task_id, **_: output)
    assert open_page("cases").error[0].value == "The table labels.csv has no column patient_id."


def test_the_table_is_filtered_by_diagnosis_and_by_words(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("cases")
    assert len(page.dataframe[0].value) == 11
    page.button_group(key="case-diagnosis").set_value(["PCNSL"]).run()
    assert page.dataframe[0].value["Diagnosis"].unique().tolist() == ["PCNSL"]
    page.text_input(key="case-search").set_value("case-0002 left frontal").run()
    assert page.dataframe[0].value["Case"].tolist() == ["case-0002"]


def test_a_link_to_a_case_opens_its_panel(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("cases", case="case-0002")
    assert "case-0002" in [heading.value for heading in page.subheader]
    assert page.selectbox(key="diagnosis-case-0002").value == "PCNSL"


def test_a_corrected_diagnosis_is_stored_and_said(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("cases", case="case-0002")
    page.selectbox(key="diagnosis-case-0002").set_value("meningioma").run()
    page.button(key="save-diagnosis").click().run()
    assert read_case(filled_study, "case-0002").diagnosis == "meningioma"
    assert "The next data set will have it" in page.success[0].value


def test_a_case_is_left_out_with_a_reason_and_taken_back(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("cases", case="case-0003")
    page.button(key="exclude").click().run()
    assert "Write a reason first" in page.warning[-1].value
    page.text_input(key="reason-case-0003").set_value("motion artefact").run()
    page.button(key="exclude").click().run()
    assert read_case(filled_study, "case-0003").exclusion_reason == "motion artefact"
    page.button(key="include").click().run()
    assert not read_case(filled_study, "case-0003").excluded


def test_a_missing_volume_is_explained_in_the_panel(filled_study: Study, open_page: OpenPage) -> None:
    (filled_study.case_folder("case-0004") / "T2.nii.gz").unlink()
    page = open_page("cases", case="case-0004")
    assert "is missing. Import the case again." in page.error[0].value
