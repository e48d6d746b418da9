"""What the page of a case says is what the study holds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sqlalchemy import select

from brainmri.errors import EvaluationError, IntakeError, StudyError
from brainmri.explanation.contributions import contributions_file, read_contributions
from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.imaging.records import Sample
from brainmri.intake.volumes import volume_path
from brainmri.takeaway.evidence import read_evidence, read_tested
from brainmri.takeaway.gathering import summarise_case
from brainmri.training.records import FINISHED, Prediction, Run
from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.takeaway.conftest import NOTE, REVIEWER


def predictions_of(taken, run_id: str | None = None) -> dict[str, list[Prediction]]:
    with taken.study.session() as session:
        query = select(Prediction).join(Sample, Sample.sample_index == Prediction.sample_index)
        found: dict[str, list[Prediction]] = {}
        for one in session.scalars(query.where(Sample.case_id == taken.case_id)):
            found.setdefault(one.run_id, []).append(one)
    return found


def test_the_verdict_is_the_mean_over_the_slices(taken) -> None:
    summary = summarise_case(taken.study, taken.run_id, taken.case_id)
    rows = predictions_of(taken)[taken.run_id]
    means = [sum(row.probabilities[k] for row in rows) / len(rows) for k in range(3)]
    assert summary.probabilities == pytest.approx(means, abs=1e-12)
    assert summary.predicted_class == means.index(max(means))
    assert summary.seen == len(rows) == 2
    assert summary.classes[summary.true_class] == "glioblastoma"
    assert (summary.architecture, summary.repeat, summary.repeats) == ("alexnet", 1, 2)


def test_all_runs_that_tested_the_case_are_counted(taken) -> None:
    summary = summarise_case(taken.study, taken.run_id, taken.case_id)
    expected: dict[str, list[bool]] = {}
    for run_id, rows in predictions_of(taken).items():
        sums = [sum(row.probabilities[k] for row in rows) for k in range(3)]
        expected.setdefault(run_id.split("-")[2], []).append(int(np.argmax(sums)) == rows[0].true_class)
    assert {one.architecture: (one.right, one.tested) for one in summary.agreement} == {
        name: (sum(right), len(right)) for name, right in expected.items()
    }
    assert len(expected) == 3


def test_the_slice_of_most_evidence_is_shown(taken) -> None:
    summary = summarise_case(taken.study, taken.run_id, taken.case_id)
    assert summary.slice_index == taken.slices[1]  # its map is the larger one by 0.01
    assert summary.map_layer == "features.11"
    assert [one.sequence for one in summary.pictures] == ["T1", "T2", "T1c"]
    assert all(one.mapped is not None and one.mapped != one.plain for one in summary.pictures)


def test_contributions_are_those_stored_for_the_verdict(taken) -> None:
    summary = summarise_case(taken.study, taken.run_id, taken.case_id)
    stored = read_contributions(taken.study, taken.run_id)
    assert summary.contributions == stored.of(taken.samples, summary.predicted_class)


def test_reviewers_are_numbered_and_a_note_that_could_name_a_patient_is_left_out(taken) -> None:
    findings = summarise_case(taken.study, taken.run_id, taken.case_id).findings
    assert [one.reviewer for one in findings] == ["Reviewer 1", "Reviewer 2"]
    assert findings[0].note == NOTE
    assert findings[0].heading() == "Reviewer 1: label error, difficulty 4 of 5"
    assert findings[1].withheld
    assert "could name a patient" in findings[1].text()
    assert "Tanaka" not in repr(findings)
    assert REVIEWER not in repr(findings)


def test_without_maps_and_contributions_the_page_says_how_to_make_them(own_taken) -> None:
    folder = own_taken.study.run_folder(own_taken.run_id)
    (folder / FILE_NAME).unlink()
    (folder / contributions_file("blurred")).unlink()
    summary = summarise_case(own_taken.study, own_taken.run_id, own_taken.case_id)
    assert all(one.mapped is None for one in summary.pictures)
    assert f"explain-run {own_taken.run_id}" in summary.describe_pictures()
    assert f"explain-all {own_taken.run_id}" in summary.describe_contributions()


def test_a_map_without_evidence_is_told_in_words(own_taken) -> None:
    nothing = np.zeros((2, 3, 4, 4), np.float32)
    maps = RunMaps("features.11", TRAINED_DIAGNOSES, 64, np.array(own_taken.samples), nothing)
    write_maps(own_taken.study.run_folder(own_taken.run_id) / FILE_NAME, maps)
    summary = summarise_case(own_taken.study, own_taken.run_id, own_taken.case_id)
    assert summary.map_peak == 0
    assert "no positive evidence" in summary.describe_pictures()


def test_a_missing_volume_is_named(own_taken) -> None:
    volume_path(own_taken.study.case_folder(own_taken.case_id), "T2").unlink()
    with pytest.raises(IntakeError, match=r"T2\.nii\.gz is missing"):
        summarise_case(own_taken.study, own_taken.run_id, own_taken.case_id)


def test_the_map_lies_on_the_square_of_the_grid(taken) -> None:
    evidence = read_evidence(taken.study, read_tested(taken.study, taken.run_id, taken.case_id))
    region = evidence.tested.slices[0].region
    whole = evidence.map_on_grid(0, 0)
    outside = whole.copy()
    outside[region.row : region.row + region.size_px, region.column : region.column + region.size_px] = 0
    assert 0.4 < whole.max() <= 0.5  # 0.5 in the middle of a cell, between those of neighbouring voxels
    assert outside.max() == 0
    row, column = np.unravel_index(int(whole.argmax()), whole.shape)
    cell = region.size_px / 4  # cells of a map of 4 × 4; the strongest one is row 1, column 2
    assert (int((row - region.row) // cell), int((column - region.column) // cell)) == (1, 2)


def test_a_run_that_trained_on_the_case_is_refused_with_those_that_tested_it(taken) -> None:
    tested_by = set(predictions_of(taken))
    with taken.study.session() as session:
        runs = set(session.scalars(select(Run.run_id).where(Run.status == FINISHED)))
    if runs == tested_by:
        pytest.fail("every run tested the case; the study of this test needs one that did not")
    other = min(runs - tested_by)
    with pytest.raises(EvaluationError, match=rf"{other} did not test {taken.case_id}.*{min(tested_by)}"):
        read_tested(taken.study, other, taken.case_id)


@pytest.mark.parametrize(
    ("run_id", "case_id", "words"),
    [
        ("exp-001-alexnet-01", "case-9999", "no case 'case-9999'"),
        ("exp-001-alexnet-99", "case-0001", "no run 'exp-001-alexnet-99'"),
        ("exp-001-alexnet-01", "../../etc", "no case '../../etc'"),
    ],
)
def test_what_is_not_in_the_study_is_refused(taken, run_id: str, case_id: str, words: str) -> None:
    with pytest.raises(StudyError, match=words):
        read_tested(taken.study, run_id, case_id)


def test_a_run_that_has_not_finished_is_refused(own_taken) -> None:
    with own_taken.study.session() as session:
        session.get_one(Run, own_taken.run_id).status = "running"
    with pytest.raises(EvaluationError, match="is running"):
        read_tested(own_taken.study, own_taken.run_id, own_taken.case_id)


def test_the_buttons_import_no_heavy_library() -> None:
    heavy = ("torch", "highdicom", "pydicom", "reportlab", "SimpleITK", "captum", "sklearn", "statsmodels")
    code = f"import brainmri.dashboard.takeaway, sys; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
