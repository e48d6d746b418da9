"""Samples as stored to numbers as a network takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

IMAGENET_NORMALISATION: Final[dict[str, list[float]]] = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""Mean and standard deviation of each channel, of intensities 0 to 1, that the published weights were trained with.

Networks that start from random weights get the same, so that the two can be compared. A checkpoint names its own.
"""


def apply_normalisation(
    intensities: Tensor, normalisation: Mapping[str, Sequence[float]] = IMAGENET_NORMALISATION
) -> Tensor:
    """Subtract the mean and divide by the standard deviation of each channel.

    Parameters
    ----------
    intensities : Tensor, shape (B, 3, H, W), floating, 0 to 1
    normalisation : mapping
        ``mean`` and ``std``, one number a channel.
    """
    mean = torch.tensor(normalisation["mean"], device=intensities.device, dtype=intensities.dtype).view(1, -1, 1, 1)
    std = torch.tensor(normalisation["std"], device=intensities.device, dtype=intensities.dtype).view(1, -1, 1, 1)
    return (intensities - mean) / std


def prepare_input(samples: Tensor, normalisation: Mapping[str, Sequence[float]] = IMAGENET_NORMALISATION) -> Tensor:
    """Turn stored samples into network input.

    Parameters
    ----------
    samples : Tensor, shape (B, 3, H, W), uint8, 0 to 255

    Returns
    -------
    Tensor, shape (B, 3, H, W), float32, channels last in memory
    """
    return apply_normalisation(samples.float() / 255, normalisation).contiguous(memory_format=torch.channels_last)
