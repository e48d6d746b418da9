"""The panel of findings, alone on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from brainmri.dashboard.findings import finding_rows
from brainmri.review.findings import Entry, add_finding, change_finding, read_findings
from brainmri.study import Study
from tests.evaluation.finished_experiment import add_experiment

WHERE = ("exp-001", "case-0001")
RUN = "exp-001-alexnet-01"


def page(folder: str) -> None:
    from pathlib import Path

    from brainmri.dashboard.findings import show_findings
    from brainmri.study import open_study

    show_findings(open_study(Path(folder)), "exp-001", case_id="case-0001", run_id="exp-001-alexnet-01")


@pytest.fixture
def panel(study: Study) -> AppTest:
    add_experiment(study)
    return AppTest.from_function(page, args=(str(Path(study.folder)),), default_timeout=30).run()


def fill(app: AppTest, reviewer: str = "AB", verdict: str | None = "artefact", note: str = "") -> AppTest:
    app.text_input(key="reviewer").set_value(reviewer).run()
    if verdict is not None:
        app.button_group[0].set_value(verdict)
    app.text_area[0].set_value(note)
    return app


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def messages(app: AppTest) -> str:
    return "\n".join(one.value for kind in (app.warning, app.error, app.caption, app.markdown) for one in kind)


def test_a_finding_is_saved_and_fills_the_form_again(study: Study, panel: AppTest) -> None:
    press(fill(panel, note="Motion on T2"), "Save finding")
    assert not panel.exception
    (found,) = read_findings(study, *WHERE)
    assert (found.reviewer, found.verdict, found.note, found.run_id, found.version) == (
        "AB",
        "artefact",
        "Motion on T2",
        RUN,
        1,
    )
    assert panel.button_group[0].value == "artefact"
    assert panel.text_area[0].value == "Motion on T2"
    panel.button_group[0].set_value("model error")
    press(panel, "Save changes")
    assert [(one.verdict, one.version) for one in read_findings(study, *WHERE)] == [("model error", 2)]


def test_without_a_name_nothing_is_saved_and_the_reason_told(study: Study, panel: AppTest) -> None:
    press(fill(panel, reviewer=""), "Save finding")
    assert "Enter your name or initials" in messages(panel)
    assert read_findings(study, *WHERE) == []


def test_without_a_verdict_nothing_is_saved_and_the_reason_told(study: Study, panel: AppTest) -> None:
    press(fill(panel, verdict=None, note="odd"), "Save finding")
    assert "Choose what explains it" in messages(panel)
    assert read_findings(study, *WHERE) == []


def test_a_name_entered_last_keeps_what_was_chosen_before(study: Study, panel: AppTest) -> None:
    press(fill(panel, reviewer=""), "Save finding")
    panel.text_input(key="reviewer").set_value("AB").run()
    press(panel, "Save finding")
    assert [one.verdict for one in read_findings(study, *WHERE)] == ["artefact"]


def test_a_finding_is_taken_back_and_its_history_stays(study: Study, panel: AppTest) -> None:
    press(fill(panel), "Save finding")
    press(panel, "Take back")
    assert read_findings(study, *WHERE) == []
    assert not panel.exception


def test_a_change_that_somebody_else_was_first_with_is_refused_and_nothing_lost(study: Study, panel: AppTest) -> None:
    press(fill(panel), "Save finding")
    change_finding(study, *WHERE, "AB", Entry(verdict="label error", note="theirs"), version=1)  # another window
    panel.text_area[0].set_value("mine")
    press(panel, "Save changes")
    (found,) = read_findings(study, *WHERE)
    assert (found.verdict, found.note) == ("label error", "theirs")
    assert len(panel.error) == 1
    assert panel.text_area[0].value == "mine"
    assert "says now: label error" in panel.info[0].value
    press(panel, "Show the stored one")
    assert panel.text_area[0].value == "theirs"
    assert not panel.info


def test_others_are_seen_beside_and_a_note_that_could_name_a_patient_is_pointed_out(
    study: Study, panel: AppTest
) -> None:
    add_finding(study, *WHERE, "CD", Entry(verdict="label error", difficulty=4, bookmarked=True))
    press(fill(panel, note="Jane Doe, born 12.03.1950"), "Save finding")
    assert "could hold a name with a date of birth" in messages(panel)
    assert panel.dataframe[0].value["Reviewer"].tolist() == ["CD"]


def test_rows_write_what_is_there(study: Study) -> None:
    add_experiment(study)
    finding = add_finding(study, *WHERE, "CD", Entry(verdict="label error", difficulty=4, bookmarked=True))
    (row,) = finding_rows([finding])
    assert (row["Finding"], row["Difficulty"], row["Note"], row["Teaching"]) == ("Label error", 4, None, "yes")
