"""Floating-point operations of a training step, counted while it runs."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from brainmri.training.architectures import build_empty_model

_BATCH = 2
"""Images in the counted batch; batch normalisation refuses a single one."""
_CLASSES = 3


def training_flop(architecture: str, size_px: int) -> float:
    """Return the operations for one image in the network that the engine trains.

    The network stands on the meta device: shapes only, no arithmetic, no memory.
    """
    return count_training_flop(build_empty_model(architecture, _CLASSES), size_px)


def count_training_flop(model: nn.Module, size_px: int) -> float:
    """Return the operations of a network's forward and backward pass for one image.

    Parameters
    ----------
    model : nn.Module
        From (B, 3, H, W) to (B, K).
    size_px : int
        Side of an image.

    Returns
    -------
    float
        Multiplications and additions of convolutions and matrix products, each counted as one; what is computed element
        by element is left out, as is usual.
    """
    parameter = next(model.parameters())
    images = torch.empty(_BATCH, 3, size_px, size_px, device=parameter.device)
    targets = torch.zeros(_BATCH, dtype=torch.long, device=parameter.device)
    model.train()
    counter = FlopCounterMode(display=False)
    with counter, torch.random.fork_rng() if parameter.device.type == "cpu" else nullcontext():
        functional.cross_entropy(model(images), targets).backward()
    return counter.get_total_flops() / _BATCH
