"""NIfTI sets: names, layouts, headers."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.importing import import_paths
from brainmri.intake.nifti import check_nifti, parse_header, read_nifti
from brainmri.intake.nifti_names import is_mask_name, name_files
from brainmri.intake.scanning import group_nifti_patients
from brainmri.study import Study
from tests.intake.dicom_files import volume
from tests.intake.test_importing import read_rows, reason_of


def write(folder: Path, *names: str, seed: int = 0) -> None:
    for index, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = volume(seed=seed * 100 + index)
        sitk.WriteImage(sitk.Cast(image > 400, sitk.sitkUInt8) if is_mask_name(path.stem) else image, path)


def read_layout(folder: Path) -> dict[str, list[str]]:
    """Return what each patient has: by its first name, the sequences and masks."""
    patients, masks, refused = group_nifti_patients(sorted(path for path in folder.rglob("*") if path.is_file()))
    assert (masks, refused) == ([], [])
    return {
        patient.names[0]: sorted(
            [
                *(one.sequence or "other" for exam in patient.examinations for one in exam.series),
                *("mask" for exam in patient.examinations for _ in exam.masks),
            ]
        )
        for patient in patients
    }


WHOLE = ["T1", "T1c", "T2", "mask", "other"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["BraTS-GLI-00005-000/BraTS-GLI-00005-000-" + end for end in ("t1n", "t1c", "t2w", "t2f", "seg")],
            {"BraTS-GLI-00005-000": WHOLE},
        ),
        (
            ["BraTS20_Training_001/BraTS20_Training_001_" + end for end in ("t1", "t1ce", "t2", "flair", "seg")],
            {"BraTS20_Training_001": WHOLE},
        ),
        (
            [f"sub-0{n}/anat/sub-0{n}_{end}" for n in (1, 2) for end in ("T1w", "ce-gadolinium_T1w", "T2w", "FLAIR")],
            {"sub-01": ["T1", "T1c", "T2", "other"], "sub-02": ["T1", "T1c", "T2", "other"]},
        ),
        (
            [
                *(f"sub-01/ses-post/anat/sub-01_ses-post_{end}" for end in ("T1w", "ce-gd_T1w", "T2w", "FLAIR")),
                "derivatives/masks/sub-01/ses-post/anat/sub-01_ses-post_mask",
            ],
            {"sub-01": WHOLE},
        ),
        ([f"P00{n}_{end}" for n in (1, 2) for end in ("T1", "T2", "T1c")], {"P001": WHOLE[:3], "P002": WHOLE[:3]}),
        (["P001_T1", "P001_T2", "P002_T1c"], {"P001": ["T1", "T2"], "P002": ["T1c"]}),
        (
            [f"UCSF-{n}_{end}" for n in (17, 18) for end in ("T1_pre", "T2", "T1_post")],
            {"UCSF-17": WHOLE[:3], "UCSF-18": WHOLE[:3]},
        ),
        ([f"{end}_pat{n}" for n in (1, 2) for end in ("T1", "T2", "T1gd")], {"pat1": WHOLE[:3], "pat2": WHOLE[:3]}),
        ([f"case7/{end}" for end in ("t1", "t2", "t1_post", "flair", "tumor_mask")], {"case7": WHOLE}),
        ([f"case7/{end}/volume" for end in ("T1", "T2", "T1c", "FLAIR", "mask")], {"case7": WHOLE}),
        ([f"{end}/P{n}" for n in (1, 2) for end in ("T1", "T2", "T1c")], {"P1": WHOLE[:3], "P2": WHOLE[:3]}),
        (["case7/05_T1", "case7/07_T2", "case7/12_T1_KM"], {"case7": WHOLE[:3]}),
        (["case7/Se301_T1", "case7/Se401_T2", "case7/Se501_T1_Gd"], {"case7": WHOLE[:3]}),
        (["Post_OP/MR1_ax_T1", "Post_OP/MR1_ax_T2", "Post_OP/MR1_ax_T1_ce"], {"MR1": WHOLE[:3]}),
        (["post_7/post_T1", "post_7/post_T2", "post_7/post_T1_gd"], {"post_7": WHOLE[:3]}),
    ],
)  # fmt: skip
def test_layouts_are_understood(tmp_path: Path, names: list[str], expected: dict[str, list[str]]) -> None:
    write(tmp_path / "set-a", *(f"{name}.nii.gz" for name in names))
    assert read_layout(tmp_path / "set-a") == expected


def test_time_points_of_one_brats_patient_are_examinations_of_one_patient(study: Study, tmp_path: Path) -> None:
    for time in ("000", "001"):
        stem = f"BraTS-GLI-00005-{time}"
        write(tmp_path / "set", *(f"{stem}/{stem}-{end}.nii.gz" for end in ("t1n", "t1c", "t2w")), seed=int(time) + 1)
    report = import_paths(study, [tmp_path / "set"])
    assert len(report.cases) == 1
    assert reason_of(report, tmp_path / "set" / "BraTS-GLI-00005-001").startswith(
        "a later examination of the same patient"
    )


def test_a_session_before_surgery_comes_first(tmp_path: Path) -> None:
    paths = [tmp_path / f"sub-1_ses-{name}_T1w.nii.gz" for name in ("post", "2", "preop")]
    named = sorted(name_files(paths), key=lambda one: one.session)
    assert [one.path.name for one in named] == [
        "sub-1_ses-preop_T1w.nii.gz",
        "sub-1_ses-2_T1w.nii.gz",
        "sub-1_ses-post_T1w.nii.gz",
    ]


def test_a_flat_set_becomes_labelled_cases_with_masks(study: Study, tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / "flat", *(f"P00{number}_{end}.nii.gz" for end in ("T1", "T2", "T1c", "mask")), seed=number)
    labels = tmp_path / "labels.csv"
    labels.write_text("patient_id,diagnosis\nP001,men\nP002,PCNSL\n")
    report = import_paths(study, [tmp_path / "flat"], labels=labels)
    assert [(case.diagnosis, case.has_mask, case.source) for case in read_rows(study)] == [
        ("meningioma", True, "NIfTI"),
        ("PCNSL", True, "NIfTI"),
    ]
    assert (report.refused, report.notes) == ((), ())
    content = b"".join(gzip.decompress(path.read_bytes()) for path in study.folder.rglob("*.nii.gz"))
    assert b"P001" not in content
    assert b"P001" not in (study.folder / "study.db").read_bytes()


def test_times_of_a_json_file_beside_the_image_decide(study: Study, tmp_path: Path) -> None:
    write(tmp_path / "p7", "a.nii.gz", "b.nii.gz", "c.nii.gz")
    for name, record in {
        "a": {"RepetitionTime": 0.5, "EchoTime": 0.012},
        "b": {"RepetitionTime": 4.0, "EchoTime": 0.095, "Manufacturer": "Siemens", "PatientName": "Wolkenstein"},
        "c": {"RepetitionTime": 0.5, "EchoTime": 0.012, "ContrastBolusIngredient": "Gd"},
    }.items():
        (tmp_path / "p7" / f"{name}.json").write_text(json.dumps(record))
    report = import_paths(study, [tmp_path / "p7"])
    assert (len(report.cases), report.refused) == (1, ())
    [case] = read_rows(study)
    technical = {one.sequence: one.technical for one in case.series}
    assert technical["T2"] == {"manufacturer": "Siemens", "repetition_time_ms": 4000.0, "echo_time_ms": 95.0}


def test_a_patient_with_a_sequence_missing_is_refused_as_a_whole(study: Study, tmp_path: Path) -> None:
    write(tmp_path / "p7", "T1.nii.gz", "T2.nii.gz", "FLAIR.nii.gz", "seg.nii.gz")
    report = import_paths(study, [tmp_path / "p7"])
    assert reason_of(report, tmp_path / "p7") == (
        "incomplete patient: T1c is missing; found T1, T2, a mask and 1 other series. A case needs T1, T2 and T1c"
    )


def header(dims: tuple[int, ...], kind: int = 4, offset: float = 352.0) -> bytes:
    start = bytearray(348)
    struct.pack_into("<i", start, 0, 348)
    struct.pack_into("<8h", start, 40, *dims, *([1] * (8 - len(dims))))
    struct.pack_into("<h", start, 70, kind)
    struct.pack_into("<f", start, 108, offset)
    start[344:348] = b"n+1\0"
    return bytes(start)


@pytest.mark.parametrize(
    ("dims", "kind", "reason"),
    [
        ((4, 8, 8, 8, 30), 4, r"a series of 30 volumes \(4-D\)"),
        ((3, 8, 8, 1), 4, "no volume: its matrix is 8 × 8 × 1"),
        ((2, 8, 8), 4, "no volume: its matrix is 8 × 8"),
        ((3, 32767, 32767, 32767), 4, "its header claims 35181150961663 voxels"),
        ((3, 8, -8, 8), 4, "gives no valid matrix"),
        ((9, 8, 8, 8), 4, "gives no valid matrix"),
        ((3, 8, 8, 8), 128, "of the NIfTI data type 128"),
    ],
)
def test_headers_that_are_no_volume_are_refused(dims: tuple[int, ...], kind: int, reason: str) -> None:
    with pytest.raises(RefusedFile, match=reason):
        parse_header(header(dims, kind))


def test_a_truncated_volume_is_refused_with_the_bytes_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(header((3, 8, 8, 8)) + bytes(100))
    with pytest.raises(RefusedFile, match="448 of 1376 bytes are there"):
        check_nifti(path)


def test_a_fourth_axis_of_length_one_is_no_fourth_axis(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    sitk.WriteImage(sitk.JoinSeries([volume()]), path)
    assert check_nifti(path).shape[:3] == (20, 24, 6)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_nifti(path)), sitk.GetArrayFromImage(volume()))
