"""Read the pixels of a DICOM series into a SimpleITK image in patient coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from brainmri.errors import RefusedFile
from brainmri.intake.elements import READ_ERRORS, quiet
from brainmri.intake.headers import SliceHeader
from brainmri.intake.series import normal_of

MINIMUM_SLICES: Final = 3
"""Fewer slices are no volume that others can be resampled onto."""
LARGEST_VOLUME_VOXELS: Final = 2**29
"""A series above this (a gigabyte as 16-bit integers) is refused before anything is allocated."""
SPACING_TOLERANCE: Final = 0.05
"""Largest deviation of a slice distance from the median, as a share of it."""
SPACING_TOLERANCE_MM: Final = 0.1
"""The same in mm, for thin slices whose positions are rounded."""
DUPLICATE_DISTANCE_MM: Final = 0.01
"""Two slices closer than this stand at the same place."""
SHEAR_TOLERANCE_MM: Final = 1.0
"""How far a slice may be shifted sideways against the line through the first one along the normal."""


def read_series(slices: Sequence[SliceHeader]) -> sitk.Image:
    """Read a series.

    Parameters
    ----------
    slices : sequence of SliceHeader
        One series, in any order.

    Returns
    -------
    SimpleITK.Image
        int16 where all values are whole numbers that fit, else float32; direction, origin and spacing in LPS mm.

    Raises
    ------
    RefusedFile
        Where slices are missing, doubled or uneven, or a file's pixels cannot be decoded.
    """
    ordered, spacing_mm = sort_slices(slices)
    first = ordered[0]
    voxels = len(ordered) * first.rows * first.columns
    if voxels > LARGEST_VOLUME_VOXELS:
        raise RefusedFile(f"the series has {voxels} voxels; at most {LARGEST_VOLUME_VOXELS} are read")
    _refuse_missing_codec(first.transfer_syntax)
    image = sitk.GetImageFromArray(as_stored(np.stack([_read_pixels(header) for header in ordered])))
    row_direction, column_direction = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    directions = np.column_stack([row_direction, column_direction, normal_of(first.orientation)])
    image.SetDirection(orthonormal(directions).ravel().tolist())
    image.SetOrigin(first.position_mm)
    image.SetSpacing((first.pixel_spacing_mm[1], first.pixel_spacing_mm[0], spacing_mm))
    return image


def sort_slices(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], float]:
    """Sort slices along their normal and check that they are evenly spaced.

    Returns
    -------
    list of SliceHeader
        In the direction of the normal.
    float
        Distance of slice centres in mm.

    Raises
    ------
    RefusedFile
    """
    if len(slices) < MINIMUM_SLICES:
        raise RefusedFile(f"it has only {_count(len(slices), 'slice')}; at least {MINIMUM_SLICES} are needed")
    normal = normal_of(slices[0].orientation)
    places = np.array([header.position_mm for header in slices])
    heights = places @ normal
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order])
    _refuse_duplicates(gaps, len(slices))
    spacing = float(np.median(gaps))
    _refuse_uneven(gaps, spacing)
    sideways = (places - places[order[0]]) - np.outer(heights - heights[order[0]], normal)
    shift = float(np.abs(sideways).max())
    if shift > SHEAR_TOLERANCE_MM:
        raise RefusedFile(
            f"its slices do not lie one above the other: they are shifted sideways by up to {shift:.1f} mm"
        )
    return [slices[index] for index in order], float(gaps.mean())


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers that fit as int16, everything else as float32."""
    if np.issubdtype(array.dtype, np.floating):
        return np.nan_to_num(array.astype(np.float32))
    limits = np.iinfo(np.int16)
    fits = array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max)
    return array.astype(np.int16 if fits else np.float32)


def orthonormal(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation closest to direction cosines that were rounded when they were written."""
    left, _, right = np.linalg.svd(directions)
    return np.asarray(left @ right)


def _refuse_duplicates(gaps: NDArray[np.float64], count: int) -> None:
    same = int((gaps < DUPLICATE_DISTANCE_MM).sum())
    if same:
        raise RefusedFile(
            f"{_count(same, 'slice')} of {count} stand at the place of another one: several time points or echoes "
            "under one series, which cannot be told apart"
        )


def _refuse_uneven(gaps: NDArray[np.float64], spacing: float) -> None:
    tolerance = max(SPACING_TOLERANCE * spacing, SPACING_TOLERANCE_MM)
    wrong = gaps[np.abs(gaps - spacing) > tolerance]
    if not wrong.size:
        return
    missing = np.rint(wrong / spacing) - 1
    if np.all(missing >= 1) and np.all(np.abs(wrong - (missing + 1) * spacing) <= (missing + 1) * tolerance):
        total, there = int(missing.sum()), len(gaps) + 1
        raise RefusedFile(
            f"{_count(total, 'slice')} missing: {there} of {there + total} are there, "
            f"{spacing:.2f} mm apart, with gaps of up to {wrong.max():.2f} mm"
        )
    raise RefusedFile(
        f"its slices are unevenly spaced: {gaps.min():.2f} to {gaps.max():.2f} mm apart, most of them {spacing:.2f} mm"
    )


def _refuse_missing_codec(syntax: str) -> None:
    uid = UID(syntax)
    if not uid.is_compressed:
        return
    try:
        available = get_decoder(uid).is_available
    except NotImplementedError:
        available = False
    if not available:
        package = "pylibjpeg-openjpeg" if "2000" in uid.name else "pylibjpeg-libjpeg"
        raise RefusedFile(
            f"its pixels are compressed ({uid.name}), and no decoder for that is installed: run "
            f"'pip install pylibjpeg {package}', or export the images uncompressed"
        )


def _read_pixels(header: SliceHeader) -> NDArray[Any]:
    """Read one slice in the scanner's units: (rows, columns), rescaled by its own slope (PS3.3 C.11.1)."""
    with quiet():
        try:
            dataset = dcmread(header.path, force=True)
            if "TransferSyntaxUID" not in dataset.file_meta:
                dataset.file_meta.TransferSyntaxUID = UID(header.transfer_syntax)
            pixels = dataset.pixel_array
            slope, intercept = float(dataset.get("RescaleSlope") or 1.0), float(dataset.get("RescaleIntercept") or 0.0)
        except READ_ERRORS as error:
            raise RefusedFile(f"the pixels of its file {header.path.name} cannot be decoded") from error
    if pixels.shape != (header.rows, header.columns):
        found = " × ".join(str(size) for size in pixels.shape)
        raise RefusedFile(
            f"{header.path.name} holds {found} pixels where its header says {header.rows} × {header.columns}"
        )
    if slope == 1.0 and intercept.is_integer():
        return pixels.astype(np.int32) + np.int32(intercept)
    return pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
