"""Phantoms: valid DICOM, repeatable, honest about what they are, and like the radiology that they imitate."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from highdicom.seg import Segmentation
from pydicom.uid import MRImageStorage, SegmentationStorage

from brainmri.errors import IntakeError
from brainmri.intake.deidentify import IDENTITY_KEYWORDS, collect_identity, screen_text
from brainmri.intake.phantoms import PHANTOM_MANUFACTURER
from brainmri.intake.phantoms.anatomy import Tissue, draw_head, draw_shape
from brainmri.intake.phantoms.archive import write_archive
from brainmri.intake.phantoms.coordinates import grid, push_away
from brainmri.intake.phantoms.tumours import draw_patient, draw_tumour
from brainmri.vocabulary import DIAGNOSES

PATIENTS = {"glioblastoma": 1, "PCNSL": 1, "meningioma": 1}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive") / "export"
    write_archive(folder, patients=PATIENTS, seed=7, processes=1)
    return folder


@pytest.fixture(scope="module")
def datasets(archive: Path) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(path) for path in sorted((archive / "DICOM").rglob("I*"))]


def series_of(datasets: list[pydicom.FileDataset], patient_id: str, *, contrast: bool) -> list[pydicom.FileDataset]:
    """Return a patient's T1 images, before or after the contrast agent, from inferior to superior."""
    images = [
        one
        for one in datasets
        if one.PatientID == patient_id
        and one.SOPClassUID == MRImageStorage
        and one.RepetitionTime < 1000
        and ("ContrastBolusAgent" in one) is contrast
    ]
    return sorted(images, key=lambda one: one.InstanceNumber)


def test_every_patient_has_three_series_and_a_segmentation(datasets: list[pydicom.FileDataset]) -> None:
    for patient_id in {one.PatientID for one in datasets}:
        own = [one for one in datasets if one.PatientID == patient_id]
        assert len({one.SeriesInstanceUID for one in own if one.SOPClassUID == MRImageStorage}) >= 3
        assert sum(one.SOPClassUID == SegmentationStorage for one in own) == 1
        assert len({one.StudyInstanceUID for one in own}) == 1


def test_slices_stand_equally_spaced_along_their_normal(datasets: list[pydicom.FileDataset]) -> None:
    images = series_of(datasets, "PH-0001", contrast=True)
    row, column = np.array(images[0].ImageOrientationPatient).reshape(2, 3)
    assert row @ column == pytest.approx(0, abs=1e-6)
    along = [np.array(one.ImagePositionPatient) @ np.cross(row, column) for one in images]
    assert np.diff(along) == pytest.approx(float(images[0].SpacingBetweenSlices), abs=1e-3)


def test_no_header_tells_the_diagnosis_and_each_says_that_it_is_a_phantom(datasets: list[pydicom.FileDataset]) -> None:
    for one in datasets:
        text = str(one).casefold()
        assert not any(name.casefold() in text for name in (*DIAGNOSES, "gbm", "lymphoma"))
        assert one.Manufacturer == PHANTOM_MANUFACTURER


def test_the_archive_holds_personal_data_to_be_removed(datasets: list[pydicom.FileDataset]) -> None:
    assert all(one.PatientName and one.PatientBirthDate for one in datasets)


def test_removing_identity_leaves_the_scanner_its_name(datasets: list[pydicom.FileDataset]) -> None:
    one = next(one for one in datasets if one.SOPClassUID == MRImageStorage)
    identity = collect_identity(str(one[name].value) for name in IDENTITY_KEYWORDS if name in one)
    for name in ("Manufacturer", "ManufacturerModelName"):
        assert screen_text(one[name].value, identity) == one[name].value


@pytest.mark.parametrize("patient_id", ["PH-0001", "PH-0002", "PH-0003"])
def test_segmentation_lies_on_t1c_and_the_tumour_enhances(datasets: list[pydicom.FileDataset], patient_id: str) -> None:
    segmentation = next(
        one for one in datasets if one.SOPClassUID == SegmentationStorage and one.PatientID == patient_id
    )
    t1c, t1 = (series_of(datasets, patient_id, contrast=flag) for flag in (True, False))
    referenced = {
        item.ReferencedSOPInstanceUID for item in segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert referenced <= {one.SOPInstanceUID for one in t1c}
    assert segmentation.FrameOfReferenceUID == t1c[0].FrameOfReferenceUID
    after = image_of(t1c)
    mask = mask_on(after, Segmentation.from_dataset(segmentation))
    assert mask.sum() > 50
    before = sitk.GetArrayFromImage(sitk.Resample(image_of(t1), after)).astype(float)
    enhanced = sitk.GetArrayFromImage(after).astype(float)
    brain = before > np.percentile(before, 60)
    gain = np.median(enhanced[brain & ~mask] / before[brain & ~mask])  # of the scanner, not of the contrast agent
    assert np.percentile(enhanced[mask], 75) > 1.2 * gain * np.percentile(before[mask], 75)


def image_of(series: list[pydicom.FileDataset]) -> sitk.Image:
    """Return a series as a volume, by its own header."""
    row, column = np.array(series[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    image = sitk.GetImageFromArray(np.stack([one.pixel_array for one in series]).astype(np.float32))
    image.SetSpacing((*(float(mm) for mm in series[0].PixelSpacing), float(series[0].SpacingBetweenSlices)))
    image.SetOrigin([float(mm) for mm in series[0].ImagePositionPatient])
    image.SetDirection(np.column_stack([row, column, np.cross(row, column)]).ravel().tolist())
    return image


def mask_on(image: sitk.Image, segmentation: Segmentation) -> np.ndarray:
    """Return the segmentation's voxels in the array of an image; they have to be voxels of it."""
    volume = segmentation.get_volume(combine_segments=True)
    mask = np.zeros(image.GetSize()[::-1], bool)
    for index in np.argwhere(volume.array != 0):
        point = volume.map_indices_to_reference(index[None])[0]
        where = image.TransformPhysicalPointToContinuousIndex(point.tolist())
        assert where == pytest.approx(np.rint(where), abs=0.01)
        mask[tuple(np.rint(where).astype(int)[::-1])] = True
    return mask


def test_labels_name_every_patient_once(archive: Path, datasets: list[pydicom.FileDataset]) -> None:
    with (archive / "labels.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["patient_id"] for row in rows} == {one.PatientID for one in datasets}
    assert sorted(row["diagnosis"] for row in rows) == sorted(PATIENTS)
    assert all(row["synthetic"] == "yes" for row in rows)


def test_same_seed_gives_the_same_files_whatever_the_number_of_processes(archive: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "again", patients=PATIENTS, seed=7, processes=2)
    first, again = (
        {path.relative_to(folder): path for path in folder.rglob("I*")} for folder in (archive, tmp_path / "again")
    )
    assert first.keys() == again.keys()
    for name, path in first.items():
        if "S0100" in name.parts:  # a segmentation tells when it was made
            assert pydicom.dcmread(path).PixelData == pydicom.dcmread(again[name]).PixelData
        else:
            assert path.read_bytes() == again[name].read_bytes()
    assert (archive / "labels.csv").read_bytes() == (tmp_path / "again" / "labels.csv").read_bytes()


def test_another_seed_gives_other_patients(archive: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "other", patients={"PCNSL": 1}, seed=8, processes=1)
    other = next((tmp_path / "other").rglob("I00001"))
    assert all(path.read_bytes() != other.read_bytes() for path in archive.rglob("I00001"))


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(IntakeError, match=r"is not empty; phantoms are written into an empty one"):
        write_archive(tmp_path, patients=PATIENTS, seed=0)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_an_unknown_diagnosis_has_no_phantom() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(IntakeError, match="no phantom of the diagnosis 'ependymoma'; there are glioblastoma"):
        draw_tumour("ependymoma", draw_shape(rng), rng)


def draw(diagnosis: str, **changes: object) -> tuple[object, ...]:
    rng = np.random.default_rng(5)
    shape = draw_shape(rng)
    tumour = replace(draw_tumour(diagnosis, shape, rng), **changes)
    patient = draw_patient(tumour, shape, grid(), rng)
    return tumour, patient


def test_glioblastoma_enhances_as_a_ring_around_a_dark_centre() -> None:
    tumour, patient = draw("glioblastoma", necrosis=0.6, heterogeneity=0.1)
    distance = grid().distance_mm(tumour.centre)
    centre, rim = distance < 0.3 * tumour.radius, patient.mask & (distance > 0.8 * tumour.radius)
    assert patient.t1c[centre].mean() < 0.35 < 0.55 < patient.t1c[rim].mean()
    assert patient.t2[centre].mean() > 0.8


def test_lymphoma_enhances_evenly_and_is_not_bright_on_t2() -> None:
    _tumour, patient = draw("PCNSL", necrosis=0.0, heterogeneity=0.06)
    inside = patient.t1c[patient.mask]
    assert inside.std() / inside.mean() < 0.1
    assert patient.t2[patient.mask].mean() < 0.65


def test_meningioma_sits_on_the_dura_and_has_a_tail() -> None:
    rng = np.random.default_rng(3)
    shape = draw_shape(rng)
    tumour = draw_tumour("meningioma", shape, rng)
    while not tumour.dural:
        tumour = draw_tumour("meningioma", shape, rng)
    at = grid()
    patient = draw_patient(tumour, shape, at, np.random.default_rng(1))
    head = draw_head(shape, np.random.default_rng(1), skull_at=at, brain_at=at)
    assert head.depth_mm[patient.mask].min() < 3
    dura = (head.labels == Tissue.DURA) & (at.distance_mm(tumour.centre) < 1.7 * tumour.radius)
    assert (patient.t1c - patient.t1)[dura].mean() > 0.2


def test_schwannoma_reaches_from_the_angle_into_the_canal() -> None:
    _tumour, patient = draw("schwannoma")
    at = grid()
    side = np.abs(at.x[patient.mask])
    assert side.min() < 22 < 38 < side.max()
    assert at.z[patient.mask].max() < -22


def test_a_mass_pushes_what_lies_beside_it() -> None:
    at = grid()
    pushed = push_away(at, (0.0, 0.0, 30.0), reach_mm=40, amount_mm=8)
    beside = np.abs(at.distance_mm((0.0, 0.0, 30.0)) - 15) < 2
    assert pushed.distance_mm((0.0, 0.0, 30.0))[beside].mean() == pytest.approx(
        15 - 8 * np.exp(-((15 / 40) ** 2)), abs=0.6
    )
    far = at.distance_mm((0.0, 0.0, 30.0)) > 110
    assert np.abs(pushed.x - at.x)[far].max() < 0.01
