"""A head in three dimensions: labels of tissue on the common grid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from brainmri.intake.phantoms.coordinates import (
    SHAPE,
    Coordinates,
    Volume,
    distance,
    ellipsoid,
    smooth_noise,
)


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
    """Roughly the distance from the wall of the lateral ventricles; 99 far from them."""


def draw_shape(rng: np.random.Generator) -> HeadShape:
    """Draw the shape of a head."""
    return HeadShape(
        half_width=float(rng.normal(66, 2.5)),
        half_length=float(rng.normal(83, 3)),
        half_height=float(rng.normal(64, 2)),
        ventricle=float(rng.uniform(0.75, 1.45)),
        sulcus=float(rng.uniform(0.7, 1.4)),
    )


def relative_radius(at: Coordinates, shape: HeadShape) -> Volume:
    """Return the distance from the middle, 1 at the inner table of the skull; longer towards the neck."""
    height = np.where(at.z > 0, shape.half_height, shape.half_height * 1.25)
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
    radius = relative_radius(skull_at, shape)
    depth = (1 - radius) * shape.mean_radius
    folds, sulci = smooth_noise(rng, 26.0), smooth_noise(rng, 19.0)
    labels = np.full(SHAPE, Tissue.AIR, np.uint8)
    labels[depth > -12 + 0.6 * folds] = Tissue.SCALP
    labels[depth > -7] = Tissue.SKULL
    labels[depth > -1.2] = Tissue.DURA
    labels[depth > 0] = Tissue.CSF
    outside = _outside_brain(brain_at, folds)
    brain = (depth > 1.6 * shape.sulcus) & (outside < 0)
    labels[(depth > 0) & (outside > 2.5) & ~_cisterns(brain_at)] = Tissue.BASE
    _draw_face(labels, depth, brain, skull_at)
    _draw_cortex(labels, brain, depth, outside, folds, sulci, shape)
    _draw_cerebellum(labels, brain, brain_at, folds)
    _draw_deep_grey(labels, brain, brain_at)
    _draw_fissure(labels, brain, depth, brain_at, folds, shape)
    wall = _draw_ventricles(labels, brain, brain_at, shape)
    return Head(labels, depth, wall)


def _outside_brain(at: Coordinates, folds: Volume) -> Volume:
    """Return roughly the distance in mm from the brain's lower surface; negative in the brain.

    Hemispheres on a floor of orbits in front and tentorium behind; temporal lobes, cerebellum, brain stem below it.
    """
    y, x = at.y, np.abs(at.x)
    tentorium = -42 + 22 * np.sqrt(np.clip(1 - ((y - 42) / 34) ** 2 - (x / 50) ** 2, 0.05, 1))
    front = np.clip((-y - 16) / 30, 0, 1)
    orbits = -19 + front * (3 + 5 * np.exp(-(((x - 26) / 13) ** 2))) + 1.2 * folds
    behind = np.clip((y - 2) / 18, 0, 1)
    floor = behind * tentorium + (1 - behind) * orbits
    mirrored = Coordinates(at.z, y, x)
    out: Volume = np.minimum.reduce(
        [
            1.8 * (floor - at.z),  # a thin layer of fluid
            distance(mirrored, (-24, -6, 41), (24, 36, 23)),
            distance(at, (-42, 42, 0), (22, 34, 50)),
            np.maximum(distance(at, (-40, 8, 0), (60, 13, 15)), at.z + 8),
        ]
    )
    return out


def _cisterns(at: Coordinates) -> NDArray[np.bool_]:
    """Fluid around the stem, in the cerebellopontine angles, and above the sella."""
    return ellipsoid(at, (-38, 11, 0), (30, 17, 29)) | ellipsoid(at, (-19, -9, 0), (7, 11, 13))


def _cerebellum(at: Coordinates) -> NDArray[np.bool_]:
    return ellipsoid(at, (-42, 42, 0), (22, 34, 50))


def _brain_stem(at: Coordinates) -> NDArray[np.bool_]:
    return ellipsoid(at, (-40, 8, 0), (60, 13, 15)) & (at.z < -8)


def _draw_face(labels: NDArray[np.uint8], depth: Volume, brain: NDArray[np.bool_], at: Coordinates) -> None:
    """Orbits with fat and eyes, air in the nose, dark petrous bone; no ring of skull in front of them."""
    mirrored = Coordinates(at.z, at.y, np.abs(at.x))
    labels[(depth > -7) & (depth <= 0) & (at.z < -24) & (at.y < -30)] = Tissue.BASE
    free = (depth > -6) & ~brain & (at.z < -14)
    labels[free & ellipsoid(mirrored, (-34, -44, 27), (15, 26, 16))] = Tissue.SCALP
    labels[free & ellipsoid(mirrored, (-34, -55, 29), (12, 12, 12))] = Tissue.CSF
    labels[free & ellipsoid(mirrored, (-34, -36, 22), (2.5, 14, 2.5))] = Tissue.GREY
    labels[free & ellipsoid(mirrored, (-46, -48, 6), (22, 26, 5))] = Tissue.AIR
    labels[free & ellipsoid(mirrored, (-44, 6, 47), (9, 9, 20))] = Tissue.SKULL


def _draw_cortex(
    labels: NDArray[np.uint8],
    brain: NDArray[np.bool_],
    depth: Volume,
    outside: Volume,
    folds: Volume,
    sulci: Volume,
    shape: HeadShape,
) -> None:
    """White matter, under a ribbon of grey matter that follows the sulci inwards."""
    labels[brain] = Tissue.WHITE
    below = np.clip(depth / 22, 0, 1)  # sulci narrow with depth
    surface = (depth < 6 + 0.8 * folds) | ((outside > -4) & (depth < 40))
    labels[brain & (surface | (np.abs(sulci) < 1.0 * (1 - below)))] = Tissue.GREY
    labels[brain & (np.abs(sulci) < 0.22 * shape.sulcus * (1 - below)) & (depth < 17)] = Tissue.CSF


def _draw_cerebellum(labels: NDArray[np.uint8], brain: NDArray[np.bool_], at: Coordinates, folds: Volume) -> None:
    """Thin folia around a white core; the fourth ventricle."""
    cerebellum = brain & _cerebellum(at) & (at.z < -17)
    leaves = np.sin(at.z * 0.9 + at.y * 0.55 + 1.2 * folds) > -0.1
    labels[cerebellum] = np.where(leaves, Tissue.GREY, Tissue.WHITE)[cerebellum]
    labels[cerebellum & ellipsoid(at, (-42, 40, 0), (10, 16, 26))] = Tissue.WHITE
    labels[brain & _brain_stem(at) & (at.z < -12)] = Tissue.WHITE
    labels[brain & ellipsoid(at, (-40, 24, 0), (11, 4.5, 7))] = Tissue.CSF


def _draw_deep_grey(labels: NDArray[np.uint8], brain: NDArray[np.bool_], at: Coordinates) -> None:
    """Thalamus, putamen with globus pallidus, head of the caudate nucleus."""
    mirrored = Coordinates(at.z, at.y, np.abs(at.x))
    for centre, radii in (
        ((0.0, 12.0, 11.0), (9.0, 14.0, 8.0)),
        ((0.0, -6.0, 25.0), (10.0, 17.0, 6.0)),
        ((9.0, -24.0, 13.0), (10.0, 9.0, 5.0)),
    ):
        labels[brain & ellipsoid(mirrored, centre, radii)] = Tissue.DEEP_GREY


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
    third = ellipsoid(at, (-6, 6, 0), (11, 16, 2.6 * shape.ventricle))
    labels[brain & third] = Tissue.CSF
    near = (np.abs(at.y) < 62) & (np.abs(at.x) < 42) & (np.abs(at.z - 8) < 26)
    z, y, side = at.z[near], at.y[near], np.abs(at.x[near])
    along = y / 46  # -1 at the frontal, 1 at the occipital end
    middle_x = 7 + 9 * np.clip(along, 0, 1) ** 1.5 + 6 * np.clip(-along - 0.35, 0, 1)
    middle_z = 12 - 11 * np.clip(along, 0, 1) ** 2 - 3 * np.clip(-along - 0.3, 0, 1)
    width = shape.ventricle * (4.5 + 2.0 * np.clip(-along, 0, 1) + 1.5 * np.clip(along - 0.3, 0, 1))
    height = shape.ventricle**0.5 * (8.5 - 2.5 * np.abs(along))
    across = np.sqrt(((side - middle_x) / width) ** 2 + ((z - middle_z) / height) ** 2 + along**4)
    inside = np.zeros(SHAPE, bool)
    inside[near] = (across < 1) & (side > 1.2)
    labels[brain & inside] = Tissue.CSF
    wall = np.full(SHAPE, 99.0, np.float32)
    wall[near] = (across - 1) * 7
    return wall
