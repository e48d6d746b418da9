"""Findings keep their history, and no writer loses words without being told."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import inspect, text

from brainmri.errors import StudyError, UsageError
from brainmri.review import findings as module
from brainmri.review.findings import (
    Entry,
    add_finding,
    change_finding,
    findings_csv,
    read_earlier_findings,
    read_findings,
    read_history,
    withdraw_finding,
)
from brainmri.study import Study, open_study
from brainmri.training.records import Experiment
from tests.evaluation.finished_experiment import add_experiment

PLACE = ("exp-001", "case-0001", "Abe")
ENTRY = Entry(verdict="model error", difficulty=4, note=" Rim enhancement. ", run_id="exp-001-alexnet-01")


@pytest.fixture
def filled(study: Study) -> Study:
    add_experiment(study, repeats=1, cases=6, slices=1)
    return study


def test_a_finding_is_read_as_it_was_written(filled: Study) -> None:
    add_finding(filled, "exp-001", "case-0001", "  Abe ", ENTRY)
    (found,) = read_findings(filled, "exp-001")
    assert (found.reviewer, found.verdict, found.difficulty, found.note) == (
        "Abe",
        "model error",
        4,
        "Rim enhancement.",
    )
    assert (found.version, found.bookmarked, found.run_id) == (1, False, "exp-001-alexnet-01")


def test_a_change_keeps_the_earlier_version(filled: Study) -> None:
    first = add_finding(filled, *PLACE, ENTRY)
    change_finding(filled, *PLACE, Entry(verdict="label error", bookmarked=True), version=1)
    (found,) = read_findings(filled, "exp-001", "case-0001")
    assert (found.verdict, found.version, found.created_at) == ("label error", 2, first.created_at)
    assert [(one.version, one.verdict) for one in read_history(filled, *PLACE)] == [
        (1, "model error"),
        (2, "label error"),
    ]


def test_a_change_of_an_old_version_is_refused_and_changes_nothing(filled: Study) -> None:
    add_finding(filled, *PLACE, ENTRY)
    change_finding(filled, *PLACE, Entry(verdict="artefact"), version=1)
    with pytest.raises(StudyError, match="Version 2 of the finding of case-0001 by Abe was saved elsewhere"):
        change_finding(filled, *PLACE, Entry(verdict="label error"), version=1)
    assert [one.verdict for one in read_findings(filled, "exp-001")] == ["artefact"]


def test_two_that_save_at_the_same_moment_are_told_apart_by_the_database(filled, monkeypatch) -> None:
    first = add_finding(filled, *PLACE, ENTRY)
    change_finding(filled, *PLACE, Entry(verdict="artefact"), version=1)
    monkeypatch.setattr(module, "_latest", lambda *_place: first)  # read before the other one was saved
    with pytest.raises(StudyError, match="nothing was overwritten"):
        change_finding(filled, *PLACE, Entry(verdict="label error"), version=1)


def test_a_finding_taken_back_leaves_the_list_and_stays_in_the_history(filled: Study) -> None:
    add_finding(filled, *PLACE, ENTRY)
    withdraw_finding(filled, *PLACE, version=1)
    assert read_findings(filled, "exp-001") == []
    with pytest.raises(StudyError, match="Abe has no finding of case-0001"):
        change_finding(filled, *PLACE, ENTRY, version=2)
    assert add_finding(filled, *PLACE, ENTRY).version == 3
    assert [one.withdrawn for one in read_history(filled, *PLACE)] == [False, True, False]


def test_several_reviewers_have_their_own(filled: Study) -> None:
    add_finding(filled, *PLACE, ENTRY)
    add_finding(filled, "exp-001", "case-0001", "Ito", Entry(verdict="artefact"))
    assert [one.reviewer for one in read_findings(filled, "exp-001")] == ["Abe", "Ito"]
    with pytest.raises(StudyError, match="has a finding of case-0001 in exp-001 already"):
        add_finding(filled, *PLACE, ENTRY)


@pytest.mark.parametrize(
    ("place", "entry", "message"),
    [
        (("exp-009", "case-0001", "Abe"), ENTRY, "no experiment 'exp-009'"),
        (("exp-001", "case-0099", "Abe"), ENTRY, "no case 'case-0099'"),
        (PLACE, Entry(verdict="artefact", run_id="exp-002-alexnet-01"), "no run 'exp-002-alexnet-01'"),
    ],
)
def test_what_is_not_there_is_named(filled: Study, place, entry, message) -> None:
    with pytest.raises(StudyError, match=message):
        add_finding(filled, *place, entry)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"verdict": "bad"}, "no verdict 'bad'"),
        ({"verdict": "artefact", "difficulty": 6}, "difficulty is 6; expected 1"),
        ({"verdict": "artefact", "note": "x" * 4001}, "has 4001 characters"),
    ],
)
def test_entries_that_cannot_be_meant_are_refused(values, message) -> None:
    with pytest.raises(UsageError, match=message):
        Entry(**values)


def test_a_reviewer_needs_a_name(filled: Study) -> None:
    with pytest.raises(UsageError, match="has 0 characters"):
        add_finding(filled, "exp-001", "case-0001", "  ", ENTRY)


def test_a_table_for_spreadsheets_runs_no_formula(filled: Study) -> None:
    add_finding(filled, *PLACE, Entry(verdict="artefact", note='=HYPERLINK("x"), see\nbelow'))
    (row,) = csv.DictReader(io.StringIO(findings_csv(read_findings(filled, "exp-001"))))
    assert row["note"] == '\'=HYPERLINK("x"), see\nbelow'
    assert (row["case_id"], row["difficulty"], row["bookmarked"], row["version"]) == ("case-0001", "", "no", "1")


def test_a_study_of_an_earlier_version_gets_the_tables_and_columns(study: Study) -> None:
    with study.engine.begin() as connection:
        for name in ("findings", "corrections", "saved_lists"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("ALTER TABLE datasets DROP COLUMN correction_ids"))
        connection.execute(text("UPDATE study_info SET schema_version = 2"))
    again = inspect(open_study(study.folder).engine)
    assert {"findings", "corrections", "saved_lists"} <= set(again.get_table_names())
    assert "correction_ids" in {one["name"] for one in again.get_columns("datasets")}


def test_findings_of_the_experiments_that_are_repeated_are_read_nearest_first(filled: Study) -> None:
    for number in (2, 3):
        add_experiment(filled, repeats=1, cases=6, slices=1, experiment_id=f"exp-00{number}")
        with filled.session() as session:
            session.get_one(Experiment, f"exp-00{number}").parent_id = f"exp-00{number - 1}"
    for experiment_id in ("exp-001", "exp-002", "exp-003"):
        add_finding(filled, experiment_id, "case-0001", "Abe", Entry(verdict="artefact"))
    add_finding(filled, "exp-001", "case-0002", "Abe", Entry(verdict="artefact"))
    found = read_earlier_findings(filled, "exp-003", "case-0001")
    assert [(one.experiment_id, one.case_id) for one in found] == [("exp-002", "case-0001"), ("exp-001", "case-0001")]
    assert read_earlier_findings(filled, "exp-001", "case-0001") == []
