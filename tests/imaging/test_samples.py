"""Pseudo-RGB samples, against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.errors import ImagingError
from brainmri.imaging.intensity import apply_limits, percentile_limits
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.samples import crop_square, pseudo_rgb, resize
from brainmri.imaging.settings import DatasetSettings


def test_crop_beyond_the_image_is_filled_with_zeros() -> None:
    image = np.arange(1, 17).reshape(4, 4)
    crop = crop_square(image, SquareRegion(0, -1, 2, 3))
    assert crop.tolist() == [[0, 0, 0], [3, 4, 0], [7, 8, 0]]


def test_crop_wholly_outside_is_empty() -> None:
    assert not crop_square(np.ones((4, 4)), SquareRegion(0, 10, 10, 3)).any()


def test_limits_map_to_zero_and_one_and_clip() -> None:
    scaled = apply_limits(np.array([-5, 0, 50, 100, 900]), (0.0, 100.0))
    assert scaled.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_limits_do_not_depend_on_the_share_of_air() -> None:
    head = np.random.default_rng(0).uniform(100, 200, (4, 20, 20))
    wide = np.zeros((4, 60, 60))
    wide[:, 20:40, 20:40] = head
    wider = np.zeros((4, 90, 90))
    wider[:, 20:40, 20:40] = head
    assert percentile_limits(wide, lower=0.5, upper=99.5) == percentile_limits(wider, lower=0.5, upper=99.5)


@pytest.mark.parametrize(
    ("volume", "reason"), [(np.full((2, 4, 4), 7), "value 7"), (np.array([[[np.nan]]]), "not numbers")]
)
def test_volume_without_an_image_is_refused(volume: np.ndarray, reason: str) -> None:
    with pytest.raises(ImagingError, match=reason):
        percentile_limits(volume, lower=0.5, upper=99.5)


def test_shrinking_averages_instead_of_skipping() -> None:
    checkerboard = (np.indices((64, 64)).sum(0) % 2).astype(np.float32)
    assert np.abs(resize(checkerboard, 16)[2:-2, 2:-2] - 0.5).max() < 0.02


def test_channels_are_t1_t2_t1c_from_the_same_square() -> None:
    volumes = {name: np.zeros((2, 96, 96), np.int16) for name in ("T1", "T2", "T1c")}
    for step, volume in enumerate(volumes.values()):
        volume[:, 10:80, 10:80] = 100
        volume[1, 20 + 5 * step : 30 + 5 * step, 40:50] = 300  # one bright block a sequence, each lower than the last
    settings = DatasetSettings(size_px=64)
    samples = pseudo_rgb(volumes, [SquareRegion(1, 12, 16, 64)], settings=settings)
    assert samples.shape == (1, 3, 64, 64)
    assert samples.dtype == np.uint8
    for step in range(3):
        rows, columns = np.nonzero(samples[0, step] == 255)
        assert (rows.min(), rows.max()) == (8 + 5 * step, 17 + 5 * step)
        assert (columns.min(), columns.max()) == (24, 33)
