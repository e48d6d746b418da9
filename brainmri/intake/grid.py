"""Bring the sequences of a case onto the grid of its T1c."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import SimpleITK as sitk  # noqa: N813

from brainmri.errors import RefusedFile
from brainmri.intake.dicom import as_stored

SMALLEST_COVERAGE: Final = 0.5
"""A series that covers less of the T1c's head than this is refused: the rest would be black."""
FULL_COVERAGE: Final = 0.9
"""Below this the report says so."""


@dataclass(frozen=True)
class GriddedCase:
    """Volumes on one grid in LPS orientation."""

    images: dict[str, sitk.Image]
    mask: sitk.Image | None
    notes: tuple[str, ...] = field(default=())


def to_lps(image: sitk.Image) -> sitk.Image:
    """Reorder axes so that columns, rows and slices run most nearly to the left, back and head. No voxel is changed."""
    return sitk.DICOMOrient(image, "LPS")


def bring_to_grid(images: Mapping[str, sitk.Image], masks: list[sitk.Image]) -> GriddedCase:
    """Resample T1, T2 and the masks onto the grid of the T1c.

    Positions are the scanner's physical coordinates; nothing is registered. Interpolation is linear: it invents no
    value outside the measured ones, whereas B-splines ring along the skull, and more so across slices of 5 mm. Whole
    numbers are rounded and stay whole numbers. Masks take the nearest voxel.

    Parameters
    ----------
    images : mapping
        ``T1``, ``T2`` and ``T1c``; int16 or float32.
    masks : list of SimpleITK.Image
        Non-zero inside the tumour; combined.

    Raises
    ------
    RefusedFile
        Where T1 or T2 covers less than half of the head in T1c.
    """
    grid = to_lps(images["T1c"])
    head = _head_of(grid)
    gridded, notes = {"T1c": grid}, []
    for name, image in images.items():
        if name == "T1c":
            continue
        share = coverage(image, grid, head)
        if share < SMALLEST_COVERAGE:
            raise RefusedFile(
                f"the {name} series covers only {share:.0%} of the head in T1c ({SMALLEST_COVERAGE:.0%} are needed): "
                "the two show different places"
            )
        if share < FULL_COVERAGE:
            notes.append(f"{name} covers {share:.0%} of the head in T1c; the rest is black.")
        gridded[name] = resample(image, grid)
    mask = _combine_on(grid, [_resample_mask(one, grid) for one in masks])
    if masks and mask is None:
        notes.append("its mask marks nothing on the T1c, and was left out.")
    return GriddedCase(gridded, mask, tuple(notes))


def resample(image: sitk.Image, grid: sitk.Image) -> sitk.Image:
    """Resample linearly onto a grid; zero outside the image."""
    whole = image.GetPixelID() == sitk.sitkInt16
    resampled = sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), grid, sitk.Transform(), sitk.sitkLinear, 0.0)
    return sitk.Cast(sitk.Round(resampled), sitk.sitkInt16) if whole else resampled


def coverage(image: sitk.Image, grid: sitk.Image, head: np.ndarray) -> float:
    """Return the share of the head's voxels on the grid that lie inside another image's field of view."""
    inside = sitk.Image(image.GetSize(), sitk.sitkUInt8) + 1
    inside.CopyInformation(image)
    covered = sitk.GetArrayFromImage(sitk.Resample(inside, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0))
    return float(covered[head].mean())


def strip(image: sitk.Image) -> sitk.Image:
    """Return the voxels and the grid without any text that the source file carried."""
    plain = sitk.GetImageFromArray(as_stored(sitk.GetArrayViewFromImage(image)))
    plain.CopyInformation(image)
    return plain


def _head_of(image: sitk.Image) -> np.ndarray:
    """Return a rough mask of the head: voxels above the mean; everything where the image is flat."""
    array = sitk.GetArrayViewFromImage(image)
    head = array > array.mean()
    return head if head.any() else np.ones(array.shape, bool)


def _resample_mask(mask: sitk.Image, grid: sitk.Image) -> np.ndarray:
    binary = sitk.Cast(mask != 0, sitk.sitkUInt8)
    return sitk.GetArrayFromImage(sitk.Resample(binary, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0))


def _combine_on(grid: sitk.Image, arrays: list[np.ndarray]) -> sitk.Image | None:
    if not arrays or not any(array.any() for array in arrays):
        return None
    mask = sitk.GetImageFromArray(np.bitwise_or.reduce(arrays))
    mask.CopyInformation(grid)
    return mask
