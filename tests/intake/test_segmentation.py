"""Masks as DICOM SEG."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from brainmri.intake.importing import import_paths
from brainmri.intake.volumes import read_case
from brainmri.study import Study
from tests.intake.dicom_files import SEQUENCES, Person, volume, write_patient, write_series
from tests.intake.test_importing import read_rows, reason_of


def write_segmentation(path: Path, series: list[Path], segments: list[np.ndarray]) -> None:
    """Write masks of shape (slices, rows, columns) on a series as one DICOM SEG."""
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription

    algorithm = AlgorithmIdentificationSequence("by hand", codes.DCM.ArtificialIntelligence, "1")
    descriptions = [
        SegmentDescription(
            segment_number=index + 1,
            segment_label=f"part {index + 1}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
            algorithm_identification=algorithm,
        )
        for index in range(len(segments))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Segmentation(
            source_images=[dcmread(one) for one in series],
            pixel_array=np.stack(segments, axis=-1).astype(np.uint8),
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=descriptions,
            series_instance_uid=generate_uid(),
            series_number=99,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="test",
            manufacturer_model_name="test",
            software_versions="1",
            device_serial_number="1",
        ).save_as(path)


def series_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.dcm"))


def test_all_segments_of_a_mask_on_the_t1c_become_the_tumour(study: Study, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    write_patient(archive)
    array = sitk.GetArrayFromImage(volume(seed=2))
    core, rim = (array > 500), (array > 400) & (array <= 500)
    core[0] = rim[0] = core[-1] = rim[-1] = False  # slices without tumour are left out of the file
    write_segmentation(archive / "seg.dcm", series_of(archive / "series-2-T1c"), [core, rim])
    report = import_paths(study, [archive])
    assert report.refused == ()
    assert read_rows(study)[0].has_mask
    np.testing.assert_array_equal(read_case(study, "case-0001").mask, core | rim)


def test_a_mask_on_another_sequence_lands_on_the_grid_of_the_t1c(study: Study, tmp_path: Path) -> None:
    archive, person = tmp_path / "archive", Person()
    fine = volume((12, 48, 40), spacing_mm=(0.5, 0.5, 2.5), origin_mm=(-10.25, -12.25, -16.25))
    for name in ("T1", "T1c"):
        write_series(volume(seed=3), archive / name, person, **SEQUENCES[name])
    paths = write_series(fine, archive / "T2", person, **SEQUENCES["T2"])
    block = np.zeros((12, 48, 40), bool)
    block[4:8, 10:20, 16:30] = True
    write_segmentation(archive / "seg.dcm", paths, [block])
    import_paths(study, [archive])
    expected = np.zeros((6, 24, 20), np.uint8)
    expected[2:4, 5:10, 8:15] = 1
    np.testing.assert_array_equal(read_case(study, "case-0001").mask, expected)


def test_a_mask_on_a_series_that_is_not_used_is_refused_where_there_is_a_better_one(
    study: Study, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    person = write_patient(archive)
    second = write_series(volume((5, 24, 20)), archive / "second", person, **SEQUENCES["T1c"])
    array = sitk.GetArrayFromImage(volume(seed=2)) > 450
    write_segmentation(archive / "seg.dcm", series_of(archive / "series-2-T1c"), [array])
    write_segmentation(archive / "other.dcm", second, [array[:5]])
    report = import_paths(study, [archive])
    assert reason_of(report, archive / "other.dcm") == "mask: drawn on a series that is not used"
    np.testing.assert_array_equal(read_case(study, "case-0001").mask, array)


def test_a_broken_mask_leaves_the_case_without_one(study: Study, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    write_patient(archive)
    path = archive / "seg.dcm"
    write_segmentation(path, series_of(archive / "series-2-T1c"), [sitk.GetArrayFromImage(volume(seed=2)) > 450])
    path.write_bytes(path.read_bytes()[:-300])
    report = import_paths(study, [archive])
    assert reason_of(report, path).startswith("mask: its segmentation cannot be read")
    assert [case.has_mask for case in read_rows(study)] == [False]


def test_the_files_that_pydicom_ships_import_nothing_and_crash_nothing(study: Study) -> None:
    folder = Path(str(get_testdata_file("MR_small.dcm", download=False))).parent
    report = import_paths(study, [folder])
    assert report.cases == ()
    assert len(report.refused) > 60
    assert reason_of(report, folder / "CT_small.dcm") == "a CT image; only MR is used"
    assert reason_of(report, folder / "rtplan.dcm").startswith("a DICOM object without an image (RT Plan Storage)")
