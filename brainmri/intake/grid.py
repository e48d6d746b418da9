"""Bring the sequences of a case onto the grid of its T1c."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.alignment import Movement, find_movement
from brainmri.intake.dicom import as_stored

SMALLEST_COVERAGE: Final = 0.5
"""A series that covers less of the T1c's head than this is refused: the rest would be black."""
FULL_COVERAGE: Final = 0.9
"""Below this the report says so."""


GRID_TOLERANCE: Final = 1e-3
"""Largest difference of origins and spacings (mm) and direction cosines within one grid."""


@dataclass(frozen=True)
class DrawnMask:
    """A mask and the sequence that it was drawn on."""

    image: sitk.Image
    """Non-zero inside the tumour."""
    drawn_on: str


@dataclass(frozen=True)
class GriddedCase:
    """Volumes on one grid in LPS orientation."""

    images: dict[str, sitk.Image]
    mask: sitk.Image | None
    movements: dict[str, Movement]
    """Of T1 and T2, where the patient had moved between the series."""
    notes: tuple[str, ...] = field(default=())


def to_lps(image: sitk.Image) -> sitk.Image:
    """Reorder axes so that columns, rows and slices run most nearly to the left, back and head. No voxel is changed."""
    return sitk.DICOMOrient(image, "LPS")


def bring_to_grid(images: Mapping[str, sitk.Image], masks: Sequence[DrawnMask]) -> GriddedCase:
    """Resample T1, T2 and the masks onto the grid of the T1c.

    Positions are the scanner's physical coordinates, corrected where the patient clearly moved between the series
    (`brainmri.intake.alignment`). Interpolation is linear: it invents no value outside the measured ones, whereas
    B-splines ring along the skull, and more so across slices of 5 mm. Whole numbers are rounded and stay whole numbers.
    Masks take the nearest voxel.

    Parameters
    ----------
    images : mapping
        ``T1``, ``T2`` and ``T1c``; int16 or float32.
    masks : sequence of DrawnMask
        Combined; each moves with the sequence that it was drawn on.

    Raises
    ------
    RefusedFile
        Where T1 or T2 covers less than half of the head in T1c.
    """
    images = {name: to_lps(image) for name, image in images.items()}
    grid = images["T1c"]
    head = _head_of(grid)
    gridded, movements, notes = {"T1c": grid}, dict[str, Movement](), list[str]()
    for name in ("T1", "T2"):
        movement = find_movement(grid, images[name])
        if movement is not None:
            movements[name] = movement
            notes.append(_describe_movement(name, movement))
        transform = _transform_of(movements, name)
        share = coverage(images[name], grid, head, transform)
        _refuse_apart(name, share)
        if share < FULL_COVERAGE:
            notes.append(f"{name} covers {share:.0%} of the head in T1c; the rest is black.")
        gridded[name] = resample(images[name], grid, transform)
    arrays = [_resample_mask(one.image, grid, _transform_of(movements, one.drawn_on)) for one in masks]
    mask = _combine_on(grid, arrays)
    if masks and mask is None:
        notes.append("its mask marks nothing on the T1c, and was left out.")
    return GriddedCase(gridded, mask, movements, tuple(notes))


def drawn_on(mask: sitk.Image, images: Mapping[str, sitk.Image]) -> str:
    """Return the sequence whose grid a mask has, ``T1c`` before the others and where none has it."""
    return next((name for name in ("T1c", "T1", "T2") if _same_grid(to_lps(mask), to_lps(images[name]))), "T1c")


def resample(image: sitk.Image, grid: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    """Resample linearly onto a grid; zero outside the image."""
    whole = image.GetPixelID() == sitk.sitkInt16
    resampled = sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), grid, transform, sitk.sitkLinear, 0.0)
    return sitk.Cast(sitk.Round(resampled), sitk.sitkInt16) if whole else resampled


def coverage(image: sitk.Image, grid: sitk.Image, head: np.ndarray, transform: sitk.Transform) -> float:
    """Return the share of the head's voxels on the grid that lie inside another image's field of view."""
    inside = sitk.Image(image.GetSize(), sitk.sitkUInt8) + 1
    inside.CopyInformation(image)
    covered = sitk.GetArrayFromImage(sitk.Resample(inside, grid, transform, sitk.sitkNearestNeighbor, 0))
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


def _refuse_apart(name: str, share: float) -> None:
    if share < SMALLEST_COVERAGE:
        raise RefusedFile(
            f"the {name} series covers only {share:.0%} of the head in T1c ({SMALLEST_COVERAGE:.0%} are needed): "
            "the two show different places"
        )


def _describe_movement(name: str, movement: Movement) -> str:
    return (
        f"the patient had moved between {name} and T1c, by up to {movement.moved_mm:.0f} mm "
        f"({movement.rotated_deg:.0f}°); {name} was moved back onto T1c."
    )


def _transform_of(movements: Mapping[str, Movement], name: str) -> sitk.Transform:
    return movements[name].transform if name in movements else sitk.Transform()


def _same_grid(first: sitk.Image, second: sitk.Image) -> bool:
    return first.GetSize() == second.GetSize() and all(
        np.allclose(ours, theirs, atol=GRID_TOLERANCE)
        for ours, theirs in (
            (first.GetOrigin(), second.GetOrigin()),
            (first.GetSpacing(), second.GetSpacing()),
            (first.GetDirection(), second.GetDirection()),
        )
    )


def _resample_mask(mask: sitk.Image, grid: sitk.Image, transform: sitk.Transform) -> np.ndarray:
    binary = sitk.Cast(mask != 0, sitk.sitkUInt8)
    return sitk.GetArrayFromImage(sitk.Resample(binary, grid, transform, sitk.sitkNearestNeighbor, 0))


def _combine_on(grid: sitk.Image, arrays: list[np.ndarray]) -> sitk.Image | None:
    if not arrays or not any(array.any() for array in arrays):
        return None
    mask = sitk.GetImageFromArray(np.bitwise_or.reduce(arrays))
    mask.CopyInformation(grid)
    return mask
