"""One grid: orientation, resampling, coverage."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.grid import DrawnMask, bring_to_grid, coverage, strip, to_lps
from tests.intake.dicom_files import volume


def ramp(size: tuple[int, int, int], spacing_mm: tuple[float, float, float], tilt_deg: float = 0.0) -> sitk.Image:
    """Return an image about the origin of value 1000 + 3x + 5y + 7z in mm: linear interpolation is exact."""
    image = sitk.Image(size, sitk.sitkFloat32)
    angle = np.deg2rad(tilt_deg)
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    direction = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    extent = (np.array(size) - 1) * spacing_mm / 2
    image.SetSpacing(spacing_mm)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((-direction @ extent).tolist())
    index = np.stack(np.meshgrid(*[np.arange(n) for n in size[::-1]], indexing="ij")[::-1], axis=-1)  # x, y, z last
    points = (index * spacing_mm) @ direction.T + np.array(image.GetOrigin())
    filled = sitk.GetImageFromArray((1000 + points @ [3.0, 5.0, 7.0]).astype(np.float32))
    filled.CopyInformation(image)
    return filled


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0, -17.0])
def test_an_oblique_series_lands_on_the_grid_by_physical_coordinates(tilt_deg: float) -> None:
    grid = ramp((20, 24, 6), (1.0, 1.0, 4.0))
    image = ramp((50, 60, 30), (0.9, 0.9, 2.0), tilt_deg)
    gridded = bring_to_grid({"T1": image, "T2": image, "T1c": grid}, [])
    expected, found = (sitk.GetArrayFromImage(one) for one in (grid, gridded.images["T2"]))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_axes_run_to_the_left_the_back_and_the_head() -> None:
    sagittal = sitk.PermuteAxes(ramp((20, 24, 6), (1.0, 2.0, 4.0)), (1, 2, 0))
    flipped = sitk.Flip(sagittal, (True, False, True))
    image = to_lps(flipped)
    assert image.GetSize() == (20, 24, 6)
    np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-9)
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(ramp((20, 24, 6), (1.0, 2.0, 4.0)))
    )


def test_whole_numbers_stay_whole_numbers_and_masks_stay_masks() -> None:
    mask = sitk.Cast(volume(seed=1) > 400, sitk.sitkUInt8) * 3
    images = {"T1": volume(seed=2), "T2": volume(seed=3), "T1c": volume(tilt_deg=3)}
    gridded = bring_to_grid(images, [DrawnMask(mask, "T1c")])
    assert {one.GetPixelID() for one in gridded.images.values()} == {sitk.sitkInt16}
    assert gridded.mask is not None
    assert np.unique(sitk.GetArrayFromImage(gridded.mask)).tolist() == [0, 1]


def test_several_masks_are_combined_and_an_empty_one_is_none() -> None:
    images = {name: volume() for name in ("T1", "T2", "T1c")}
    low, high = (sitk.Cast(one, sitk.sitkUInt8) for one in (volume() < 300, volume() > 500))
    combined = bring_to_grid(images, [DrawnMask(low, "T1"), DrawnMask(high, "T1c")]).mask
    assert combined is not None
    array = sitk.GetArrayFromImage(volume())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(combined), (array < 300) | (array > 500))
    empty = bring_to_grid(images, [DrawnMask(sitk.Cast(volume() > 9999, sitk.sitkUInt8), "T1c")])
    assert empty.mask is None
    assert empty.notes == ("its mask marks nothing on the T1c, and was left out.",)


def test_a_partly_covered_head_is_reported_and_a_mostly_uncovered_one_refused() -> None:
    flat = sitk.Image((20, 20, 10), sitk.sitkInt16) + 1
    part, little = (sitk.Image((20, 20, count), sitk.sitkInt16) + 1 for count in (7, 4))
    assert coverage(part, flat, np.ones((10, 20, 20), bool), sitk.Transform()) == pytest.approx(0.7)
    assert bring_to_grid({"T1": flat, "T2": part, "T1c": flat}, []).notes == (
        "T2 covers 70% of the head in T1c; the rest is black.",
    )
    with pytest.raises(RefusedFile, match=r"the T1 series covers only 40% of the head in T1c \(50% are needed\)"):
        bring_to_grid({"T1": little, "T2": flat, "T1c": flat}, [])


def test_texts_of_the_source_file_are_left_behind() -> None:
    image = volume()
    image.SetMetaData("0010|0010", "Wolkenstein")
    image.SetMetaData("descrip", "Wolkenstein")
    plain = strip(image)
    assert plain.GetMetaDataKeys() == ()
    assert plain.GetSpacing() == image.GetSpacing()
