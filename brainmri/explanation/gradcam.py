"""Grad-CAM, computed by captum.

References
----------
Selvaraju et al., Grad-CAM, ICCV 2017, https://doi.org/10.1109/ICCV.2017.74
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from captum.attr import LayerGradCam
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from brainmri.explanation.modes import evaluating


def grad_cam(
    model: nn.Module, layer: nn.Module, inputs: Tensor, targets: ArrayLike, *, batch_size: int = 64
) -> NDArray[np.float32]:
    """Return the evidence for a class on the grid of a layer, one map an image.

    The network is put into evaluation mode for the time of the computation, also where the computation fails.

    Parameters
    ----------
    model : nn.Module
    layer : nn.Module
        Of the model; see `brainmri.training.architectures.target_layer`.
    inputs : Tensor, shape (N, 3, H, W), floating
        Normalised, as the network takes them.
    targets : array_like of int, shape (N,)
        Class index for each image.
    batch_size : int
        Images a pass.

    Returns
    -------
    ndarray, shape (N, h, w), float32
        0 or more, unscaled, on the layer's grid. All zero where the image has no evidence for the class.
    """
    classes = torch.as_tensor(np.asarray(targets, dtype=np.int64))
    return _attribute(model, layer, inputs, classes[:, None], batch_size)[:, 0]


def grad_cam_of_all_classes(
    model: nn.Module, layer: nn.Module, inputs: Tensor, classes: int, *, batch_size: int = 64
) -> NDArray[np.float32]:
    """Return the evidence for every class, as `grad_cam` does for one.

    The part of the network up to the layer, most of the work, is passed once for all classes.

    Returns
    -------
    ndarray, shape (N, K, h, w), float32
    """
    targets = torch.arange(classes).expand(len(inputs), classes)
    return _attribute(model, layer, inputs, targets, batch_size)


def _attribute(
    model: nn.Module, layer: nn.Module, inputs: Tensor, targets: Tensor, batch_size: int
) -> NDArray[np.float32]:
    """Return maps (N, T, h, w) for T targets an image.

    Parameters
    ----------
    targets : Tensor, shape (N, T), int64
    """
    device = next(model.parameters()).device
    count = targets.shape[1]
    maps = []
    with evaluating(model), _gradients_from(layer, copies=count):
        method = LayerGradCam(model, layer)
        for start in range(0, len(inputs), batch_size):
            batch = inputs[start : start + batch_size].to(device)
            asked = targets[start : start + batch_size].flatten().to(device)  # all targets of an image side by side
            evidence = method.attribute(batch, asked, relu_attributions=True)  # (B · T, 1, h, w)
            maps.append(evidence.detach().float().cpu().unflatten(0, (-1, count)).squeeze(2))
    return torch.cat(maps).numpy()


@contextmanager
def _gradients_from(layer: nn.Module, *, copies: int) -> Iterator[None]:
    """Within the block: from the layer on, gradients and so many copies of each image.

    Grad-CAM needs no gradient below its layer; without it, a pass keeps no activations there.
    """

    def start_gradient(_layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output.detach().repeat_interleave(copies, dim=0).requires_grad_(True)

    hook = layer.register_forward_hook(start_gradient)  # before captum's, which sees what this one returns
    try:
        yield
    finally:
        hook.remove()
