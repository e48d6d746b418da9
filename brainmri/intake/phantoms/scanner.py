"""A scanner of its own for every patient: geometry, contrast, bias field and noise of each sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from brainmri.intake.phantoms.coordinates import ORIGIN_MM, SPACING_MM, Volume

MODELS: Final = (("Phantom 1.5T A", 1.5), ("Phantom 1.5T B", 1.5), ("Phantom 3T A", 3.0), ("Phantom 3T B", 3.0))


@dataclass(frozen=True)
class Geometry:
    """The grid of one series, in DICOM's patient coordinates (x, y, z)."""

    matrix: int
    slices: int
    pixel_mm: float
    slice_distance_mm: float
    slice_thickness_mm: float
    direction: tuple[float, ...]
    """Nine numbers by rows; the columns are the directions of columns, rows and slices."""
    origin_mm: tuple[float, float, float]

    def reference(self) -> sitk.Image:
        """Return an empty image on this grid."""
        image = sitk.Image(self.matrix, self.matrix, self.slices, sitk.sitkFloat32)
        image.SetSpacing((self.pixel_mm, self.pixel_mm, self.slice_distance_mm))
        image.SetDirection(self.direction)
        image.SetOrigin(self.origin_mm)
        return image


@dataclass(frozen=True)
class Contrast:
    """How one series turns signal into pixel values."""

    repetition_time_ms: float
    echo_time_ms: float
    gain: float
    gamma: float
    blur_mm: float
    noise: float
    """Standard deviation of the noise in each of the two channels, relative to the brightest tissue."""
    bias: tuple[float, ...]
    """Nine coefficients of a smooth field over the image."""


@dataclass(frozen=True)
class Scanner:
    """One scanner and the way it is run for one patient."""

    model: str
    field_strength_t: float
    habit: int
    """Whose way of naming series this is."""
    tilt_degrees: tuple[float, float]
    matrix: int
    field_of_view_mm: float
    slice_distance_mm: float
    noise: float
    bias: float
    blur_mm: float


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw a scanner and its habits."""
    model, field_strength = MODELS[int(rng.integers(len(MODELS)))]
    return Scanner(
        model=model,
        field_strength_t=field_strength,
        habit=int(rng.integers(4)),
        tilt_degrees=(float(rng.uniform(-12, 12)), float(rng.uniform(-4, 4))),
        matrix=int(rng.choice((128, 144, 160))),
        field_of_view_mm=float(rng.uniform(215, 240)),
        slice_distance_mm=float(rng.uniform(5.2, 6.5)),
        noise=float(np.exp(rng.normal(-3.5, 0.35))),
        bias=float(rng.uniform(0.05, 0.22)),
        blur_mm=float(rng.uniform(0.3, 0.9)),
    )


def draw_geometry(scanner: Scanner, rng: np.random.Generator) -> Geometry:
    """Draw the grid of a series: the patient's usual one, a little different each time."""
    tilt = np.radians(np.array(scanner.tilt_degrees) + rng.normal(0, 0.8, 2))
    about_x, about_y = tilt
    rotate_x = np.array([[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]])
    rotate_y = np.array([[np.cos(about_y), 0, np.sin(about_y)], [0, 1, 0], [-np.sin(about_y), 0, np.cos(about_y)]])
    direction = rotate_x @ rotate_y
    matrix = scanner.matrix + int(rng.choice((-16, 0, 0)))
    distance = round(scanner.slice_distance_mm + float(rng.choice((0.0, 0.0, 0.5))), 2)
    pixel = round(scanner.field_of_view_mm / matrix, 5)
    slices = int(np.ceil(132 / distance))
    extent = np.array([(matrix - 1) * pixel, (matrix - 1) * pixel, (slices - 1) * distance])
    middle = np.array([0.0, 0.0, 6.0]) + rng.normal(0, 2.0, 3)
    origin = middle - direction @ (extent / 2)
    return Geometry(
        matrix=matrix,
        slices=slices,
        pixel_mm=pixel,
        slice_distance_mm=distance,
        slice_thickness_mm=round(distance * 0.85, 1),
        direction=tuple(direction.ravel().tolist()),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
    )


def draw_contrast(scanner: Scanner, sequence: str, rng: np.random.Generator) -> Contrast:
    """Draw times and image quality of a series."""
    t2 = sequence == "T2"
    return Contrast(
        repetition_time_ms=round(float(rng.uniform(3800, 5600) if t2 else rng.uniform(450, 680)), 1),
        echo_time_ms=round(float(rng.uniform(88, 112) if t2 else rng.uniform(8, 15)), 1),
        gain=float(np.exp(rng.normal(0, 0.12))),
        gamma=float(np.exp(rng.normal(0, 0.13))),
        blur_mm=scanner.blur_mm * float(rng.uniform(0.8, 1.2)),
        noise=scanner.noise * float(rng.uniform(0.8, 1.25)),
        bias=tuple((scanner.bias * rng.normal(size=9)).tolist()),
    )


def on_common_grid(volume: NDArray[np.generic]) -> sitk.Image:
    """Return a volume of the common grid as an image in patient coordinates."""
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing(tuple(reversed(SPACING_MM)))
    image.SetOrigin(tuple(reversed(ORIGIN_MM)))
    return image


def acquire(signal: Volume, geometry: Geometry, contrast: Contrast, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Measure a signal: thick slices, blur, bias field, contrast, Rician noise, whole numbers.

    Parameters
    ----------
    signal : ndarray of the common grid's shape, float32
        Relative to the brightest tissue.
    geometry, contrast
        Of the series.
    rng : numpy.random.Generator
        Of the noise.

    Returns
    -------
    ndarray, shape (slices, matrix, matrix), uint16
        12-bit pixel values.

    References
    ----------
    Noise of magnitude images: Gudbjartsson & Patz 1995, "The Rician distribution of noisy MRI data",
    Magn Reson Med 34:910, doi:10.1002/mrm.1910340618.
    """
    through = 0.29 * geometry.slice_thickness_mm  # standard deviation of a box as wide as the slice
    sigma_mm = (through, contrast.blur_mm, contrast.blur_mm)
    blurred = gaussian_filter(signal, [mm / step for mm, step in zip(sigma_mm, SPACING_MM, strict=True)], truncate=2.5)
    image = sitk.Resample(on_common_grid(blurred), geometry.reference(), sitk.Transform(), sitk.sitkLinear, 0.0)
    measured = sitk.GetArrayFromImage(image) ** contrast.gamma * contrast.gain * _bias_field(geometry, contrast)
    real = measured + rng.normal(0, contrast.noise, measured.shape)
    imaginary = rng.normal(0, contrast.noise, measured.shape)
    magnitude = np.hypot(real, imaginary)
    return np.clip(np.rint(magnitude * 1000), 0, 4095).astype(np.uint16)


def acquire_mask(mask: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.uint8]:
    """Return the tumour on the grid of a series: voxels at least half filled.

    Returns
    -------
    ndarray, shape (slices, matrix, matrix), uint8, 0 or 1
    """
    image = on_common_grid(mask.astype(np.float32))
    sampled = sitk.Resample(image, geometry.reference(), sitk.Transform(), sitk.sitkLinear, 0.0)
    return (sitk.GetArrayFromImage(sampled) >= 0.5).astype(np.uint8)


def _bias_field(geometry: Geometry, contrast: Contrast) -> Volume:
    """Return a smooth field of quadratic order, around 1."""
    z, y, x = np.meshgrid(
        np.linspace(-1, 1, geometry.slices),
        np.linspace(-1, 1, geometry.matrix),
        np.linspace(-1, 1, geometry.matrix),
        indexing="ij",
        sparse=True,
    )
    terms = (x, y, z, x * x - 0.33, y * y - 0.33, z * z - 0.33, x * y, y * z, x * z)
    field: Volume = np.exp(sum(c * term for c, term in zip(contrast.bias, terms, strict=True))).astype(np.float32)
    return field
