"""Where a stored volume lies in the patient."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.errors import IntakeError
from brainmri.intake.volumes import read_placement

TURNED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
"""Direction cosines of a grid turned by 37 degrees about the axis of the body, row by row."""


def test_a_turned_grid_keeps_its_origin_and_direction_cosines(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.zeros((4, 5, 6), np.int16))
    image.SetSpacing((0.5, 0.75, 5.0))
    image.SetOrigin((-80.0, -95.5, 12.25))
    image.SetDirection(TURNED)
    sitk.WriteImage(image, tmp_path / "T1c.nii.gz")
    placement = read_placement(tmp_path / "T1c.nii.gz")
    assert placement.origin_mm == pytest.approx((-80.0, -95.5, 12.25))
    step = {"column_direction": (1, 0, 0), "row_direction": (0, 1, 0), "slice_direction": (0, 0, 1)}
    for name, index in step.items():
        moved = np.subtract(image.TransformIndexToPhysicalPoint(index), image.GetOrigin())
        assert getattr(placement, name) == pytest.approx(moved / np.linalg.norm(moved), abs=1e-6), name


def test_a_missing_volume_has_no_place(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="is missing or damaged"):
        read_placement(tmp_path / "T1c.nii.gz")
