"""What the trained layers are fed with: augmented images, or activations that frozen layers computed once."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from brainmri.training.augmentation import augment
from brainmri.training.normalisation import apply_normalisation, prepare_input


class Inputs(Protocol):
    """Inputs of a number of samples, on the device."""

    generator: torch.Generator

    def __len__(self) -> int:
        """Return the number of samples."""

    def draw(self, indices: Tensor) -> Tensor:
        """Return the inputs of a training batch, changed at random."""

    def plain(self, indices: Tensor) -> Tensor:
        """Return the inputs of samples as they are."""


class PixelInputs:
    """Images of all samples on the device, augmented in batches there.

    Parameters
    ----------
    samples : Tensor, shape (N, 3, H, W), uint8
    strength : float
        Of the augmentation.
    generator : torch.Generator
        On the same device.
    """

    def __init__(self, samples: Tensor, *, strength: float, generator: torch.Generator) -> None:
        self._samples, self._strength, self.generator = samples, strength, generator

    def __len__(self) -> int:
        return len(self._samples)

    def draw(self, indices: Tensor) -> Tensor:
        """Return augmented, normalised images: shape (B, 3, H, W), float32, channels last in memory."""
        intensities = self._samples[indices].float() / 255
        intensities = augment(intensities, strength=self._strength, generator=self.generator)
        return apply_normalisation(intensities).contiguous(memory_format=torch.channels_last)

    def plain(self, indices: Tensor) -> Tensor:
        """Return normalised images: shape (B, 3, H, W), float32, channels last in memory."""
        return prepare_input(self._samples[indices])


class ActivationInputs:
    """Activations of all samples on the device, in one or more views, of which each batch takes one at random.

    Parameters
    ----------
    activations : Tensor, shape (V, N, …), floating
        The first view is of the images as they are.
    generator : torch.Generator
        On the same device.
    """

    def __init__(self, activations: Tensor, *, generator: torch.Generator) -> None:
        self._activations, self.generator = activations, generator

    def __len__(self) -> int:
        return int(self._activations.shape[1])

    def draw(self, indices: Tensor) -> Tensor:
        """Return for each sample one of its views, drawn at random: shape (B, …), float32."""
        views = torch.randint(
            len(self._activations), indices.shape, generator=self.generator, device=self._activations.device
        )
        return self._activations[views, indices].float()

    def plain(self, indices: Tensor) -> Tensor:
        """Return the first view: shape (B, …), float32."""
        return self._activations[0, indices].float()
