"""Convolutions over a handful of positions as matrix products: faster on a processor.

A small input (64 to 112 px) leaves the deep layers maps of 2×2 to 4×4. There a convolution is a product of a small
matrix with a large one, and the processor's convolution kernels spend their time on rearranging the weights, most of
all in the gradient with respect to them. The same sums as one matrix product take a third to a sixth of the time
(ResNet50's last block at 64 px, bfloat16 with AMX: 3×3 33 ms to 10 ms, 1×1 13 ms to 3 ms, a batch of 32, forward and
backward), the whole of ResNet50 two thirds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOST_POSITIONS: Final = {1: 36, 3: 16}
"""Largest number of output positions for which the product is faster, by kernel size; measured at 64 to 96 px."""
_FEWEST_WEIGHTS: Final = 1 << 15
"""Convolutions with fewer weights are quick either way."""


class _ProductConv2d(nn.Conv2d):
    """A convolution that is a matrix product where its map is small. Same weights, same sums."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        stride = int(self.stride[0])
        rows, columns = -(-input.shape[2] // stride), -(-input.shape[3] // stride)  # "same" padding
        if rows * columns > _MOST_POSITIONS[self.kernel_size[0]]:
            return super().forward(input)
        patches = _gather_patches(input.permute(0, 2, 3, 1), self.kernel_size[0], stride, rows, columns)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # (O, k·k·I): a view where weights are channels last
        return functional.linear(patches, weight, self.bias).permute(0, 3, 1, 2)


@contextmanager
def products_for_small_maps(model: nn.Module) -> Iterator[None]:
    """Within the block, let fitting convolutions of a model on a processor use matrix products."""
    chosen = [module for module in model.modules() if _fits(module)]
    for module in chosen:
        module.__class__ = _ProductConv2d
    try:
        yield
    finally:
        for module in chosen:
            module.__class__ = nn.Conv2d


def _fits(module: nn.Module) -> bool:
    return (
        type(module) is nn.Conv2d
        and module.kernel_size in ((1, 1), (3, 3))
        and module.padding == (module.kernel_size[0] // 2,) * 2
        and module.stride in ((1, 1), (2, 2))
        and module.dilation == (1, 1)
        and module.groups == 1
        and module.padding_mode == "zeros"
        and module.weight.numel() >= _FEWEST_WEIGHTS
        and module.weight.device.type == "cpu"
    )


def _gather_patches(images: Tensor, kernel: int, stride: int, rows: int, columns: int) -> Tensor:
    """Return the inputs of every output position side by side.

    Parameters
    ----------
    images : Tensor, shape (B, H, W, I)

    Returns
    -------
    Tensor, shape (B, rows, columns, kernel · kernel · I)
    """
    if kernel == 1:
        return images[:, ::stride, ::stride] if stride > 1 else images
    padded = functional.pad(images, (0, 0, 1, 1, 1, 1))
    bottom, right = stride * (rows - 1) + 1, stride * (columns - 1) + 1
    shifts = [padded[:, i : i + bottom : stride, j : j + right : stride] for i in range(kernel) for j in range(kernel)]
    return torch.cat(shifts, dim=3)
