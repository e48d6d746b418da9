"""A head in three dimensions: labels of tissue on a common grid, in patient coordinates.

Coordinates are DICOM's, in millimetres: x to the patient's left, y to the back, z to the top; the origin is the middle
of the brain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]

SPACING_MM: Final = (3.0, 1.5, 1.5)
"""Of the common grid along z, y, x."""
ORIGIN_MM: Final = (-75.0, -105.0, -87.0)
"""Centre of the first voxel, z, y, x."""
SHAPE: Final = (53, 141, 117)


class Tissue(IntEnum):
    """What a voxel of the head is."""

    AIR = 0
    SCALP = 1
    SKULL = 2
    CSF = 3
    GREY = 4
    WHITE = 5
    DEEP_GREY = 6
    DURA = 7
    BASE = 8


@dataclass(frozen=True)
class Coordinates:
    """Patient coordinates of the grid's voxels in mm, each of `SHAPE`."""

    z: Volume
    y: Volume
    x: Volume

    def distance_mm(self, centre: tuple[float, float, float]) -> Volume:
        """Return the distance from a point given as z, y, x."""
        out: Volume = np.sqrt((self.z - centre[0]) ** 2 + (self.y - centre[1]) ** 2 + (self.x - centre[2]) ** 2)
        return out


@dataclass(frozen=True)
class HeadShape:
    """Size and habit of one head; lengths in mm."""

    half_width: float
    half_length: float
    half_height: float
    ventricle: float
    """Width of the ventricles relative to the average."""
    sulcus: float
    """Width of the sulci relative to the average: wider with age."""

    @property
    def mean_radius(self) -> float:
        """Mean of the three half axes."""
        return (self.half_width + self.half_length + self.half_height) / 3


@dataclass(frozen=True)
class Head:
    """Tissue labels and the depth below the inner table of the skull."""

    labels: NDArray[np.uint8]
    depth_mm: Volume
    """Positive inside the skull, negative outside."""
    ventricle_mm: Volume
    """Roughly the distance from the wall of the lateral ventricles."""


def grid() -> Coordinates:
    """Return the coordinates of the common grid."""
    axes = [
        start + step * np.arange(count, dtype=np.float32)
        for start, step, count in zip(ORIGIN_MM, SPACING_MM, SHAPE, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return Coordinates(z, y, x)


def draw_shape(rng: np.random.Generator) -> HeadShape:
    """Draw the shape of a head."""
    return HeadShape(
        half_width=float(rng.normal(66, 2.5)),
        half_length=float(rng.normal(83, 3)),
        half_height=float(rng.normal(64, 2)),
        ventricle=float(rng.uniform(0.75, 1.45)),
        sulcus=float(rng.uniform(0.7, 1.4)),
    )


def smooth_noise(rng: np.random.Generator, wavelength_mm: float) -> Volume:
    """Return a smooth random field on the grid, of mean 0 and standard deviation 1.

    White noise on a coarse grid, spread by a Gaussian along each axis in turn: three matrix products.
    """
    spreads = [_spread(count, step, wavelength_mm / 2) for count, step in zip(SHAPE, SPACING_MM, strict=True)]
    coarse = rng.normal(size=[spread.shape[1] for spread in spreads]).astype(np.float32)
    field: Volume = np.einsum("zc,cba->zba", spreads[0], coarse)
    field = np.einsum("yb,zba->zya", spreads[1], field, optimize=True)
    field = field @ spreads[2].T
    field -= field.mean()
    return field / field.std()


def _spread(count: int, step_mm: float, cell_mm: float) -> Volume:
    """Return the weights, shape (count, cells), by which coarse values reach the voxels of an axis."""
    position = np.arange(count) * step_mm / cell_mm + 1
    cells = np.arange(int(np.ceil(position[-1])) + 2)
    weights: Volume = np.exp(-0.5 * ((position[:, None] - cells) / 0.55) ** 2).astype(np.float32)
    return weights


def push_away(at: Coordinates, centre: tuple[float, float, float], *, reach_mm: float, amount_mm: float) -> Coordinates:
    """Return the coordinates at which to read the anatomy so that it gives way around a mass.

    Tissue near the centre moves outwards by up to ``amount_mm``; the effect fades over ``reach_mm``.
    """
    distance = np.maximum(at.distance_mm(centre), 1.0)
    pull = (amount_mm * np.exp(-((distance / reach_mm) ** 2)) / distance).astype(np.float32)
    return Coordinates(
        at.z - (at.z - centre[0]) * pull, at.y - (at.y - centre[1]) * pull, at.x - (at.x - centre[2]) * pull
    )


def relative_radius(at: Coordinates, shape: HeadShape) -> Volume:
    """Return the distance from the middle, 1 at the inner table of the skull; flatter at the base."""
    height = np.where(at.z > 0, shape.half_height, shape.half_height * 1.02)
    out: Volume = np.sqrt(
        (at.x / shape.half_width) ** 2 + (at.y / shape.half_length) ** 2 + (at.z / height) ** 2
    ).astype(np.float32)
    return out


def draw_head(shape: HeadShape, rng: np.random.Generator, *, skull_at: Coordinates, brain_at: Coordinates) -> Head:
    """Draw a head.

    Parameters
    ----------
    shape : HeadShape
    rng : numpy.random.Generator
        Of the cortical folds.
    skull_at : Coordinates
        Where to read skull and scalp.
    brain_at : Coordinates
        Where to read the brain: displaced where a mass pushes it.
    """
    depth = (1 - relative_radius(skull_at, shape)) * shape.mean_radius
    folds, sulci = smooth_noise(rng, 26.0), smooth_noise(rng, 19.0)
    labels = np.full(SHAPE, Tissue.AIR, np.uint8)
    labels[depth > -12 + 0.6 * folds] = Tissue.SCALP
    labels[depth > -7] = Tissue.SKULL
    labels[depth > -1.2] = Tissue.DURA
    labels[depth > 0] = Tissue.CSF
    brain = (depth > 1.6 * shape.sulcus) & _brain_parts(brain_at)
    _draw_cortex(labels, brain, depth, folds, sulci, shape)
    _draw_base(labels, depth, brain, brain_at)
    _draw_cerebellum(labels, brain, brain_at, folds)
    _draw_deep_grey(labels, brain, brain_at)
    _draw_fissure(labels, brain, depth, brain_at, folds, shape)
    wall = _draw_ventricles(labels, brain, brain_at, shape)
    return Head(labels, depth, wall)


def _brain_parts(at: Coordinates) -> NDArray[np.bool_]:
    """Hemispheres above the base; temporal lobes, cerebellum and brain stem below it."""
    mirrored = Coordinates(at.z, at.y, np.abs(at.x))
    temporal = _ellipsoid(mirrored, (-26, -4, 44), (26, 38, 24))
    return (at.z > -20) | temporal | _cerebellum(at) | _brain_stem(at)


def _cerebellum(at: Coordinates) -> NDArray[np.bool_]:
    return _ellipsoid(at, (-42, 42, 0), (23, 33, 50))


def _brain_stem(at: Coordinates) -> NDArray[np.bool_]:
    return _ellipsoid(at, (-40, 8, 0), (45, 14, 15)) & (at.z < -8)


def _ellipsoid(
    at: Coordinates, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (
        ((at.z - centre[0]) / radii[0]) ** 2
        + ((at.y - centre[1]) / radii[1]) ** 2
        + ((at.x - centre[2]) / radii[2]) ** 2
    ) < 1
    return inside


def _draw_cortex(
    labels: NDArray[np.uint8],
    brain: NDArray[np.bool_],
    depth: Volume,
    folds: Volume,
    sulci: Volume,
    shape: HeadShape,
) -> None:
    """White matter, under a ribbon of grey matter that follows the sulci inwards."""
    labels[brain] = Tissue.WHITE
    below = np.clip(depth / 22, 0, 1)  # sulci narrow with depth
    grey = (depth < 6 + 0.8 * folds) | (np.abs(sulci) < 1.0 * (1 - below))
    labels[brain & grey] = Tissue.GREY
    labels[brain & (np.abs(sulci) < 0.22 * shape.sulcus * (1 - below)) & (depth < 17)] = Tissue.CSF


def _draw_base(labels: NDArray[np.uint8], depth: Volume, brain: NDArray[np.bool_], at: Coordinates) -> None:
    """Bone of the skull's base in front of and beside the stem, where there is no brain."""
    labels[(depth > 0) & (at.z < -22) & ~brain & ~_ellipsoid(at, (-40, 25, 0), (60, 30, 38))] = Tissue.BASE


def _draw_cerebellum(labels: NDArray[np.uint8], brain: NDArray[np.bool_], at: Coordinates, folds: Volume) -> None:
    """Thin folia around a white core; the fourth ventricle."""
    cerebellum = brain & _cerebellum(at) & (at.z < -20)
    leaves = np.sin(at.z * 0.9 + at.y * 0.55 + 1.2 * folds) > -0.1
    labels[cerebellum] = np.where(leaves, Tissue.GREY, Tissue.WHITE)[cerebellum]
    labels[cerebellum & _ellipsoid(at, (-42, 40, 0), (10, 16, 26))] = Tissue.WHITE
    labels[brain & _brain_stem(at) & (at.z < -12)] = Tissue.WHITE
    labels[brain & _ellipsoid(at, (-40, 24, 0), (11, 4.5, 7))] = Tissue.CSF


def _draw_deep_grey(labels: NDArray[np.uint8], brain: NDArray[np.bool_], at: Coordinates) -> None:
    """Thalamus, putamen with globus pallidus, head of the caudate nucleus."""
    mirrored = Coordinates(at.z, at.y, np.abs(at.x))
    for centre, radii in (
        ((0.0, 12.0, 11.0), (9.0, 14.0, 8.0)),
        ((0.0, -6.0, 25.0), (10.0, 17.0, 6.0)),
        ((9.0, -24.0, 13.0), (10.0, 9.0, 5.0)),
    ):
        labels[brain & _ellipsoid(mirrored, centre, radii)] = Tissue.DEEP_GREY


def _draw_fissure(
    labels: NDArray[np.uint8],
    brain: NDArray[np.bool_],
    depth: Volume,
    at: Coordinates,
    folds: Volume,
    shape: HeadShape,
) -> None:
    """The fissure between the hemispheres, lined with cortex, and the Sylvian fissures."""
    above_callosum = np.clip(np.maximum((at.z - 22) / 8, (np.abs(at.y) - 42) / 12 - 2 * (at.z < -18)), 0, 1)
    middle = np.abs(at.x + 0.8 * folds)
    labels[brain & (middle < 4.5 * above_callosum)] = Tissue.GREY
    labels[brain & (middle < 1.1 * shape.sulcus * above_callosum)] = Tissue.CSF
    height = np.abs(at.z + 4 + 0.3 * at.y + 2 * folds)
    inwards = np.clip(1 - (depth - 12) / 16, 0, 1) * np.clip(1.6 - np.abs(at.y + 10) / 22, 0, 1)
    lateral = brain & (np.abs(at.x) > 28)
    labels[lateral & (height < 6 * inwards)] = Tissue.GREY
    labels[lateral & (height < 1.5 * shape.sulcus * inwards)] = Tissue.CSF


def _draw_ventricles(labels: NDArray[np.uint8], brain: NDArray[np.bool_], at: Coordinates, shape: HeadShape) -> Volume:
    """Lateral ventricles with frontal and occipital horns, and the third; return the distance from their wall."""
    side = np.abs(at.x)
    along = at.y / 46  # -1 at the frontal, 1 at the occipital end
    middle_x = 7 + 9 * np.clip(along, 0, 1) ** 1.5 + 6 * np.clip(-along - 0.35, 0, 1)
    middle_z = 12 - 11 * np.clip(along, 0, 1) ** 2 - 3 * np.clip(-along - 0.3, 0, 1)
    width = shape.ventricle * (4.5 + 2.0 * np.clip(-along, 0, 1) + 1.5 * np.clip(along - 0.3, 0, 1))
    height = shape.ventricle**0.5 * (8.5 - 2.5 * np.abs(along))
    across = np.sqrt(((side - middle_x) / width) ** 2 + ((at.z - middle_z) / height) ** 2 + np.clip(along, -2, 2) ** 4)
    labels[brain & (across < 1) & (side > 1.2)] = Tissue.CSF
    third = (side < 2.0 * shape.ventricle) & (np.abs(at.y - 6) < 14) & (np.abs(at.z + 6) < 9)
    labels[brain & third] = Tissue.CSF
    wall: Volume = ((across - 1) * 7).astype(np.float32)
    return wall
