"""The device's peak: how fast it multiplies large matrices in the engine's precision."""

from __future__ import annotations

import time
from typing import Final

import torch

CPU_SIZES: Final = (1024, 2048)
"""Sides of the matrices; which one a processor's matrix units like best depends on its caches."""
CUDA_SIZES: Final = (8192,)

_PRODUCTS_A_READING: Final = 8
"""Products on a GPU between two looks at the clock, which wait for the device."""


def product_rate(device: torch.device, dtype: torch.dtype, *, size: int, seconds: float) -> float:
    """Multiply square matrices over and over, and return the operations a second.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype
    size : int
        Side of the matrices.
    seconds : float
        For how long; one product at least.

    Returns
    -------
    float
        2 · size³ for each product, divided by the time.
    """
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    product = torch.empty(size, size, device=device, dtype=dtype)
    torch.mm(left, right, out=product)  # kernels are chosen, memory is touched
    at_once = _PRODUCTS_A_READING if device.type == "cuda" else 1
    _wait_for(device)
    started, products = time.perf_counter(), 0
    while True:
        for _ in range(at_once):
            torch.mm(left, right, out=product)
        _wait_for(device)
        products += at_once
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return 2 * size**3 * products / elapsed


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
