"""Pictures to train on: the same for both ways, in memory for the engine and as files for the ordinary way."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torchvision.transforms.functional import to_pil_image

CLASSES: Final = 3
_DIFFERENT: Final = 48
"""Pictures that are drawn and compressed. Further ones repeat them: reading, decoding and training do not notice."""
_BLOB_PX: Final = 16
_NOISE: Final = 6


def make_samples(count: int, size_px: int) -> NDArray[np.uint8]:
    """Draw smooth blobs with a little noise, which compress about as MR images do.

    Returns
    -------
    ndarray, shape (count, 3, size_px, size_px), uint8
    """
    drawn = _draw(min(count, _DIFFERENT), size_px)
    return drawn[np.arange(count) % len(drawn)]


def make_labels(count: int) -> NDArray[np.int64]:
    """Return class indices, the classes in turn."""
    return np.arange(count) % CLASSES


def write_image_folder(folder: Path, count: int, size_px: int) -> None:
    """Write ``count`` PNG files into one subfolder a class, as `torchvision.datasets.ImageFolder` expects them."""
    encoded = [_encode(sample) for sample in _draw(min(count, _DIFFERENT), size_px)]
    for label in range(CLASSES):
        (folder / f"class_{label}").mkdir(parents=True)
    for index, label in enumerate(make_labels(count)):
        path = folder / f"class_{label}" / f"{index:05d}.png"
        path.write_bytes(encoded[index % len(encoded)])


def _draw(count: int, size_px: int) -> NDArray[np.uint8]:
    rng = torch.Generator().manual_seed(0)
    cells = max(2, size_px // _BLOB_PX)
    coarse = torch.rand(count, 3, cells, cells, generator=rng) * 255
    smooth = functional.interpolate(coarse, size=(size_px, size_px), mode="bilinear", align_corners=False)
    noise = torch.randn(count, 3, size_px, size_px, generator=rng) * _NOISE
    drawn: NDArray[np.uint8] = (smooth + noise).clamp(0, 255).to(torch.uint8).numpy()
    return drawn


def _encode(sample: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    to_pil_image(torch.from_numpy(sample)).save(buffer, format="PNG")
    return buffer.getvalue()
