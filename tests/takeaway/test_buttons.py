"""The popover of the review page, drawn by Streamlit's own test runner."""

from __future__ import annotations

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from brainmri.takeaway.files import make_file


def draw(folder: str, run_id: str, case_id: str) -> None:
    from pathlib import Path

    from brainmri.dashboard.review import read_tested_cases
    from brainmri.dashboard.takeaway import show_takeaway
    from brainmri.evaluation.reading import read_finished_runs
    from brainmri.study import open_study

    study = open_study(Path(folder), create=False)
    run = next(one for one in read_finished_runs(study, "exp-001") if one.run_id == run_id)
    case = next(one for one in read_tested_cases(study, "exp-001", run_id) if one.case_id == case_id)
    show_takeaway(study, "exp-001", run, case)


@pytest.fixture
def buttons(taken):
    def drawn() -> AppTest:
        app = AppTest.from_function(draw, args=(str(taken.study.folder), taken.run_id, taken.case_id)).run(timeout=30)
        assert not app.exception, [one.message for one in app.exception]
        return app

    return drawn


def test_three_files_are_offered_under_names_without_identity(buttons, taken) -> None:
    pytest.importorskip("reportlab", reason="reportlab is not installed: pip install -r requirements-takeaway.txt")
    offered = [one.proto for one in buttons().get("download_button")]
    assert [one.label for one in offered] == ["Page (HTML)", "Page (PDF)", "DICOM (zip)"]
    assert not any(one.disabled for one in offered)
    assert all(one.deferred_file_id for one in offered)  # made when pressed, not before


def test_without_a_library_its_button_is_disabled_and_the_reason_told(buttons, monkeypatch) -> None:
    monkeypatch.setattr("brainmri.takeaway.pdf.has_reportlab", lambda: False)
    app = buttons()
    assert [one.proto.disabled for one in app.get("download_button")] == [False, True, False]
    assert any("requirements-takeaway.txt" in one.value for one in app.caption)


def test_what_the_buttons_make_is_what_the_command_makes(taken) -> None:
    assert make_file(taken.study, taken.run_id, taken.case_id, "html").startswith(b"<!doctype html>")
    with zipfile.ZipFile(io.BytesIO(make_file(taken.study, taken.run_id, taken.case_id, "dicom"))) as archive:
        assert f"{taken.case_id}-{taken.run_id}/verdict.dcm" in archive.namelist()
