"""Read tumour masks from DICOM SEG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.dicom import LARGEST_VOLUME_VOXELS, orthonormal
from brainmri.intake.elements import READ_ERRORS, quiet


def read_segmentation(path: Path) -> sitk.Image:
    """Read a DICOM SEG; all of its segments count as tumour.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SimpleITK.Image
        uint8, 1 inside any segment, in patient coordinates.

    Raises
    ------
    RefusedFile
        Where it cannot be read, or its frames do not form a regular volume.
    """
    from highdicom.seg import segread  # noqa: PLC0415 - only where an archive holds masks as DICOM

    with quiet():
        try:
            segmentation = segread(path)
            _refuse_absurd(segmentation)
            volume = segmentation.get_volume(combine_segments=False, rescale_fractional=True)
        except READ_ERRORS as error:
            raise RefusedFile(f"its segmentation cannot be read ({type(error).__name__})") from error
    array = np.asarray(volume.array)
    marked = (array > 0.5 if array.dtype.kind == "f" else array != 0).any(axis=-1) if array.ndim == 4 else array != 0
    image = sitk.GetImageFromArray(np.asarray(marked, np.uint8))  # axes: slice, row, column
    affine = np.asarray(volume.affine)
    vectors = affine[:3, [2, 1, 0]]  # along columns, rows and slices
    lengths = np.linalg.norm(vectors, axis=0)
    image.SetDirection(orthonormal(vectors / lengths).ravel().tolist())
    image.SetSpacing(lengths.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def _refuse_absurd(segmentation: object) -> None:
    frames, rows, columns = (int(getattr(segmentation, key, 0)) for key in ("NumberOfFrames", "Rows", "Columns"))
    if frames * rows * columns > LARGEST_VOLUME_VOXELS:
        raise RefusedFile(f"its segmentation claims {frames} frames of {rows} × {columns} pixels, which is not read")
