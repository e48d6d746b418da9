"""A patient who moved between series is found and moved back; one who did not is left alone."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.intake.alignment import find_movement
from brainmri.intake.grid import DrawnMask, bring_to_grid

SIZE, SPACING_MM = (64, 72, 24), (3.2, 3.2, 6.0)


def head(
    contrast: tuple[float, float, float, float], movement: sitk.Transform | None = None, seed: int = 0
) -> sitk.Image:
    """Return a head of scalp, brain, ventricles and a one-sided tumour with these values, moved and noisy."""
    image = sitk.Image(SIZE, sitk.sitkFloat32)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin([-(count - 1) * spacing / 2 for count, spacing in zip(SIZE, SPACING_MM, strict=True)])
    parts = [
        ((0, 0, 0), (78, 95, 68)),
        ((0, 0, 0), (70, 87, 60)),
        ((0, 10, 5), (25, 35, 18)),
        ((40, -25, 10), (16, 16, 16)),
    ]
    axes = np.meshgrid(*[np.arange(count) for count in SIZE[::-1]], indexing="ij")[::-1]
    points = np.stack(
        [origin + axis * step for origin, axis, step in zip(image.GetOrigin(), axes, SPACING_MM, strict=True)], -1
    )
    array = np.zeros(SIZE[::-1])
    for (centre, radii), value in zip(parts, contrast, strict=True):
        array[(((points - centre) / radii) ** 2).sum(axis=-1) < 1] = value
    still = sitk.GetImageFromArray(array)
    still.CopyInformation(image)
    moved = sitk.Resample(sitk.DiscreteGaussian(still, 6.0), image, movement or sitk.Transform(), sitk.sitkLinear, 0.0)
    noisy = sitk.GetArrayFromImage(moved) + np.random.default_rng(seed).normal(0, 15, SIZE[::-1])
    result = sitk.GetImageFromArray(np.rint(np.abs(noisy)).astype(np.int16))
    result.CopyInformation(image)
    return result


T1_HEAD, T2_HEAD, T1C_HEAD = (900, 500, 150, 350), (500, 400, 1200, 900), (900, 550, 150, 1100)


def movement(angles_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*[float(np.deg2rad(angle)) for angle in angles_deg])
    transform.SetTranslation(shift_mm)
    return transform


@pytest.mark.parametrize(
    ("angles_deg", "shift_mm"), [((0, 0, 8), (0, 0, 0)), ((-6, 5, -10), (-8, 3, -15)), ((0, 0, 0), (6, 0, 0))]
)
def test_a_movement_is_found_to_a_millimetre(angles_deg: tuple, shift_mm: tuple) -> None:
    truth = movement(angles_deg, tuple(float(one) for one in shift_mm))
    found = find_movement(head(T1C_HEAD), head(T2_HEAD, truth, seed=1))
    assert found is not None
    points = 70 * np.concatenate([np.eye(3), -np.eye(3)])
    there = [truth.GetInverse().TransformPoint(point.tolist()) for point in points]
    here = [found.transform.TransformPoint(point.tolist()) for point in points]
    assert np.linalg.norm(np.array(here) - there, axis=1).max() < 1.0
    assert found.information_after > 1.1 * found.information_before


@pytest.mark.parametrize("contrast", [T1_HEAD, T2_HEAD])
def test_a_patient_who_lay_still_is_left_alone(contrast: tuple[float, float, float, float]) -> None:
    assert find_movement(head(T1C_HEAD), head(contrast, seed=2)) is None


def test_unrelated_images_are_left_alone() -> None:
    noise = head((0, 0, 0, 0), seed=3)
    assert find_movement(head(T1C_HEAD), noise) is None


def test_images_that_do_not_overlap_are_left_alone() -> None:
    far = head(T2_HEAD)
    far.SetOrigin((1000.0, 0.0, 0.0))
    assert find_movement(head(T1C_HEAD), far) is None


def test_a_mask_moves_with_the_sequence_that_it_was_drawn_on() -> None:
    shift = movement((0, 0, 0), (12.0, 0, 0))
    t1c, t2 = head(T1C_HEAD), head(T2_HEAD, shift, seed=1)
    tumour = head((0, 0, 0, 1000)) > 500
    moved = sitk.Resample(tumour, t2, shift, sitk.sitkNearestNeighbor, 0)
    gridded = bring_to_grid({"T1": head(T1_HEAD), "T2": t2, "T1c": t1c}, [DrawnMask(moved, "T2")])
    assert list(gridded.movements) == ["T2"]
    assert gridded.notes[0].startswith("the patient had moved between T2 and T1c, by up to 12 mm")
    assert gridded.mask is not None
    found, truth = (sitk.GetArrayFromImage(one) != 0 for one in (gridded.mask, tumour))
    assert (found & truth).sum() > 0.7 * (found | truth).sum()
