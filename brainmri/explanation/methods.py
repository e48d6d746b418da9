"""Any map method, for any class and any layer of the architecture's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainmri.errors import UsageError
from brainmri.explanation.cams import COMBINE, layer_maps, signed_grad_cam
from brainmri.explanation.method_names import find_method
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import MINIMUM_GRID, layer_grids, target_layer_name

STORED_CELLS: Final = 32
"""Most cells on a side of a stored map: what has pixels is averaged over squares of them."""


@dataclass(frozen=True, kw_only=True)
class LayerChoice:
    """A layer that a map can be made on."""

    name: str
    """Dotted name of the module."""
    grid: tuple[int, int]
    """Rows and columns of the map."""
    default: bool
    """The latest layer whose grid is fine enough; see `brainmri.training.architectures.target_layer`."""

    @property
    def coarse(self) -> bool:
        """Return whether so few cells say little about where."""
        return min(self.grid) < MINIMUM_GRID


def layer_choices(architecture: str, size_px: int) -> tuple[LayerChoice, ...]:
    """Return the layers to choose from, late to early.

    Raises
    ------
    TrainingError
        Where samples of this side are too small for the network.
    """
    usual = target_layer_name(architecture, size_px)
    grids = layer_grids(architecture, size_px)
    return tuple(
        LayerChoice(name=name, grid=grids[name], default=name == usual)
        for name in find_architecture(architecture).target_layers
    )


def find_layer(architecture: str, model: nn.Module, name: str) -> nn.Module:
    """Return a layer of the network by its dotted name.

    Raises
    ------
    UsageError
        Where it is not in the architecture's table: other layers may be overwritten by what comes next.
    """
    entry = find_architecture(architecture)
    if name not in entry.target_layers:
        raise UsageError(
            f"Maps of {entry.display_name} are made on one of {', '.join(entry.target_layers)}; found '{name}'."
        )
    return model.get_submodule(name)


def make_maps(
    model: nn.Module,
    layer: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    method: str,
    *,
    signed: bool | None = None,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Return maps by any method for several classes an image.

    Parameters
    ----------
    model : nn.Module
        Left as it was, in its mode and without hooks, also after an error.
    layer : nn.Module
        See `find_layer`; methods that have the pixels of the image do not use it.
    inputs : Tensor, shape (N, 3, H, W), floating
        Normalised, as the network takes them.
    targets : Tensor, shape (N, T), int64
        Class indices.
    method : str
        A name of `brainmri.explanation.method_names.METHODS`.
    signed : bool, optional
        Whether to keep what speaks against the class, below 0; default: as the method is. Grad-CAM++ has no such form.
    batch_size : int
        Images a pass.

    Returns
    -------
    ndarray, shape (N, T, h, w), float32
        On the layer's grid, or with the pixels of the image (Integrated Gradients: the sum over the three sequences).

    Raises
    ------
    UsageError
        For an unknown method, and a signed form that does not exist.
    """
    chosen = find_method(method)
    signed = chosen.signed if signed is None else signed
    if signed and method == "gradcam++":
        raise UsageError("Grad-CAM++ shows evidence for a class only; choose HiResCAM or Grad-CAM for a signed map.")
    if chosen.on_layer:
        combine = signed_grad_cam if signed and method == "gradcam" else COMBINE[method]
        maps = layer_maps(model, layer, inputs, targets, combine, batch_size=batch_size)
        return maps if signed else np.maximum(maps, 0)
    from brainmri.explanation.pixel_maps import integrated_gradients, occlusion  # noqa: PLC0415 - captum, a second

    if method == "occlusion":
        maps = occlusion(model, inputs, targets, batch_size=batch_size)
    else:
        maps = integrated_gradients(model, inputs, targets, batch_size=batch_size).sum(axis=2)
    return maps if signed else np.maximum(maps, 0)


def shrink(maps: NDArray[np.float32], cells: int = STORED_CELLS) -> NDArray[np.float32]:
    """Average maps (…, h, w) over squares, so that a side has no more than so many cells."""
    if max(maps.shape[-2:]) <= cells:
        return maps
    stacked = torch.from_numpy(maps).flatten(0, -3)[:, None]
    small = torch.nn.functional.adaptive_avg_pool2d(stacked, cells)
    return small[:, 0].unflatten(0, maps.shape[:-2]).numpy()
