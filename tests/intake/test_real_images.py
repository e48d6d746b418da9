"""A real patient whose series lie on different oblique grids, as NIfTI and wrapped in DICOM headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.intake.grid import resample, to_lps
from brainmri.intake.importing import import_paths
from brainmri.intake.volumes import CaseVolumes, read_case
from brainmri.study import Study, open_study
from tests.intake.dicom_files import T1, T1C, T2, Person, write_series
from tests.intake.test_importing import read_rows, reason_of

CODE = "TCGA-FG-6692"
FLAIR = {"SeriesDescription": "AX FLAIR", "RepetitionTime": 9000, "EchoTime": 110, "InversionTime": 2500}
HEADERS = {"_t1.nii": T1, "_t2.nii": T2, "_t1c.nii": T1C, "_fla.nii": FLAIR}


@pytest.fixture(scope="module")
def patient() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / CODE
    if not folder.is_dir():
        pytest.skip(f"the public example images are not in {folder.parent}")
    return folder


@pytest.fixture(scope="module")
def filled(patient: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = open_study(tmp_path_factory.mktemp("real") / "study")
    report = import_paths(study, [patient])
    assert (len(report.cases), report.refused) == (1, ())
    assert report.series_counts == {"T1": 1, "T2": 1, "T1c": 1, "other": 1}
    assert [note.split(":")[0] for note in report.notes[:2]] == ["case-0001", "case-0001"]
    return study


@pytest.fixture(scope="module")
def imported(filled: Study) -> CaseVolumes:
    return read_case(filled, "case-0001")


def read_source(patient: Path, end: str) -> sitk.Image:
    return sitk.ReadImage(next(path for path in patient.iterdir() if end in path.name))


def mutual_information(first: np.ndarray, second: np.ndarray, bins: int = 32) -> float:
    """Return the mutual information of two arrays in bits, from a histogram between their 1st and 99th percentiles."""
    scaled = [np.clip(one, *np.percentile(one, [1, 99])).ravel() for one in (first, second)]
    joint = np.histogram2d(*scaled, bins=bins)[0]
    joint /= joint.sum()
    rows, columns = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log2(joint[there] / (rows * columns)[there])).sum())


def common_shape(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut two arrays to the middle that both have: laid on one another by index, without geometry."""
    sizes = np.minimum(first.shape, second.shape)
    cuts = [
        tuple(slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(one.shape, sizes, strict=True))
        for one in (first, second)
    ]
    return first[cuts[0]], second[cuts[1]]


def test_four_series_on_oblique_grids_become_one_case(filled: Study, imported: CaseVolumes) -> None:
    assert {name: (array.shape, array.dtype) for name, array in imported.arrays.items()} == {
        name: ((26, 224, 256), np.dtype(np.int16)) for name in ("T1", "T2", "T1c")
    }
    assert imported.spacing_mm == pytest.approx((5.5, 0.898, 0.898), abs=0.001)
    [case] = read_rows(filled)
    assert CODE not in str([(one.series_description, one.evidence, one.technical) for one in case.series])


@pytest.mark.parametrize(("name", "end"), [("T1", "_t1.nii"), ("T2", "_t2.nii")])
def test_a_sequence_lies_on_t1c_after_the_import_and_neither_by_index_nor_by_coordinates_before(
    patient: Path, imported: CaseVolumes, name: str, end: str
) -> None:
    grid, source = to_lps(read_source(patient, "_t1c.nii")), read_source(patient, end)
    by_index = common_shape(sitk.GetArrayFromImage(grid), sitk.GetArrayFromImage(to_lps(source)))
    by_coordinates = sitk.GetArrayFromImage(resample(source, grid, sitk.Transform()))
    after = mutual_information(imported.arrays["T1c"], imported.arrays[name])
    assert after > 1.25 * mutual_information(*by_index)
    assert after > 1.25 * mutual_information(imported.arrays["T1c"], by_coordinates)


@pytest.mark.parametrize("name", ["T1", "T2"])
@pytest.mark.parametrize(("axis", "voxels"), [(0, 2), (1, 8), (2, 8)])
def test_moving_a_sequence_away_lowers_the_mutual_information(
    imported: CaseVolumes, name: str, axis: int, voxels: int
) -> None:
    there = mutual_information(imported.arrays["T1c"], imported.arrays[name])
    for shift in (voxels, -voxels):
        assert mutual_information(imported.arrays["T1c"], np.roll(imported.arrays[name], shift, axis)) < there - 0.05


def test_the_same_images_wrapped_in_dicom_give_the_same_case(
    patient: Path, imported: CaseVolumes, tmp_path: Path
) -> None:
    person = Person()
    for end, header in HEADERS.items():
        write_series(read_source(patient, end), tmp_path / "archive" / end, person, **header)
    other = open_study(tmp_path / "other")
    report = import_paths(other, [tmp_path / "archive"])
    assert (len(report.cases), report.refused) == (1, ())
    wrapped = read_case(other, "case-0001")
    for name, array in imported.arrays.items():
        difference = np.abs(array.astype(float) - wrapped.arrays[name])
        assert (difference > 0).mean() < 0.01  # geometry in a DICOM header is rounded to six digits
        assert (difference > 1).sum() <= 10  # at the very border of a field of view, a voxel is in or out
    assert wrapped.spacing_mm == pytest.approx(imported.spacing_mm, abs=1e-4)


def test_the_wrapped_images_are_recognised_as_those_that_are_there(
    filled: Study, patient: Path, tmp_path: Path
) -> None:
    for end, header in HEADERS.items():
        write_series(read_source(patient, end), tmp_path / "archive" / end, **{**header, "StudyInstanceUID": "1.2.3"})
    report = import_paths(filled, [tmp_path / "archive"])
    assert [one.case_id for one in report.already_present] == ["case-0001"]


def test_a_patient_with_one_sequence_and_a_mask_is_refused_with_what_is_missing(
    study: Study, real_images: Path
) -> None:
    folder = real_images / "brain-tumor-progression-01"
    report = import_paths(study, [folder])
    assert reason_of(report, folder) == (
        "incomplete patient: T2 and T1c are missing; found T1 and a mask. A case needs T1, T2 and T1c"
    )
