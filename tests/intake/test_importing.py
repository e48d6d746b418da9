"""From folders to cases: the whole intake on small made-up archives."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.uid import CTImageStorage, generate_uid
from sqlalchemy import select

from brainmri.errors import StopRequested, UsageError
from brainmri.intake.importing import ImportReport, import_paths
from brainmri.intake.phantoms import PHANTOM_MANUFACTURER
from brainmri.intake.records import Case
from brainmri.intake.scanning import _map_on_pool
from brainmri.intake.volumes import read_case
from brainmri.study import Study, open_study
from tests.intake.dicom_files import SEQUENCES, T1, T1C, T2, Person, volume, write_patient, write_series


def reason_of(report: ImportReport, path: Path) -> str:
    """Return the one reason that is given for a path."""
    reasons = [one.reason for one in report.refused if one.path == path]
    assert len(reasons) == 1, [(str(one.path), one.reason) for one in report.refused]
    return reasons[0]


def read_rows(study: Study) -> list[Case]:
    with study.session() as session:
        return list(session.scalars(select(Case).order_by(Case.case_id)))


def test_a_folder_of_dicom_becomes_a_case(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive")
    report = import_paths(study, [tmp_path / "archive"])
    record = report.to_json()
    assert json.loads(json.dumps(record)) == record
    assert (record["cases"], record["refused"]) == (1, [])
    assert record["series"] == {"T1": 1, "T2": 1, "T1c": 1, "other": 0}
    sequences = record["cases_detail"][0]["sequences"]
    assert {name: one["series_description"] for name, one in sequences.items()} == {
        "T1": "AX T1",
        "T2": "AX T2",
        "T1c": "AX T1 POST",
    }
    assert "a contrast agent is recorded" in sequences["T1c"]["evidence"]
    [case] = read_rows(study)
    assert (case.case_id, case.diagnosis, case.synthetic, case.source) == ("case-0001", None, False, "DICOM")
    assert (case.slices, case.rows, case.columns, case.has_mask) == (6, 24, 20, False)
    assert case.spacing_mm == [5.0, 1.0, 1.0]
    assert case.series[0].technical["repetition_time_ms"] == 500


def test_a_garbage_folder_gives_what_is_usable_and_says_of_everything_else_why_not(
    study: Study, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_patient(archive / "good", Person("P-GOOD"), seed=1)
    (archive / "empty.dcm").write_bytes(b"")
    (archive / "letter.dcm").write_text("Dear colleague, please find enclosed")
    (archive / "readme.txt").write_text("hello")
    [ct, *_] = write_series(volume(), archive / "ct", Person("P-CT"), Modality="CT", SOPClassUID=CTImageStorage)
    whole = (archive / "good" / "series-0-T1" / "0000.dcm").read_bytes()
    (archive / "truncated.dcm").write_bytes(whole[:-500])
    write_patient(archive / "lacking", Person("P-LACKING"), seed=2, T1=T1, T2=T2)
    write_patient(archive / "double", Person("P-DOUBLE"), seed=3, **SEQUENCES)
    write_series(
        volume((5, 24, 20)), archive / "double" / "second", Person("P-DOUBLE"), **{**T1C, "StudyInstanceUID": "1.2.3"}
    )
    double = next((archive / "double" / "series-0-T1").iterdir())
    for path in (archive / "double" / "second").iterdir():
        dataset = dcmread(path)
        dataset.StudyInstanceUID = dcmread(double).StudyInstanceUID
        dataset.save_as(path)
    report = import_paths(study, [archive])
    assert len(report.cases) == 2
    assert reason_of(report, archive / "empty.dcm") == "an empty file (0 bytes)"
    assert reason_of(report, archive / "letter.dcm") == "not a DICOM file: a text file that is called .dcm"
    assert reason_of(report, archive / "readme.txt") == "not a DICOM or NIfTI file"
    assert reason_of(report, ct) == "a CT image; only MR is used"
    assert reason_of(report, archive / "truncated.dcm") == "its pixel data are truncated: 460 of 960 bytes are there"
    assert reason_of(report, archive / "lacking") == (
        "incomplete patient: T1c is missing; found T1 and T2. A case needs T1, T2 and T1c"
    )
    assert reason_of(report, archive / "double" / "second") == (
        "second T1c series, not used because it has 5 slices and the used one 6"
    )
    assert report.series_counts == {"T1": 3, "T2": 3, "T1c": 3, "other": 0}


def test_any_file_names_and_any_order_give_the_same_case(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "tidy")
    mess = tmp_path / "mess"
    mess.mkdir()
    files = sorted((tmp_path / "tidy").rglob("*.dcm"))
    for index in np.random.default_rng(7).permutation(len(files)):
        shutil.copy(files[index], mess / f"IM{(index * 37) % 101:03d}")
    other = open_study(tmp_path / "other")
    import_paths(study, [tmp_path / "tidy"])
    report = import_paths(other, sorted(mess.iterdir(), reverse=True))
    assert report.refused == ()
    tidy, messy = read_case(study, "case-0001"), read_case(other, "case-0001")
    for name, array in tidy.arrays.items():
        np.testing.assert_array_equal(array, messy.arrays[name])
    assert read_rows(study)[0].content_digest == read_rows(other)[0].content_digest


def test_nothing_of_the_identity_reaches_the_study(study: Study, tmp_path: Path) -> None:
    person = Person()
    headers = {
        name: {**header, "SeriesDescription": f"{header['SeriesDescription']} Wolkenstein 19510623 PID-774411"}
        for name, header in SEQUENCES.items()
    }
    headers["T1"]["ProtocolName"] = "Agathe"
    headers["T2"]["ManufacturerModelName"] = "Scanner of Zyskowski"
    write_patient(tmp_path / "Wolkenstein_Agathe", person, **headers)
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "patient_id,diagnosis,Name,birth_date,age,note\n"
        "PID-774411,GBM,Wolkenstein Agathe,1951-06-23,67,seen by Quacksalber with Mrs Wolkenstein\n"
    )
    report = import_paths(study, [tmp_path / "Wolkenstein_Agathe"], labels=labels)
    [case] = read_rows(study)
    assert case.diagnosis == "glioblastoma"
    assert case.clinical == {"age": 67, "note": "seen by [removed] with Mrs [removed]"}
    assert case.series[0].series_description == "AX T1 [removed] [removed] [removed]"
    assert "Columns of the table of labels left out because they identify: Name, birth_date." in report.notes
    forbidden = [*person.words(), str(tmp_path / "Wolk"), *(str(uid) for uid in series_uids(tmp_path))]
    for path in study.folder.rglob("*"):
        content = path.name.encode()
        if path.is_file():
            raw = path.read_bytes()
            content += raw + (gzip.decompress(raw) if path.suffix == ".gz" else b"")
        for word in forbidden:
            for form in (word, word.upper(), word.lower()):
                assert form.encode() not in content, f"{word} stands in {path.name}"
                assert form.encode("utf-16-le") not in content


def series_uids(folder: Path) -> set[str]:
    headers = [dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm")]
    return {header.SeriesInstanceUID for header in headers} | {header.SOPInstanceUID for header in headers}


def test_a_second_import_is_recognised_by_its_content(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive")
    labels = tmp_path / "labels.csv"
    labels.write_text("patient_id,diagnosis\nPID-774411,GBM\n")
    import_paths(study, [tmp_path / "archive"], labels=labels)
    labels.write_text("patient_id,diagnosis\nPID-774411,lymphoma\n")
    report = import_paths(study, [tmp_path / "archive"], labels=labels)
    assert report.cases == ()
    assert [(one.case_id, one.path) for one in report.already_present] == [("case-0001", tmp_path / "archive")]
    assert report.notes == (
        "case-0001 is there as glioblastoma; row 2 of the table of labels says PCNSL. The stored diagnosis stays; "
        "change it on the cases page.",
    )
    assert [case.diagnosis for case in read_rows(study)] == ["glioblastoma"]
    assert [path.name for path in (study.folder / "cases").iterdir()] == ["case-0001"]


def test_labels_are_found_by_patient_and_the_report_says_which_are_missing(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive" / "a", Person("P1"), seed=1)
    write_patient(tmp_path / "archive" / "b", Person("P2"), seed=2)
    labels = tmp_path / "archive" / "labels.csv"
    labels.write_text("\ufeffPatient_ID ; Diagnosis ; Age\n p1 ; GBM ; 61\nP9;PCNSL;50\n", encoding="utf-8")
    report = import_paths(study, [tmp_path / "archive"], labels=labels)
    assert [(case.diagnosis, case.clinical) for case in read_rows(study)] == [("glioblastoma", {"Age": 61}), (None, {})]
    assert report.refused == ()
    assert report.notes == (
        "Not labelled, because the table of labels does not name their patients: case-0002.",
        "Rows of the table of labels without images: 3.",
    )


def test_several_processes_give_the_same_cases_in_the_same_order(study: Study, tmp_path: Path) -> None:
    for number in range(3):
        write_patient(tmp_path / "archive" / str(number), Person(f"P{number}"), seed=number)
    (tmp_path / "archive" / "broken.dcm").write_bytes(b"")
    other = open_study(tmp_path / "other")
    one = import_paths(study, [tmp_path / "archive"], processes=1)
    two = import_paths(other, [tmp_path / "archive"], processes=2)
    assert one == two
    assert [case.content_digest for case in read_rows(study)] == [case.content_digest for case in read_rows(other)]


def test_processes_that_die_leave_their_work_to_this_one() -> None:
    from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

    class Dying(ThreadPoolExecutor):
        def map(self, function, items, **_options):
            yield function(items[0])
            raise BrokenExecutor("a child process terminated abruptly")

    assert list(_map_on_pool(Dying(), str, [1, 2, 3])) == ["1", "2", "3"]


def test_the_earliest_complete_examination_is_used(study: Study, tmp_path: Path) -> None:
    before = Person("P1", study_date="20190101")
    after = Person("P1", study_date="20190601")
    write_patient(tmp_path / "archive" / "z-before", before, seed=1)
    write_patient(tmp_path / "archive" / "a-after", after, seed=2)
    report = import_paths(study, [tmp_path / "archive"])
    assert len(report.cases) == 1
    assert reason_of(report, tmp_path / "archive" / "a-after").startswith("a later examination of the same patient")
    expected = sitk.GetArrayFromImage(volume(seed=12))
    np.testing.assert_array_equal(read_case(study, "case-0001").arrays["T1c"], expected)


def test_studies_of_one_day_count_as_one_examination(study: Study, tmp_path: Path) -> None:
    frame = generate_uid()
    write_patient(tmp_path / "archive" / "1", Person("P1", frame_of_reference=frame), T1=T1, T2=T2)
    write_patient(tmp_path / "archive" / "2", Person("P1", frame_of_reference=frame), seed=1, T1c=T1C)
    assert len(import_paths(study, [tmp_path / "archive"]).cases) == 1


def test_undated_studies_that_make_exactly_one_case_count_as_one_examination(study: Study, tmp_path: Path) -> None:
    for index, (name, header) in enumerate(SEQUENCES.items()):
        write_series(volume(seed=index), tmp_path / "archive" / name, Person("P1", study_date=""), **header)
    assert len(import_paths(study, [tmp_path / "archive"]).cases) == 1


def test_patients_whose_ids_were_wiped_are_kept_apart(study: Study, tmp_path: Path) -> None:
    for number in range(2):
        write_patient(tmp_path / "archive" / str(number), Person("anonymous", "anonymous"), seed=number)
    assert len(import_paths(study, [tmp_path / "archive"]).cases) == 2


def test_an_axial_series_is_preferred_to_more_slices_in_another_plane(study: Study, tmp_path: Path) -> None:
    person = write_patient(tmp_path / "archive")
    coronal = volume((30, 24, 20), seed=9)
    coronal.SetDirection([1, 0, 0, 0, 0, 1, 0, -1, 0])
    write_series(coronal, tmp_path / "archive" / "coronal", person, **T1C)
    report = import_paths(study, [tmp_path / "archive"])
    reason = reason_of(report, tmp_path / "archive" / "coronal")
    assert reason == "second T1c series, not used because it is coronal and the used one axial"


def test_a_series_with_a_missing_slice_gives_way_to_the_next_one(study: Study, tmp_path: Path) -> None:
    person = write_patient(tmp_path / "archive")
    paths = write_series(volume((9, 24, 20), seed=4), tmp_path / "archive" / "gap", person, **T1C)
    paths[4].unlink()
    report = import_paths(study, [tmp_path / "archive"])
    assert len(report.cases) == 1
    assert reason_of(report, tmp_path / "archive" / "gap") == (
        "T1c series: 1 slice missing: 8 of 9 are there, 5.00 mm apart, with gaps of up to 10.00 mm"
    )


def test_a_broken_patient_does_not_stop_the_others(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive" / "a", Person("P1"))
    (tmp_path / "archive" / "a" / "series-1-T2" / "0002.dcm").unlink()
    write_patient(tmp_path / "archive" / "b", Person("P2"), seed=1)
    report = import_paths(study, [tmp_path / "archive"])
    assert len(report.cases) == 1
    assert re.match(
        r"the patient cannot be used: no usable T2 series is left", reason_of(report, tmp_path / "archive" / "a")
    )


def test_copies_of_a_file_are_refused(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive")
    shutil.copytree(tmp_path / "archive" / "series-0-T1", tmp_path / "archive" / "z-copy")
    report = import_paths(study, [tmp_path / "archive"])
    assert len(report.cases) == 1
    assert len(report.refused) == 6
    assert reason_of(report, tmp_path / "archive" / "z-copy" / "0000.dcm").startswith("a copy of 0000.dcm")


def test_phantoms_are_marked_as_synthetic(study: Study, tmp_path: Path) -> None:
    headers = {name: {**header, "Manufacturer": PHANTOM_MANUFACTURER} for name, header in SEQUENCES.items()}
    write_patient(tmp_path / "archive", **headers)
    import_paths(study, [tmp_path / "archive"])
    assert read_rows(study)[0].synthetic


def test_a_nifti_mask_beside_dicom_goes_to_the_patient_of_its_folder(study: Study, tmp_path: Path) -> None:
    for number in range(2):
        write_patient(tmp_path / "archive" / f"p{number}", Person(f"P{number}"), seed=number)
    mask = sitk.Cast(volume(seed=2) > 400, sitk.sitkUInt8)
    sitk.WriteImage(mask, tmp_path / "archive" / "p0" / "tumour_mask.nii.gz")
    sitk.WriteImage(mask, tmp_path / "archive" / "stray_mask.nii.gz")
    report = import_paths(study, [tmp_path / "archive"])
    assert [case.has_mask for case in read_rows(study)] == [True, False]
    np.testing.assert_array_equal(read_case(study, "case-0001").mask, sitk.GetArrayFromImage(mask))
    assert reason_of(report, tmp_path / "archive" / "stray_mask.nii.gz") == "a mask without images of its patient"


def test_series_that_show_different_places_are_refused(study: Study, tmp_path: Path) -> None:
    person = write_patient(tmp_path / "archive", T1=T1, T1c=T1C)
    write_series(volume(origin_mm=(-10.0, -12.0, 200.0)), tmp_path / "archive" / "t2", person, **T2)
    report = import_paths(study, [tmp_path / "archive"])
    assert "the T2 series covers only 0% of the head in T1c" in reason_of(report, tmp_path / "archive")


def test_an_empty_folder_gives_an_empty_report(study: Study, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    record = import_paths(study, [tmp_path / "empty"]).to_json()
    assert record["cases"] == 0
    assert record["series"] == {"T1": 0, "T2": 0, "T1c": 0, "other": 0}


def test_a_path_that_does_not_exist_is_bad_usage(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        import_paths(study, [tmp_path / "nowhere"])


def test_progress_rises_to_one_and_names_no_patient(study: Study, tmp_path: Path) -> None:
    write_patient(tmp_path / "archive")
    seen: list[tuple[float, str]] = []
    import_paths(study, [tmp_path / "archive"], progress=lambda fraction, step: seen.append((fraction, step)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert not any("774411" in step for _, step in seen)


def test_a_stop_leaves_finished_cases_and_no_partial_folders(study: Study, tmp_path: Path) -> None:
    for number in range(2):
        write_patient(tmp_path / "archive" / str(number), Person(f"P{number}"), seed=number)
    with pytest.raises(StopRequested, match="enough"):
        import_paths(study, [tmp_path / "archive"], progress=_stop_at("patient 2"))
    assert [case.case_id for case in read_rows(study)] == ["case-0001"]
    assert [path.name for path in (study.folder / "cases").iterdir()] == ["case-0001"]
    assert len(import_paths(study, [tmp_path / "archive"]).cases) == 1


def _stop_at(text: str) -> Callable[[float, str], None]:
    def progress(_fraction: float, step: str) -> None:
        if text in step:
            raise StopRequested("enough")

    return progress
