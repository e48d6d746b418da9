"""Networks from the table: built, given their head, and asked for the layer that Grad-CAM explains."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Final

import torch
from torch import Tensor, nn

from brainmri.errors import TrainingError
from brainmri.training.architecture_names import ARCHITECTURES, Architecture, find_architecture
from brainmri.training.weights import IMAGENET, SCRATCH, load_published, load_weight_file

__all__ = ["ARCHITECTURES", "Architecture", "build_empty_model", "build_model", "target_layer", "target_layer_name"]

MINIMUM_GRID: Final = 6
"""Fewest cells on a side of a map: 3×3 cells over a tumour say little about where."""

_PUBLISHED_CLASSES = 1000


def build_model(name: str, classes: int, *, weights: str = SCRATCH) -> nn.Module:
    """Build a network with one output a class.

    Parameters
    ----------
    name : str
        A name from `ARCHITECTURES`.
    classes : int
        Number of outputs.
    weights : str
        ``scratch`` (random, from torch's global generator), ``imagenet`` (published weights under a new, random head)
        or the path of a weight file.

    Raises
    ------
    WeightsMissing
        Where published weights are not there.
    TrainingError
        Where a file does not fit the network.
    """
    entry = find_architecture(name)
    if weights == IMAGENET:
        model = _build(entry, _PUBLISHED_CLASSES)
        load_published(model, entry)
        _replace_head(model, entry, classes)
        return model
    model = _build(entry, classes)
    if weights == SCRATCH:
        _initialise(model, entry)
    else:
        load_weight_file(model, entry, weights)
    return model


def build_empty_model(name: str, classes: int) -> nn.Module:
    """Build a network without values, on the meta device: for weights that are assigned next."""
    with torch.device("meta"):
        return _build(find_architecture(name), classes)


def target_layer(name: str, model: nn.Module, size_px: int) -> tuple[str, nn.Module]:
    """Return the layer whose activations Grad-CAM weighs, by dotted name and module.

    The latest candidate whose grid is at least 6×6 at this input size.

    Raises
    ------
    TrainingError
        Where the input is too small for any of them.
    """
    layer = target_layer_name(name, size_px)
    return layer, model.get_submodule(layer)


@lru_cache(maxsize=64)
def target_layer_name(name: str, size_px: int) -> str:
    """Return the dotted name of the layer that `target_layer` chooses."""
    entry = find_architecture(name)
    grids = layer_grids(name, size_px)
    for layer in entry.target_layers:
        if min(grids[layer]) >= MINIMUM_GRID:
            return layer
    raise TrainingError(
        f"Samples of {size_px} px are too small for {entry.display_name}: no layer keeps a grid of "
        f"{MINIMUM_GRID}×{MINIMUM_GRID} for the maps. Make samples of {entry.minimum_size_px} px or more."
    )


def layer_grids(name: str, size_px: int) -> dict[str, tuple[int, int]]:
    """Return rows and columns of each candidate layer's activations for an input of ``size_px``.

    A forward on the meta device: shapes only, no arithmetic, no memory.
    """
    entry = find_architecture(name)
    grids: dict[str, tuple[int, int]] = {}

    def remember(layer: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda _module, _inputs, output: grids.update({layer: (output.shape[2], output.shape[3])})

    with torch.device("meta"):
        model = _build(entry, 2).eval()
        for layer in entry.target_layers:
            model.get_submodule(layer).register_forward_hook(remember(layer))
        with torch.no_grad():
            try:
                model(torch.empty(1, 3, size_px, size_px))
            except RuntimeError as error:  # a pooling that would leave nothing
                raise TrainingError(
                    f"Samples of {size_px} px are too small for {entry.display_name}; it takes "
                    f"{entry.minimum_size_px} px or more."
                ) from error
    return grids


def _build(entry: Architecture, classes: int) -> nn.Module:
    module, function = entry.builder.split(":")
    model: nn.Module = getattr(import_module(module), function)(num_classes=classes, **dict(entry.options))
    return model


def _replace_head(model: nn.Module, entry: Architecture, classes: int) -> None:
    head = model.get_submodule(entry.head)
    if not isinstance(head, nn.Linear):
        raise TrainingError(f"The layer {entry.head} of {entry.display_name} is a {type(head).__name__}, not a Linear.")
    model.set_submodule(entry.head, nn.Linear(head.in_features, classes))


def _initialise(model: nn.Module, entry: Architecture) -> None:
    """Draw random convolutions that keep the variance of activations through ReLU layers (He et al., 2015).

    torch's own default shrinks it from layer to layer, which a network without batch normalisation (AlexNet) does not
    recover from within a few epochs. The last layer starts small, so that the first predictions are near chance.

    References
    ----------
    He et al., Delving Deep into Rectifiers, ICCV 2015, https://doi.org/10.1109/ICCV.2015.123
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    head = model.get_submodule(entry.head)
    if isinstance(head, nn.Linear):
        nn.init.normal_(head.weight, std=0.01)
