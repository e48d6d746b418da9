"""The command that says who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest

from brainmri.__main__ import main
from brainmri.people.roles import grant
from brainmri.study import Study


def run_json(capsys: pytest.CaptureFixture[str], study: Study, *arguments: str) -> dict[str, Any]:
    """Run a command that must succeed, and parse all of its stdout as one JSON object."""
    assert main(["people", *arguments, "--study", str(study.folder), "--json"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def test_the_first_person_gets_their_roles_on_the_command_line(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    given = run_json(capsys, study, "grant", "Sato@H.example", "instructor", "may-train", "reviewer", "--name", "Sato")
    (person,) = given["people"]
    assert (person["person"], person["name"]) == ("sato@h.example", "Sato")
    assert person["roles"] == ["instructor", "reviewer", "may-train"]
    assert person["added_by"].startswith("command line")
    assert run_json(capsys, study, "list") == given


def test_roles_are_taken_and_the_audit_trail_tells_both(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    run_json(capsys, study, "grant", "a@b.example", "reader", "may-train")
    assert run_json(capsys, study, "revoke", "a@b.example", "may-train")["people"][0]["roles"] == ["reader"]
    entries = run_json(capsys, study, "audit")["entries"]
    assert [one["action"] for one in entries] == ["revoke roles", "grant roles"]
    assert entries[0]["detail"] == {"roles": ["may-train"], "now": ["reader"]}
    assert len(run_json(capsys, study, "audit", "--limit", "1")["entries"]) == 1


def test_people_are_shown_as_a_table(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    grant(study, "a@b.example", ["reader", "reviewer"], by="root", name="Abe")
    assert main(["people", "list", "--study", str(study.folder)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["person", "name", "roles"]
    assert row.split() == ["a@b.example", "Abe", "reviewer,", "reader"]
    assert main(["people", "audit", "--study", str(study.folder)]) == 0
    assert "roles reviewer reader, now reviewer reader" in capsys.readouterr().out


def test_a_study_without_people_says_how_the_first_one_comes(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "list", "--study", str(study.folder)]) == 0
    assert "people grant EMAIL instructor reviewer may-train" in capsys.readouterr().out


def test_a_role_that_is_none_is_bad_usage(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "grant", "a@b.example", "king", "--study", str(study.folder)]) == 2
    assert "'king' is no role" in capsys.readouterr().err


def test_no_study_is_made_by_a_wrong_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "grant", "a@b.example", "reader", "--study", str(tmp_path / "none")]) == 1
    assert "There is no study in" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
