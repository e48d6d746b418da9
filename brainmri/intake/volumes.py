"""Read the volumes of a case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import IntakeError
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES

MASK: Final = "mask"


Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a grid lies in the patient, in coordinates that grow to the left, the back and the head (mm).

    Parameters
    ----------
    origin_mm : tuple of float
        Centre of the first voxel.
    slice_direction, row_direction, column_direction : tuple of float
        Unit vectors in which the index of a slice, a row and a column grows: the direction cosines of the grid.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, image position and image orientation.
    """

    origin_mm: Vector
    slice_direction: Vector
    row_direction: Vector
    column_direction: Vector


@dataclass(frozen=True)
class CaseVolumes:
    """The volumes of a case on one grid.

    Axes are [slice (inferior to superior), row (anterior to posterior), column (patient's right to left)]: a slice
    shown as it is follows the radiological convention.
    """

    arrays: dict[str, NDArray[Any]]
    """``T1``, ``T2`` and ``T1c``; shape (S, R, C), int16 or float32, the scanner's units."""
    mask: NDArray[np.uint8] | None
    """Shape (S, R, C), 1 inside the tumour, or None."""
    spacing_mm: tuple[float, float, float]
    """Distance of voxel centres along slices, rows and columns."""
    placement: Placement
    """Where the grid lies in the patient."""


def volume_path(folder: Path, name: str) -> Path:
    """Return the file of a sequence, or of the mask, in a case's folder."""
    return folder / f"{name}.nii.gz"


def read_volume(path: Path) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """Read a volume of the study.

    Parameters
    ----------
    path : Path
        As `volume_path` names it.

    Returns
    -------
    array : ndarray, shape (S, R, C), int16 or float32
    spacing_mm : tuple of float
        Distance of voxel centres along slices, rows and columns.

    Raises
    ------
    IntakeError
        Where the file is missing or cannot be read.
    """
    import SimpleITK as sitk  # noqa: PLC0415 - 0.3 s that a page may not need

    if not path.is_file():
        raise IntakeError(f"The volume {path} is missing. Import the case again.")
    try:
        image = sitk.ReadImage(path)
    except RuntimeError as error:
        raise IntakeError(f"The volume {path} cannot be read; the file is damaged. Import the case again.") from error
    array = sitk.GetArrayFromImage(image)
    if array.dtype not in (np.int16, np.float32):
        array = array.astype(np.int16 if array.dtype == np.uint8 else np.float32)
    column_mm, row_mm, slice_mm = image.GetSpacing()
    return array, (slice_mm, row_mm, column_mm)


def read_placement(path: Path) -> Placement:
    """Read where a volume of the study lies in the patient, from the head of its file alone.

    Raises
    ------
    IntakeError
        Where the file is missing or cannot be read.
    """
    import SimpleITK as sitk  # noqa: PLC0415 - 0.3 s that a page may not need

    reader = sitk.ImageFileReader()
    reader.SetFileName(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise IntakeError(f"The volume {path} is missing or damaged. Import the case again.") from error
    x, y, z = reader.GetOrigin()
    cosines = reader.GetDirection()  # row by row; its columns are the directions of columns, rows and slices
    column, row, slice_ = ((cosines[axis], cosines[axis + 3], cosines[axis + 6]) for axis in range(3))
    return Placement(origin_mm=(x, y, z), slice_direction=slice_, row_direction=row, column_direction=column)


def read_case(study: Study, case_id: str) -> CaseVolumes:
    """Read the three sequences of a case, and its mask where it has one.

    Raises
    ------
    IntakeError
        Where a volume is missing or cannot be read.
    """
    folder = study.case_folder(case_id)
    volumes = {name: read_volume(volume_path(folder, name)) for name in SEQUENCES}
    mask_path = volume_path(folder, MASK)
    mask = (read_volume(mask_path)[0] != 0).astype(np.uint8) if mask_path.is_file() else None
    placement = read_placement(volume_path(folder, "T1c"))
    return CaseVolumes({name: array for name, (array, _) in volumes.items()}, mask, volumes["T1c"][1], placement)
