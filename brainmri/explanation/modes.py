"""A network during an explanation: in evaluation mode, its hooks its own, and afterwards as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from torch import nn

HOOKS: Final = threading.Lock()
"""Hooks belong to the network: two threads that explain with one network at once would mix their maps."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Within the block: evaluation mode, no gradients of weights, and no other explanation at work.

    Each module's mode and each weight's gradient setting come back at the end, also after an error.
    """
    with HOOKS:
        modes = [(module, module.training) for module in model.modules()]
        learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
        try:
            model.eval()
            for parameter in learned:
                parameter.requires_grad_(False)
            yield
        finally:
            for module, training in modes:
                module.training = training
            for parameter in learned:
                parameter.requires_grad_(True)
