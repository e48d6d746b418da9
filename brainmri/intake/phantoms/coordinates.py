"""The common grid on which a head is drawn, in patient coordinates, and shapes and noise on it.

Coordinates are DICOM's, in millimetres: x to the patient's left, y to the back, z to the top; the origin is the middle
of the brain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]

SPACING_MM: Final = (3.0, 1.5, 1.5)
"""Of the common grid along z, y, x."""
ORIGIN_MM: Final = (-75.0, -105.0, -87.0)
"""Centre of the first voxel, z, y, x."""
SHAPE: Final = (53, 141, 117)


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


def grid() -> Coordinates:
    """Return the coordinates of the common grid."""
    axes = [
        start + step * np.arange(count, dtype=np.float32)
        for start, step, count in zip(ORIGIN_MM, SPACING_MM, SHAPE, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return Coordinates(z, y, x)


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


def quadric(at: Coordinates, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Volume:
    """Return the squared distance from an ellipsoid's centre, 1 on its surface; points and radii as z, y, x."""
    return (
        ((at.z - centre[0]) / radii[0]) ** 2
        + ((at.y - centre[1]) / radii[1]) ** 2
        + ((at.x - centre[2]) / radii[2]) ** 2
    )


def ellipsoid(
    at: Coordinates, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Return where the inside of an ellipsoid is."""
    return quadric(at, centre, radii) < 1


def distance(at: Coordinates, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Volume:
    """Return roughly the distance from an ellipsoid, negative inside."""
    out: Volume = (np.sqrt(quadric(at, centre, radii)) - 1) * np.float32(min(radii))
    return out
