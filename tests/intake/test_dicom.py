"""Pixels of a DICOM series: order, geometry, rescaling, compression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGLSLossless, RLELossless

from brainmri.errors import RefusedFile
from brainmri.intake.dicom import as_stored, read_series, sort_slices
from brainmri.intake.headers import SliceHeader, read_header
from brainmri.intake.series import group_series
from tests.intake.dicom_files import T1, volume, write_series


def write_headers(image: sitk.Image, folder: Path, **header: Any) -> list[SliceHeader]:
    return [read_header(path) for path in write_series(image, folder, **{**T1, **header})]


@pytest.mark.parametrize("tilt_deg", [0.0, 17.0, -80.0])
def test_an_oblique_stack_in_any_order_keeps_its_voxels_and_its_place(tmp_path: Path, tilt_deg: float) -> None:
    expected = volume(tilt_deg=tilt_deg, spacing_mm=(0.9, 0.8, 5.5), seed=3)
    headers = write_headers(expected, tmp_path)
    image = read_series([headers[index] for index in (3, 0, 5, 1, 4, 2)])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(expected))
    np.testing.assert_allclose(image.GetDirection(), expected.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(image.GetSpacing(), expected.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(image.GetOrigin(), expected.GetOrigin(), atol=1e-5)
    assert image.GetPixelID() == sitk.sitkInt16


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path: Path) -> None:
    expected = sitk.GetArrayFromImage(volume())
    paths = write_series(volume(), tmp_path, **T1)
    for index, path in enumerate(paths):
        dataset = dcmread(path)
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.5 + index, -3
        dataset.save_as(path)
    array = sitk.GetArrayFromImage(read_series([read_header(path) for path in paths]))
    slopes = 0.5 + np.arange(len(paths))[:, None, None]
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, expected * slopes - 3, rtol=1e-6)


def test_whole_numbers_that_do_not_fit_are_stored_as_float() -> None:
    assert as_stored(np.array([0, 40000], np.uint16)).dtype == np.float32
    assert as_stored(np.array([0, 30000], np.uint16)).dtype == np.int16
    assert as_stored(np.array([np.nan, 1.5])).tolist() == [0.0, 1.5]


def test_missing_slices_are_counted(tmp_path: Path) -> None:
    headers = write_headers(volume((10, 24, 20)), tmp_path)
    with pytest.raises(
        RefusedFile, match=r"3 slices missing: 7 of 10 are there, 5\.00 mm apart, with gaps of up to 15\.00"
    ):
        sort_slices([headers[index] for index in (0, 1, 2, 4, 7, 8, 9)])


def test_uneven_slices_are_refused_with_their_distances(tmp_path: Path) -> None:
    headers = write_headers(volume(), tmp_path)
    headers[5].position_mm = (*headers[5].position_mm[:2], headers[5].position_mm[2] + 1.5)
    with pytest.raises(RefusedFile, match=r"unevenly spaced: 5\.00 to 6\.50 mm apart, most of them 5\.00 mm"):
        sort_slices(headers)


def test_rounded_positions_are_even_enough(tmp_path: Path) -> None:
    headers = write_headers(volume(), tmp_path)
    for index, header in enumerate(headers):
        header.position_mm = (*header.position_mm[:2], header.position_mm[2] + 0.04 * (-1) ** index)
    assert sort_slices(headers)[1] == pytest.approx(5.0, abs=0.02)


def test_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    headers = write_headers(volume(), tmp_path / "a") + write_headers(volume(), tmp_path / "b")
    with pytest.raises(RefusedFile, match="6 slices of 12 stand at the place of another one"):
        sort_slices(headers)


def test_a_sheared_stack_is_refused(tmp_path: Path) -> None:
    headers = write_headers(volume(), tmp_path)
    for index, header in enumerate(headers):
        header.position_mm = (header.position_mm[0] + index, *header.position_mm[1:])
    with pytest.raises(RefusedFile, match=r"shifted sideways by up to 5\.0 mm"):
        sort_slices(headers)


def test_too_few_slices_are_no_volume(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="it has only 2 slices; at least 3 are needed"):
        sort_slices(write_headers(volume(), tmp_path)[:2])


def test_a_volume_larger_than_memory_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    headers = write_headers(volume((40, 8, 8)), tmp_path)
    for header in headers:
        header.rows = header.columns = 4096
    with pytest.raises(RefusedFile, match="has 671088640 voxels"):
        read_series(headers)


def test_run_length_encoded_pixels_are_decoded(tmp_path: Path) -> None:
    paths = write_series(volume(), tmp_path, **T1)
    for path in paths:
        dataset = dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    image = read_series([read_header(path) for path in paths])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(volume()))


def test_a_missing_decoder_is_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoDecoder:
        is_available = False

    monkeypatch.setattr("brainmri.intake.dicom.get_decoder", lambda _uid: NoDecoder())
    headers = write_headers(volume(), tmp_path)
    for header in headers:
        header.transfer_syntax = str(JPEGLSLossless)
    with pytest.raises(RefusedFile, match=r"JPEG-LS Lossless.*pip install pylibjpeg pylibjpeg-libjpeg"):
        read_series(headers)


def test_pixels_that_cannot_be_decoded_name_the_file(tmp_path: Path) -> None:
    paths = write_series(volume(), tmp_path, **T1)
    dataset = dcmread(paths[2])
    dataset.compress(RLELossless)
    dataset.PixelData = dataset.PixelData[:40]
    dataset.save_as(paths[2])
    with pytest.raises(RefusedFile, match=r"the pixels of its file 0002\.dcm cannot be decoded"):
        read_series([read_header(path) for path in paths])


@pytest.mark.parametrize(
    "name",
    [
        "MR_small.dcm",
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
    ],
)
def test_every_encoding_of_one_image_gives_the_same_pixels(name: str) -> None:
    headers = []
    for index in range(3):
        header = read_header(Path(str(get_testdata_file(name, download=False))))
        header.position_mm = (0.0, 0.0, float(index))
        header.orientation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        headers.append(header)
    array = sitk.GetArrayFromImage(read_series(headers))
    expected = dcmread(str(get_testdata_file("MR_small.dcm", download=False))).pixel_array
    np.testing.assert_array_equal(array[0], expected)


def test_echoes_planes_and_matrices_under_one_uid_are_told_apart(tmp_path: Path) -> None:
    shared = {"SeriesInstanceUID": "1.2.3.4"}
    headers = [
        *write_headers(volume(), tmp_path / "a", **shared, EchoTime=12),
        *write_headers(volume(), tmp_path / "b", **shared, EchoTime=95, RepetitionTime=4000, SeriesDescription="AX"),
        *write_headers(volume(tilt_deg=90), tmp_path / "c", **shared, EchoTime=12),
        *write_headers(volume((6, 30, 30)), tmp_path / "d", **shared, EchoTime=12),
    ]
    found = group_series(headers)
    assert sorted((one.sequence or "", one.plane, one.images) for one in found) == [
        ("T1", "axial", 6),
        ("T1", "axial", 6),
        ("T1", "coronal", 6),
        ("T2", "axial", 6),
    ]
