"""Frozen layers: where training begins, and the activations that come in there, computed once for all runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainmri.errors import StopRequested, TrainingError, UsageError
from brainmri.training.architecture_names import Architecture
from brainmri.training.architectures import build_empty_model
from brainmri.training.augmentation import augment
from brainmri.training.normalisation import apply_normalisation
from brainmri.training.settings import TrainingSettings

_BATCH: Final = 64
"""Images a forward pass, where no gradients take memory."""


def first_trained_layer(entry: Architecture, settings: TrainingSettings) -> str:
    """Return the dotted name of the layer at which training begins; what comes before it is frozen.

    Raises
    ------
    UsageError
        Where more blocks are to be trained than the network has.
    """
    if settings.mode == "head":
        return entry.head
    if settings.trained_blocks > len(entry.blocks):
        raise UsageError(
            f"The training setting 'trained_blocks' is {settings.trained_blocks}; {entry.display_name} has "
            f"{len(entry.blocks)} blocks that can be trained by themselves ({', '.join(entry.blocks)}). Choose fewer, "
            "or train all layers with the mode 'full'."
        )
    return entry.blocks[-settings.trained_blocks]


def make_tail(model: nn.Module, layer: str, entry: Architecture, classes: int) -> nn.Module:
    """Return the network from a layer on. It shares its weights with the whole network.

    Parameters
    ----------
    model : nn.Module
        The whole network.
    layer : str
        Dotted name, from `first_trained_layer`.
    entry : Architecture
    classes : int
    """
    if layer == entry.head:
        return model.get_submodule(layer)
    tail = build_empty_model(entry.name, classes)
    frozen = set(modules_before(tail, layer))
    for name in _topmost(tail, layer):
        tail.set_submodule(name, nn.Identity() if name in frozen else model.get_submodule(name))
    return tail


def modules_before(model: nn.Module, layer: str) -> Iterator[str]:
    """Yield the dotted names of the modules that come before a layer: earlier siblings of it and of its parents."""
    path = layer.split(".")
    for depth, own in enumerate(path):
        parent = ".".join(path[:depth])
        for name, _ in model.get_submodule(parent).named_children():
            if name == own:
                break
            yield f"{parent}.{name}" if parent else name


def compute_activations(
    model: nn.Module,
    layer: str,
    samples: NDArray[np.uint8],
    *,
    views: int,
    strength: float,
    seed: int,
    device: torch.device,
    should_stop: object = None,
) -> NDArray[np.floating]:
    """Return what comes into a layer for every sample: as it is, and augmented.

    Parameters
    ----------
    model : nn.Module
        The whole network; put into evaluation mode, so that frozen batch normalisation keeps its statistics.
    layer : str
    samples : ndarray, shape (N, 3, H, W), uint8
        May be memory-mapped.
    views : int
        The first is of the samples as they are, the others are augmented.
    strength : float
        Of the augmentation.
    seed : int
        Of the augmentation.
    device : torch.device
    should_stop : callable, optional
        Asked before every batch; True ends the work with `StopRequested`.

    Returns
    -------
    ndarray, shape (views, N, …)
        float32 where a sample has one number a feature (the head's input), float16 for maps, which are many times as
        large.
    """
    model = model.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator = torch.Generator(device).manual_seed(seed)
    found: NDArray[np.floating] | None = None
    for view in range(views):
        for start in range(0, len(samples), _BATCH):
            if callable(should_stop) and should_stop():
                raise StopRequested("The training was stopped as asked.")
            batch = torch.from_numpy(np.array(samples[start : start + _BATCH])).to(device).float() / 255
            if view > 0:
                batch = augment(batch, strength=strength, generator=generator)
            values = _capture_input(model, layer, apply_normalisation(batch))
            if found is None:
                dtype = np.float32 if values.ndim == 2 else np.float16
                found = np.empty((views, len(samples), *values.shape[1:]), dtype=dtype)
            found[view, start : start + len(values)] = values.cpu().numpy()
    if found is None:
        raise TrainingError("There are no samples to compute activations of. Make a data set of at least one case.")
    if not np.isfinite(found).all():
        raise TrainingError(
            f"The activations before {layer} are too large for half precision. Train all layers instead (mode 'full')."
        )
    return found


def _capture_input(model: nn.Module, layer: str, batch: Tensor) -> Tensor:
    """Return what comes into a layer in a forward pass."""
    captured: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        captured.append(inputs[0].detach().clone())  # the layer may work in place

    handle = model.get_submodule(layer).register_forward_pre_hook(keep)
    try:
        with torch.inference_mode():
            model(batch.contiguous(memory_format=torch.channels_last))
    finally:
        handle.remove()
    return captured[0]


def _topmost(model: nn.Module, layer: str) -> list[str]:
    """Return the dotted names of modules that together are the whole network, as coarse as the layer's path allows."""
    path = layer.split(".")
    names = []
    for depth in range(len(path)):
        parent = ".".join(path[:depth])
        inner = path[depth] if depth < len(path) - 1 else None
        names += [
            f"{parent}.{name}" if parent else name
            for name, _ in model.get_submodule(parent).named_children()
            if name != inner
        ]
    return names
