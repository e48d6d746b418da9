"""Pseudo-RGB samples: the same square of T1, T2 and T1c as red, green and blue."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brainmri.imaging.intensity import apply_limits, percentile_limits
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.settings import DatasetSettings
from brainmri.vocabulary import SEQUENCES


def crop_square(image: NDArray[np.generic], region: SquareRegion) -> NDArray[np.generic]:
    """Cut a square out of a slice; what reaches beyond the image is filled with zeros.

    Parameters
    ----------
    image : ndarray, shape (R, C)
    region : SquareRegion

    Returns
    -------
    ndarray, shape (size_px, size_px), dtype of the image
    """
    out = np.zeros((region.size_px, region.size_px), image.dtype)
    top, left = max(region.row, 0), max(region.column, 0)
    bottom = min(region.row + region.size_px, image.shape[0])
    right = min(region.column + region.size_px, image.shape[1])
    if top < bottom and left < right:
        out[top - region.row : bottom - region.row, left - region.column : right - region.column] = image[
            top:bottom, left:right
        ]
    return out


def resize(image: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
    """Scale a square image to another side, bilinear; smoothed first where it shrinks (Pillow's reducing filter)."""
    scaled = Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BILINEAR)
    return np.asarray(scaled, dtype=np.float32)


def pseudo_rgb(
    volumes: Mapping[str, NDArray[np.generic]], regions: list[SquareRegion], *, settings: DatasetSettings
) -> NDArray[np.uint8]:
    """Make the samples of one case.

    Each sequence is scaled between percentiles of its whole volume, then cut and resized.

    Parameters
    ----------
    volumes : mapping of str to ndarray, shape (S, R, C)
        ``T1``, ``T2`` and ``T1c`` on one grid, in the scanner's units.
    regions : list of SquareRegion
        N squares.
    settings : DatasetSettings
        Size and percentiles.

    Returns
    -------
    ndarray, shape (N, 3, size_px, size_px), uint8
        Channels T1, T2, T1c.
    """
    out = np.empty((len(regions), len(SEQUENCES), settings.size_px, settings.size_px), np.uint8)
    for channel, sequence in enumerate(SEQUENCES):
        volume = volumes[sequence]
        limits = percentile_limits(volume, lower=settings.lower_percentile, upper=settings.upper_percentile)
        for index, region in enumerate(regions):
            square = apply_limits(crop_square(volume[region.slice_index], region), limits)
            out[index, channel] = np.rint(resize(square, settings.size_px) * 255).astype(np.uint8)
    return out
