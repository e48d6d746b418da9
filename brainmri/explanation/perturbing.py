"""Deletion and insertion: what a network says while the places that a map marks are blurred, or shown.

References
----------
Petsiuk et al., RISE, BMVC 2018, https://doi.org/10.48550/arXiv.1806.07421. Where they replace pixels by black in
deletion and by a blurred image in insertion, both are blurred here: black squares are unlike any MRI, and with one
baseline the two areas can be subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn import functional

from brainmri.errors import ExplanationError
from brainmri.explanation.baselines import blur, default_sigma_px
from brainmri.explanation.faithfulness import PerturbationCurves, rank_pixels
from brainmri.explanation.modes import evaluating
from brainmri.explanation.trained import Progress, images_per_pass
from brainmri.training.normalisation import apply_normalisation

STEPS: Final = 10
"""Steps from no pixel to all: eleven points a curve."""


def perturbation_curves(
    model: nn.Module,
    samples: NDArray[np.uint8],
    maps: NDArray[np.float32],
    classes: ArrayLike,
    *,
    normalisation: Mapping[str, Sequence[float]],
    sigma_px: float | None = None,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> list[PerturbationCurves]:
    """Return the deletion and insertion curves of images, each for one class.

    Parameters
    ----------
    model : nn.Module
    samples : ndarray, shape (N, 3, H, W), uint8
    maps : ndarray, shape (N, h, w)
        Evidence for the class; scaled up to the image.
    classes : array_like of int, shape (N,)
    normalisation : mapping
    sigma_px : float, optional
        Of the blur; default: `default_sigma_px`.
    steps : int
    progress : callable, optional
        Called before each image; what it raises ends the work.
    """
    targets = np.asarray(classes, dtype=np.int64)
    if not len(samples) == len(maps) == len(targets):
        raise ExplanationError(
            f"Each image needs a map and a class; found {len(samples)} images, {len(maps)} maps and {len(targets)} "
            "classes."
        )
    device = next(model.parameters()).device
    size = (samples.shape[2], samples.shape[3])
    sigma_px = sigma_px or default_sigma_px(size[1])
    shares = np.linspace(0, 1, steps + 1)
    counts = torch.from_numpy(np.round(shares * size[0] * size[1])).to(device)[:, None, None, None]  # (S, 1, 1, 1)
    found = []
    with evaluating(model), torch.inference_mode():
        for index, (sample, evidence, target) in enumerate(zip(samples, maps, targets, strict=True)):
            if progress is not None:
                progress(index / len(samples), f"Deletion and insertion in image {index + 1} of {len(samples)}")
            image = torch.from_numpy(np.array(sample)).to(device).float() / 255  # (3, H, W)
            blurred = blur(image, sigma_px)
            changed = torch.from_numpy(rank_pixels(evidence, size)).to(device) < counts  # (S, 1, H, W)
            steps_of_both = torch.cat([torch.where(changed, blurred, image), torch.where(changed, image, blurred)])
            inputs = apply_normalisation(steps_of_both, normalisation).contiguous(memory_format=torch.channels_last)
            logits = torch.cat([model(part).float() for part in inputs.split(images_per_pass(size))])
            probabilities = functional.softmax(logits, dim=1)[:, int(target)].cpu().numpy().reshape(2, -1)
            found.append(
                PerturbationCurves(
                    shares=tuple(map(float, shares)),
                    deletion=tuple(map(float, probabilities[0])),
                    insertion=tuple(map(float, probabilities[1])),
                )
            )
    return found
