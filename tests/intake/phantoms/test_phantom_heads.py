"""The head of a phantom: tissues where anatomy has them, at every height."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.intake.phantoms.anatomy import Head, Tissue, draw_head, draw_shape
from brainmri.intake.phantoms.coordinates import SHAPE, Coordinates, grid, smooth_noise


@pytest.fixture(scope="module")
def at() -> Coordinates:
    return grid()


@pytest.fixture(scope="module", params=range(3))
def head(request: pytest.FixtureRequest, at: Coordinates) -> Head:
    rng = np.random.default_rng([request.param, 21])
    return draw_head(draw_shape(rng), rng, skull_at=at, brain_at=at)


def share(head: Head, where: np.ndarray, *tissues: Tissue) -> float:
    return float(np.isin(head.labels[where], tissues).mean())


def test_fluid_fills_no_level_of_the_skull(head: Head, at: Coordinates) -> None:
    inside = (head.depth_mm > 3) & (at.z > -45) & (at.z < 45)
    for level in range(SHAPE[0]):
        if inside[level].any():
            assert np.mean(head.labels[level][inside[level]] == Tissue.CSF) < 0.3, at.z[level, 0, 0]


def test_grey_matter_covers_the_hemispheres_and_white_matter_fills_them(head: Head, at: Coordinates) -> None:
    hemispheres = (at.z > 0) & (at.z < 40) & (np.abs(at.x) > 8)
    ribbon = hemispheres & (head.depth_mm > 2.5) & (head.depth_mm < 4)
    assert share(head, ribbon, Tissue.GREY, Tissue.CSF) > 0.95
    assert share(head, ribbon, Tissue.GREY) > 0.6
    assert share(head, hemispheres & (head.depth_mm > 26) & (head.ventricle_mm > 3), Tissue.WHITE) > 0.6


def test_ventricles_are_two_and_alike(head: Head) -> None:
    fluid = (head.labels == Tissue.CSF) & (head.ventricle_mm < 0)
    left = fluid[:, :, SHAPE[2] // 2 + 1 :].sum()
    right = fluid[:, :, : SHAPE[2] // 2].sum()
    assert left == pytest.approx(right, rel=0.02)
    assert left * 3.0 * 1.5 * 1.5 > 2000  # mm³


def test_skull_is_a_closed_ring_under_the_scalp(head: Head, at: Coordinates) -> None:
    vault = (at.z > -10) & (head.depth_mm > -6.5) & (head.depth_mm < -1.5)
    assert share(head, vault, Tissue.SKULL) == 1
    assert share(head, (at.z > -10) & (head.depth_mm > -10) & (head.depth_mm < -7.5), Tissue.SCALP) > 0.99


def test_a_cistern_lies_between_stem_and_cerebellum(head: Head, at: Coordinates) -> None:
    angle = (np.abs(np.abs(at.x) - 22) < 4) & (np.abs(at.y - 8) < 4) & (np.abs(at.z + 40) < 5)
    assert share(head, angle, Tissue.CSF) > 0.5


def test_smooth_noise_has_mean_zero_and_deviation_one() -> None:
    field = smooth_noise(np.random.default_rng(4), 14.0)
    assert field.shape == SHAPE
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(field[:, :, 1:].ravel(), field[:, :, :-1].ravel())[0, 1] > 0.9
