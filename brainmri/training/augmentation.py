"""Augmentation as batched tensor operations on the device: one affine sampling a batch, parameters for each image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class AugmentationRanges:
    """How far images are changed at strength 1; ranges grow in proportion to the strength.

    Parameters
    ----------
    flip_left_right, flip_up_down : float
        Probability of a mirror image, at strength 1 and above.
    rotation_degrees : float
        Largest rotation to either side.
    translation : float
        Largest shift along each axis as a share of the image's side.
    scale : float
        Largest zoom, in or out: 0.1 is 0.9 to 1.1.
    gain, offset : float
        Largest change of contrast (factor 1 ± gain) and of brightness (share of the full range), of each sequence by
        itself: a scanner's contrast differs between sequences, too.
    """

    flip_left_right: float = 0.5
    flip_up_down: float = 0.5
    rotation_degrees: float = 15.0
    translation: float = 0.06
    scale: float = 0.1
    gain: float = 0.15
    offset: float = 0.05


DEFAULT_RANGES = AugmentationRanges()


def augment(
    intensities: Tensor, *, strength: float, generator: torch.Generator, ranges: AugmentationRanges = DEFAULT_RANGES
) -> Tensor:
    """Return each image flipped, rotated, shifted, scaled and with changed contrast, at random.

    Parameters
    ----------
    intensities : Tensor, shape (B, 3, H, W), floating, 0 to 1
    strength : float
        0 (returned as it is) to 2.
    generator : torch.Generator
        On the same device.
    ranges : AugmentationRanges

    Returns
    -------
    Tensor, shape (B, 3, H, W), 0 to 1
    """
    if strength <= 0:
        return intensities
    matrices = draw_matrices(len(intensities), strength=strength, generator=generator, ranges=ranges)
    moved = apply_affine(intensities, matrices.to(intensities.dtype))
    return apply_jitter(moved, strength=strength, generator=generator, ranges=ranges)


def draw_matrices(count: int, *, strength: float, generator: torch.Generator, ranges: AugmentationRanges) -> Tensor:
    """Draw one affine map an image, from output to input coordinates of -1 to 1.

    Returns
    -------
    Tensor, shape (count, 2, 3), float32
    """
    chance = min(strength, 1.0)
    u = torch.rand(6, count, generator=generator, device=generator.device)
    angle = (2 * u[0] - 1) * math.radians(ranges.rotation_degrees) * strength
    zoom = 1 + (2 * u[1] - 1) * ranges.scale * strength
    shift = (2 * u[2:4] - 1) * 2 * ranges.translation * strength  # the side is 2 in these coordinates
    mirror_x = torch.where(u[4] < ranges.flip_left_right * chance, -1.0, 1.0)
    mirror_y = torch.where(u[5] < ranges.flip_up_down * chance, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    row_x = torch.stack([cosine * mirror_x, -sine * mirror_y, shift[0]], dim=1)
    row_y = torch.stack([sine * mirror_x, cosine * mirror_y, shift[1]], dim=1)
    return torch.stack([row_x, row_y], dim=1)


def apply_affine(images: Tensor, matrices: Tensor) -> Tensor:
    """Sample each image through its own affine map; what lies outside is the image reflected at its border.

    Reflected, because a region is cut from a larger picture: black corners would tell the network the angle.
    """
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def apply_jitter(
    intensities: Tensor, *, strength: float, generator: torch.Generator, ranges: AugmentationRanges
) -> Tensor:
    """Change contrast and brightness of each sequence of each image, and keep the result within 0 to 1."""
    shape = (2, *intensities.shape[:2], 1, 1)
    u = torch.rand(shape, generator=generator, device=generator.device).to(intensities.dtype)
    gain = 1 + (2 * u[0] - 1) * ranges.gain * strength
    offset = (2 * u[1] - 1) * ranges.offset * strength
    return (intensities * gain + offset).clamp_(0, 1)
