"""Maps on the grid of a layer, from its activations and the gradients of a class score there.

With A[k] the activations of channel k, g[k] the gradient of the logit of the class and (i, j) a place:

- Grad-CAM:   Σ_k mean_ij(g[k]) · A[k], negative values cut
- Grad-CAM++: Σ_k w[k] · A[k], w[k] = Σ_ij α[k] · max(g[k], 0), α[k] = 1 / (2 + ΣA[k] · g[k]), negative values cut
- HiResCAM:   Σ_k g[k] · A[k]

References
----------
Selvaraju et al., Grad-CAM, ICCV 2017, https://doi.org/10.1109/ICCV.2017.74
Chattopadhay et al., Grad-CAM++, WACV 2018, https://doi.org/10.1109/WACV.2018.00097 (equation 19, whose powers of g are
reduced; the common factor exp(score) of equation 10, which only scales a map, is left out)
Draelos and Carin, Use HiResCAM instead of Grad-CAM, 2020, https://doi.org/10.48550/arXiv.2011.08891
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainmri.explanation.modes import evaluating

Combine = Callable[[Tensor, Tensor], Tensor]
"""Takes activations and gradients, both (M, C, h, w), and returns signed maps (M, h, w)."""


def signed_grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return Grad-CAM before negative values are cut."""
    return (gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1)


def grad_cam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return Grad-CAM++.

    Where 2 + ΣA·g is not above 0, which activations behind a ReLU cannot bring about, the weight has no meaning and is
    0.
    """
    denominator = 2 + activations.sum(dim=(2, 3), keepdim=True) * gradients
    alpha = torch.where(denominator > 0, 1 / denominator.clamp(min=torch.finfo(denominator.dtype).tiny), 0)
    weights = (alpha * gradients.clamp(min=0)).sum(dim=(2, 3), keepdim=True)  # (M, C, 1, 1)
    return (weights * activations).sum(dim=1).clamp(min=0)


def hires_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return HiResCAM, signed."""
    return (gradients * activations).sum(dim=1)


COMBINE: Final[dict[str, Combine]] = {
    "gradcam": lambda activations, gradients: signed_grad_cam(activations, gradients).clamp(min=0),
    "gradcam++": grad_cam_plus_plus,
    "hirescam": hires_cam,
}
"""By the names of `brainmri.explanation.method_names`."""


def layer_maps(
    model: nn.Module, layer: nn.Module, inputs: Tensor, targets: Tensor, combine: Combine, *, batch_size: int = 64
) -> NDArray[np.float32]:
    """Return maps on the grid of a layer for several classes an image.

    The network up to the layer, most of the work, is passed once for all classes of an image, without gradients.

    Parameters
    ----------
    model : nn.Module
        Put into evaluation mode for the time of the computation, also where the computation fails.
    layer : nn.Module
        Of the model; its output is a map (N, C, h, w).
    inputs : Tensor, shape (N, 3, H, W), floating
        Normalised, as the network takes them.
    targets : Tensor, shape (N, T), int64
        Class indices.
    combine : callable
        One of `COMBINE`, or `signed_grad_cam`.
    batch_size : int
        Images a pass.

    Returns
    -------
    ndarray, shape (N, T, h, w), float32
    """
    device = next(model.parameters()).device
    count = targets.shape[1]
    maps = []
    with evaluating(model), _branching(layer, copies=count) as kept:
        for start in range(0, len(inputs), batch_size):
            asked = targets[start : start + batch_size].flatten().to(device)  # all targets of an image side by side
            logits = model(inputs[start : start + batch_size].to(device))
            score = logits.gather(1, asked[:, None]).sum()  # each logit depends on its own copy only
            (gradients,) = torch.autograd.grad(score, kept[0])
            found = combine(kept[0].detach().float(), gradients.float())
            maps.append(found.cpu().unflatten(0, (-1, count)))
            kept.clear()
    return torch.cat(maps).numpy()


@contextmanager
def _branching(layer: nn.Module, *, copies: int) -> Iterator[list[Tensor]]:
    """Within the block: from the layer on, gradients and so many copies of each image; the list gets its output."""
    kept: list[Tensor] = []

    def start_gradient(_layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        kept.append(output.detach().repeat_interleave(copies, dim=0).requires_grad_(True))
        return kept[-1].clone()  # what comes next may work in place

    hook = layer.register_forward_hook(start_gradient)
    try:
        yield kept
    finally:
        hook.remove()
