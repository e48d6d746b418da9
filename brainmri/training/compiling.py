"""Compiling a network before training: fewer, larger kernels, for the price of about a minute at the start."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from brainmri.errors import TrainingError


def compile_network(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a function that computes what the network does, compiled when it is first called.

    The network itself stays as it is: its parameters are those of the function, and it is tested and stored as ever.
    Batches come in two sizes at most, each compiled by itself.

    Raises
    ------
    TrainingError
        At the first call, where nothing can be compiled on this machine.
    """
    compiled: Callable[[Tensor], Tensor] = torch.compile(network, dynamic=False)

    def forward(batch: Tensor) -> Tensor:
        try:
            return compiled(batch)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if not is_compiler_error(error):
                raise
            raise TrainingError(
                f"The network cannot be compiled on this machine ({str(error).strip().splitlines()[0]}). Train without "
                "compiling, or install a C++ compiler, and for a GPU Triton."
            ) from error

    return forward


def is_compiler_error(error: BaseException) -> bool:
    """Tell whether an error comes from torch's compiler rather than from the network."""
    return type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))
