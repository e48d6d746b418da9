"""Square regions around the tumour, one on each slice that shows it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.imaging.settings import DatasetSettings


@dataclass(frozen=True)
class SquareRegion:
    """A square on one slice, in pixels of the case's grid; it may reach beyond the image."""

    slice_index: int
    row: int
    column: int
    size_px: int


def regions_from_mask(
    mask: NDArray[np.generic], spacing_mm: tuple[float, float, float], *, settings: DatasetSettings
) -> list[SquareRegion]:
    """Return the square around the tumour, with its margin, on each slice that shows the tumour.

    Parameters
    ----------
    mask : ndarray, shape (S, R, C)
        Non-zero inside the tumour.
    spacing_mm : tuple of float
        Distance of voxel centres along slices, rows and columns.
    settings : DatasetSettings
        Margin, smallest side and smallest area.

    Returns
    -------
    list of SquareRegion
        From inferior to superior; empty where no slice shows enough of the tumour.
    """
    regions = []
    for slice_index in np.flatnonzero(mask.any(axis=(1, 2))):
        shown = _without_specks(mask[slice_index] != 0, spacing_mm, settings.minimum_area_mm2)
        if shown.any():
            regions.append(_square_around(shown, int(slice_index), spacing_mm, settings))
    return regions


def _without_specks(
    shown: NDArray[np.bool_], spacing_mm: tuple[float, float, float], minimum_area_mm2: float
) -> NDArray[np.bool_]:
    """Remove connected parts smaller than the smallest area."""
    from scipy.ndimage import label  # noqa: PLC0415 - 0.3 s that pages do not need

    parts, _ = label(shown)
    areas_mm2 = np.bincount(parts.ravel()) * (spacing_mm[1] * spacing_mm[2])
    keep = areas_mm2 >= minimum_area_mm2
    keep[0] = False
    return keep[parts]


def _square_around(
    shown: NDArray[np.bool_], slice_index: int, spacing_mm: tuple[float, float, float], settings: DatasetSettings
) -> SquareRegion:
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    smallest = settings.minimum_side_mm / min(spacing_mm[1:])
    size_px = math.ceil(max(extent * (1 + 2 * settings.margin), smallest))
    row = math.floor((rows[0] + rows[-1] + 1 - size_px) / 2)
    column = math.floor((columns[0] + columns[-1] + 1 - size_px) / 2)
    return SquareRegion(slice_index, row, column, size_px)
