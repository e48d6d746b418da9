"""The command 'takeaway': what it writes, says and refuses."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError

import pydicom
import pytest

from brainmri.__main__ import main
from brainmri.explanation.maps import FILE_NAME


def run(taken, *arguments: str) -> int:
    return main(["takeaway", taken.case_id, "--run", taken.run_id, "--study", str(taken.study.folder), *arguments])


def test_a_page_is_written_into_a_folder_under_its_own_name(taken, tmp_path, capsys) -> None:
    assert run(taken, "--format", "html", "--output", str(tmp_path / "new" / "folder")) == 0
    path = tmp_path / "new" / "folder" / f"{taken.case_id}-{taken.run_id}.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out.strip() == str(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_dicom_objects_are_written_into_a_folder_once(taken, tmp_path, capsys) -> None:
    assert run(taken, "--format", "dicom", "--output", str(tmp_path), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    folder = tmp_path / f"{taken.case_id}-{taken.run_id}"
    written = sorted(folder.rglob("*.dcm"))
    assert said == {
        "case": taken.case_id,
        "run": taken.run_id,
        "format": "dicom",
        "paths": [str(folder)],
        "files": len(written),
        "remark": None,
    }
    assert {pydicom.dcmread(path).PatientID for path in written} == {taken.case_id}
    assert run(taken, "--format", "dicom", "--output", str(tmp_path)) == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_file_of_the_right_ending_is_taken_as_the_file(taken, tmp_path) -> None:
    assert run(taken, "--format", "dicom", "--output", str(tmp_path / "case.zip")) == 0
    assert (tmp_path / "case.zip").read_bytes().startswith(b"PK")


def test_a_file_of_another_ending_is_refused(taken, tmp_path, capsys) -> None:
    assert run(taken, "--format", "pdf", "--output", str(tmp_path / "case.html")) == 2
    assert "expected .pdf, or a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_it_says_so(taken, tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(taken, "--format", "html", "--output", str(tmp_path / "file" / "below")) == 2
    assert "Nothing can be written to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("case_id", "run_id", "words"),
    [
        ("case-9999", "exp-001-alexnet-01", "The study has no case 'case-9999'."),
        ("case-0001", "nonsense", "The study has no run 'nonsense'."),
    ],
)
def test_what_is_not_there_is_explained(taken, tmp_path, capsys, case_id: str, run_id: str, words: str) -> None:
    arguments = ["--study", str(taken.study.folder), "--format", "html", "--output", str(tmp_path)]
    assert main(["takeaway", case_id, "--run", run_id, *arguments]) == 1
    assert words in capsys.readouterr().err


def test_without_maps_it_works_and_says_so(own_taken, tmp_path, capsys) -> None:
    (own_taken.study.run_folder(own_taken.run_id) / FILE_NAME).unlink()
    assert run(own_taken, "--format", "dicom", "--output", str(tmp_path / "case.zip")) == 0
    assert f"explain-run {own_taken.run_id}" in capsys.readouterr().out


def test_a_missing_library_for_pdf_is_named(taken, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab", None)
    assert run(taken, "--format", "pdf", "--output", str(tmp_path)) == 2
    assert "pip install -r requirements-takeaway.txt" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("found", [None, "0.27.4"])
def test_a_missing_or_old_library_for_dicom_is_named(taken, tmp_path, capsys, monkeypatch, found: str | None) -> None:
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr("brainmri.takeaway.dicom_export.version", version)
    assert run(taken, "--format", "dicom", "--output", str(tmp_path)) == 2
    assert "highdicom, version 0.28 or newer" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
