"""Square regions from masks, against hand-computed squares."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.imaging.regions import SquareRegion, regions_from_mask
from brainmri.imaging.settings import DatasetSettings

SETTINGS = DatasetSettings(margin=0.25, minimum_side_mm=0.0, minimum_area_mm2=0.0)
SPACING = (5.0, 1.0, 1.0)


def test_square_holds_the_tumour_with_its_margin() -> None:
    mask = np.zeros((3, 64, 64), np.uint8)
    mask[1, 20:28, 30:50] = 1  # 8 rows × 20 columns; side 20 × 1.5 = 30; centre row 24, column 40
    assert regions_from_mask(mask, SPACING, settings=SETTINGS) == [SquareRegion(1, 9, 25, 30)]


def test_each_slice_that_shows_the_tumour_has_its_own_square() -> None:
    mask = np.zeros((5, 32, 32), bool)
    mask[1, 10:14, 10:14] = True
    mask[3, 10:18, 10:18] = True
    regions = regions_from_mask(mask, SPACING, settings=SETTINGS)
    assert [(region.slice_index, region.size_px) for region in regions] == [(1, 6), (3, 12)]


def test_square_may_reach_beyond_the_image() -> None:
    mask = np.zeros((1, 32, 32), bool)
    mask[0, 0:10, 0:10] = True
    (region,) = regions_from_mask(mask, SPACING, settings=SETTINGS)
    assert (region.row, region.column, region.size_px) == (-3, -3, 15)


def test_small_tumour_keeps_its_surroundings() -> None:
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 30:34, 30:34] = True
    settings = DatasetSettings(minimum_side_mm=24.0, minimum_area_mm2=0.0)
    (region,) = regions_from_mask(mask, (5.0, 0.5, 0.5), settings=settings)
    assert region.size_px == 48


def test_stray_voxels_do_not_widen_the_square() -> None:
    mask = np.zeros((2, 64, 64), bool)
    mask[0, 30:40, 30:40] = True
    mask[0, 2, 2] = True
    mask[1, 5, 5] = True
    settings = DatasetSettings(margin=0.0, minimum_side_mm=0.0, minimum_area_mm2=30.0)
    assert regions_from_mask(mask, SPACING, settings=settings) == [SquareRegion(0, 30, 30, 10)]


def test_empty_mask_has_no_region() -> None:
    assert regions_from_mask(np.zeros((4, 8, 8)), SPACING, settings=SETTINGS) == []


@pytest.mark.parametrize("size_px", [0, 32, 5000])
def test_size_that_no_network_takes_is_refused(size_px: int) -> None:
    from brainmri.errors import UsageError

    with pytest.raises(UsageError, match=rf"size of a sample is {size_px} px; expected 63 to 1024 px"):
        DatasetSettings(size_px=size_px)
