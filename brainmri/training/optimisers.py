"""The optimiser and the course of its learning rate."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import nn

from brainmri.training.settings import Schedule, TrainingSettings

WARM_UP_SHARE: Final = 0.15
"""Share of all steps in which the learning rate rises to its peak; from there it falls as the schedule says."""

_STEP_SHARES: Final = (0.5, 0.75)
"""Where the schedule ``step`` divides the rate by ten, as shares of all steps."""


def make_optimiser(trained: nn.Module, head: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return fused SGD with Nesterov momentum.

    Weight decay acts on matrices only, as biases and scales need none. Each group carries a ``rate_factor``, which
    `set_learning_rate` multiplies the rate by.

    Parameters
    ----------
    trained : nn.Module
        What is trained, with its head.
    head : nn.Module
        The last layer.
    settings : TrainingSettings
    """
    own = {id(parameter) for parameter in head.parameters()}
    groups = []
    for is_head, factor in ((False, 1.0), (True, settings.head_rate_factor)):
        parameters = [one for one in trained.parameters() if (id(one) in own) == is_head]
        for is_matrix, decay in ((True, settings.weight_decay), (False, 0.0)):
            chosen = [one for one in parameters if (one.ndim > 1) == is_matrix]
            if chosen:
                groups.append({"params": chosen, "weight_decay": decay, "rate_factor": factor})
    nesterov = settings.momentum > 0
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=nesterov, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group, times the group's factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate_factor"]


def learning_rate(step: int, steps: int, peak: float, schedule: Schedule = "cosine") -> float:
    """Return the learning rate of a step: a linear rise to the peak, then what the schedule says.

    Parameters
    ----------
    step : int
        From 0.
    steps : int
        Of the whole training.
    peak : float
    schedule : {'cosine', 'step', 'constant'}
        Half a cosine to near zero; a tenth at half and again at three quarters; the peak to the end.
    """
    warm_up = max(1, round(steps * WARM_UP_SHARE))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    if schedule == "constant":
        return peak
    if schedule == "step":
        return peak * 0.1 ** sum(step >= share * steps for share in _STEP_SHARES)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up + 1) / (steps - warm_up + 1)))
