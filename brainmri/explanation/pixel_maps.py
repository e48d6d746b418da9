"""Maps with the pixels of the image, by captum: Integrated Gradients and Occlusion, both against a blurred image.

References
----------
Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017, https://doi.org/10.48550/arXiv.1703.01365
(20 to 300 steps)
Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014,
https://doi.org/10.1007/978-3-319-10590-1_53
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from captum.attr import IntegratedGradients, Occlusion
from numpy.typing import NDArray
from torch import Tensor, nn

from brainmri.explanation.baselines import blur, default_sigma_px
from brainmri.explanation.modes import evaluating

STEPS: Final = 32
"""Gradients on the way from the blurred image to the image."""

WINDOW_SHARE: Final = 1 / 8
"""Side of the square that is hidden, relative to the image's: 28 px of 224."""


def integrated_gradients(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    sigma_px: float | None = None,
    steps: int = STEPS,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Return what each pixel of each sequence added to the logit of a class, signed.

    The values of an image add up to its logit less that of the blurred image, up to the error of the steps.

    Parameters
    ----------
    model : nn.Module
    inputs : Tensor, shape (N, 3, H, W), floating
        Normalised.
    targets : Tensor, shape (N, T), int64
        Class indices.
    sigma_px : float, optional
        Of the blur; default: `default_sigma_px`.
    steps : int
    batch_size : int
        Images a pass.

    Returns
    -------
    ndarray, shape (N, T, 3, H, W), float32
    """
    device = next(model.parameters()).device
    sigma_px = sigma_px or default_sigma_px(inputs.shape[-1])
    method = IntegratedGradients(model)
    found = []
    with evaluating(model):
        for image, asked in zip(inputs, targets, strict=True):
            copies = image.to(device).expand(len(asked), *image.shape)
            per_class = []
            for part, classes in zip(copies.split(batch_size), asked.to(device).split(batch_size), strict=True):
                values = method.attribute(
                    part.clone().requires_grad_(True),
                    blur(part, sigma_px),
                    target=classes,
                    n_steps=steps,
                    internal_batch_size=max(batch_size, len(part)),
                )
                per_class.append(values.detach().float().cpu())
            found.append(torch.cat(per_class))
    return torch.stack(found).numpy()


def occlusion(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    sigma_px: float | None = None,
    window_px: int | None = None,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Return how far the logit of a class falls when a square of all three sequences is blurred, signed.

    A pixel gets the mean over the squares that hide it; squares overlap by half.

    Parameters
    ----------
    model : nn.Module
    inputs : Tensor, shape (N, 3, H, W), floating
        Normalised.
    targets : Tensor, shape (N, T), int64
        Class indices.
    sigma_px : float, optional
        Of the blur; default: `default_sigma_px`.
    window_px : int, optional
        Side of the square; default: an eighth of the image's.
    batch_size : int
        Images a pass.

    Returns
    -------
    ndarray, shape (N, T, H, W), float32
    """
    device = next(model.parameters()).device
    sigma_px = sigma_px or default_sigma_px(inputs.shape[-1])
    window = window_px or max(2, round(inputs.shape[-1] * WINDOW_SHARE))
    stride = max(1, window // 2)
    method = Occlusion(model)
    found = []
    with evaluating(model), torch.no_grad():
        for image, asked in zip(inputs, targets, strict=True):
            one = image.to(device)[None]
            values = method.attribute(  # one image and no target: a map for every output, (K, 3, H, W)
                one,
                sliding_window_shapes=(one.shape[1], window, window),
                strides=(one.shape[1], stride, stride),
                baselines=blur(one, sigma_px),
                perturbations_per_eval=batch_size,
            )
            found.append(values[asked.to(device), 0].float().cpu())  # the same for all three sequences
    return torch.stack(found).numpy()
