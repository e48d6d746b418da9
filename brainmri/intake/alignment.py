"""Correct for a patient who moved between series: a rigid movement, found only where it is large and sure.

Scanner coordinates say where the table was, not where the head was. Of the public patient that this was tried on (an
hour between T2 and T1c) they put T2 16 mm and 8° beside T1c. Where the coordinates are right within `SMALLEST_MOVE_MM`,
nothing is changed.

References
----------
Mattes et al. 2003, doi:10.1109/TMI.2003.809072 (mutual information of images in different contrasts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import SimpleITK as sitk

from brainmri.intake.dicom import orthonormal

COARSE_MM: Final = 6.0
"""Voxel of the first estimate, about 0.12 s for a head: enough to see whether there is anything to correct."""
FINE_MM: Final = 4.0
"""Voxel of the final estimate, about 0.7 s; on drawn heads it errs by less than 0.5 mm."""
SMALLEST_MOVE_MM: Final = 2.0
"""Smaller movements are left alone: they are within the error of the estimate and the thickness of a slice."""
LARGEST_MOVE_MM: Final = 60.0
"""Larger ones are a failed estimate, or other body parts."""
SMALLEST_INFORMATION: Final = 0.2
"""Mutual information (nat) of aligned series; heads have 0.6 and more, unrelated images less than 0.1."""
SMALLEST_GAIN: Final = 0.1
"""Share by which the movement must raise the mutual information."""
HEAD_RADIUS_MM: Final = 70.0
"""Movement is measured at this distance from the centre."""
SMALLEST_EXTENT_MM: Final = (50.0, 100.0, 100.0)
"""Smaller fields of view, sorted, hold too little of a head to be aligned."""

_BINS: Final = 32
_STEPS: Final = 200


@dataclass(frozen=True)
class Movement:
    """How a series is moved onto the T1c, and what that gains."""

    transform: sitk.Euler3DTransform
    """From points of the T1c to points of the series."""
    moved_mm: float
    """Largest displacement of a point at the head's surface."""
    rotated_deg: float
    information_before: float
    information_after: float


def find_movement(fixed: sitk.Image, moving: sitk.Image) -> Movement | None:
    """Find how a head moved between two series.

    The estimate starts at the scanner's coordinates and uses no random numbers. Geometry is rounded before, and the
    movement after, so that one image from DICOM and from NIfTI is moved alike.

    Parameters
    ----------
    fixed, moving : SimpleITK.Image
        T1c, and T1 or T2; int16 or float32.

    Returns
    -------
    Movement or None
        None where the coordinates are right, or nothing better is found for sure.
    """
    if not (_shows_a_head(fixed) and _shows_a_head(moving)):
        return None
    try:
        coarse = _shrink(fixed, COARSE_MM), _shrink(moving, COARSE_MM)
        rough = _estimate(*coarse, np.zeros(6), smallest_step_mm=0.1)
        if _displacement(rough) < SMALLEST_MOVE_MM:
            return None
        if _measure(*coarse, rough).information_after < SMALLEST_INFORMATION / 2:
            return None  # nothing in common: the estimate would wander on
        better = _estimate(*coarse, rough, smallest_step_mm=0.1)  # a second start at full step: the first stops early
        fine = _shrink(fixed, FINE_MM), _shrink(moving, FINE_MM)
        movement = _measure(*fine, _rounded(_estimate(*fine, better, smallest_step_mm=0.02)))
    except RuntimeError:  # SimpleITK: the two do not overlap at all
        return None
    return movement if _is_sure(movement) else None


def _is_sure(movement: Movement) -> bool:
    return (
        SMALLEST_MOVE_MM <= movement.moved_mm <= LARGEST_MOVE_MM
        and movement.information_after >= SMALLEST_INFORMATION
        and movement.information_after >= (1 + SMALLEST_GAIN) * movement.information_before
    )


def _shows_a_head(image: sitk.Image) -> bool:
    extents = sorted(count * spacing for count, spacing in zip(image.GetSize(), image.GetSpacing(), strict=True))
    return all(extent >= smallest for extent, smallest in zip(extents, SMALLEST_EXTENT_MM, strict=True))


def _shrink(image: sitk.Image, voxel_mm: float) -> sitk.Image:
    """Return block means of about this size, without the brightest hundredth, on a grid of rounded geometry."""
    factors = [max(1, round(voxel_mm / spacing)) for spacing in image.GetSpacing()]
    small = sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors)
    array = sitk.GetArrayFromImage(small)
    plain = sitk.GetImageFromArray(np.clip(array, 0, np.percentile(array, 99)))
    directions = np.round(np.array(small.GetDirection()).reshape(3, 3), 4)
    plain.SetDirection(orthonormal(directions).ravel().tolist())
    plain.SetSpacing([round(value, 4) for value in small.GetSpacing()])
    plain.SetOrigin([round(value, 2) for value in small.GetOrigin()])
    return plain


def _estimate(fixed: sitk.Image, moving: sitk.Image, start: np.ndarray, *, smallest_step_mm: float) -> np.ndarray:
    """Return three angles (radian) and three shifts (mm) that raise the mutual information."""
    method = _method(_transform(fixed, start))
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0,
        minStep=smallest_step_mm,
        numberOfIterations=_STEPS,
        relaxationFactor=0.8,
        gradientMagnitudeTolerance=1e-6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    found = method.Execute(fixed, moving)
    return np.array(sitk.CompositeTransform(found).GetBackTransform().GetParameters())


def _measure(fixed: sitk.Image, moving: sitk.Image, parameters: np.ndarray) -> Movement:
    transform = _transform(fixed, parameters)
    still = _transform(fixed, np.zeros(6))
    return Movement(
        transform=transform,
        moved_mm=_displacement(parameters),
        rotated_deg=float(np.rad2deg(np.linalg.norm(parameters[:3]))),
        information_before=-_method(still).MetricEvaluate(fixed, moving),
        information_after=-_method(transform).MetricEvaluate(fixed, moving),
    )


def _method(start: sitk.Transform) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums of several threads differ in the last digits
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(start, inPlace=False)
    return method


def _transform(fixed: sitk.Image, parameters: np.ndarray) -> sitk.Euler3DTransform:
    """Return the rigid movement about the centre of the fixed image."""
    transform = sitk.Euler3DTransform()
    centre = fixed.TransformContinuousIndexToPhysicalPoint([(count - 1) / 2 for count in fixed.GetSize()])
    transform.SetCenter([round(value) for value in centre])
    transform.SetParameters([float(value) for value in parameters])
    return transform


def _rounded(parameters: np.ndarray) -> np.ndarray:
    """Round angles to 0.05° and shifts to 0.1 mm: a tenth of a millimetre at the head's surface."""
    angles = np.deg2rad(np.round(np.rad2deg(parameters[:3]) / 0.05) * 0.05)
    return np.concatenate([angles, np.round(parameters[3:], 1)])


def _displacement(parameters: np.ndarray) -> float:
    """Return the largest displacement in mm of six points at the head's surface."""
    transform = sitk.Euler3DTransform()
    transform.SetParameters([float(value) for value in parameters])
    points = HEAD_RADIUS_MM * np.concatenate([np.eye(3), -np.eye(3)])
    return max(float(np.linalg.norm(np.array(transform.TransformPoint(point.tolist())) - point)) for point in points)
