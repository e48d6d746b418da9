"""Reading sessions from the command line: made, listed, closed, taken away."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from brainmri.__main__ import main
from brainmri.people.audit import read_trail
from brainmri.study import Study
from brainmri.teaching.reading import join, move_on, present, send
from brainmri.teaching.sessions import read_truth
from tests.evaluation.finished_experiment import add_experiment
from tests.teaching.sessions_for_tests import says


def run_json(capsys: pytest.CaptureFixture[str], study: Study, *arguments: str) -> dict[str, Any]:
    """Run a command that must succeed, and parse all of its stdout as one JSON object."""
    assert main(["teaching", *arguments, "--study", str(study.folder), "--json"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


@pytest.fixture
def filled(study: Study) -> Study:
    add_experiment(study, repeats=4, cases=12, slices=2)
    return study


def read_through(study: Study, code: str, name: str) -> None:
    """Answer every case right."""
    reader = join(study, code, name).reader_id
    now = present(study, reader)
    truth = read_truth(study, "ses-001")
    while now.step != "done":
        if now.step == "pathology":
            now = move_on(study, reader, now.position)
        else:
            now = send(study, reader, now.position, now.step, says(truth[now.position]))


def test_a_session_is_made_listed_and_closed(filled: Study, capsys: pytest.CaptureFixture[str]) -> None:
    made = run_json(
        capsys, filled, "create", "--title", "Rounds", "--count", "6", "--experiment", "exp-001", "--balanced"
    )
    assert (made["session"], made["cases"]) == ("ses-001", 6)
    assert sorted(read_truth(filled, "ses-001")) == ["PCNSL"] * 2 + ["glioblastoma"] * 2 + ["meningioma"] * 2
    run_json(capsys, filled, "close", "ses-001")
    (listed,) = run_json(capsys, filled, "list")["sessions"]
    assert (listed["code"], listed["status"], listed["cases"], listed["readers"]) == (made["code"], "closed", 6, 0)
    assert [entry.action for entry in read_trail(filled)] == ["close session", "create session"]


def test_what_came_out_is_written_without_names_unless_they_are_asked_for(
    filled: Study, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = run_json(capsys, filled, "create", "--title", "Rounds", "--count", "3", "--experiment", "exp-001")
    for name in ("Ito", "Mori"):
        read_through(filled, made["code"], name)
    written = run_json(capsys, filled, "export", "ses-001", "--out", str(tmp_path / "hidden"))
    assert {"ses-001-summary.html", "ses-001-readers.csv", "ses-001-every-answer.csv"} <= set(written["files"])
    hidden = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "hidden").iterdir()}
    assert not any("Ito" in text or "Mori" in text for text in hidden.values())
    rows = list(csv.DictReader(hidden["ses-001-every-answer.csv"].splitlines()))
    assert len(rows) == 2 * 3 * 2
    assert all(row["diagnosis"] == row["pathology"] for row in rows)
    run_json(capsys, filled, "export", "ses-001", "--out", str(tmp_path / "named"), "--names")
    assert "Ito" in (tmp_path / "named" / "ses-001-readers.csv").read_text(encoding="utf-8")


def test_a_full_folder_and_an_unknown_session_are_refused_in_words(
    filled: Study, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    run_json(capsys, filled, "create", "--title", "Rounds", "--count", "3")
    options = ["--out", str(tmp_path), "--study", str(filled.folder)]
    assert main(["teaching", "export", "ses-001", *options]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["teaching", "export", "ses-009", *options]) == 1
    assert "There is no session ses-009" in capsys.readouterr().err
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_people_get_a_table_and_an_empty_study_a_way_on(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teaching", "list", "--study", str(study.folder)]) == 0
    assert "teaching create" in capsys.readouterr().out
