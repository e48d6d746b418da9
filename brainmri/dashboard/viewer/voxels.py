"""Voxels of a case as the browser takes them: whole levels, air left out, compressed slice by slice.

The upper eight bits of all slices come first and are enough for a picture; the rest follows and makes the levels exact.
A piece is deflated by itself (RFC 1951, ended by an empty block), so that pieces can be joined in any order: the slices
of the tumour first.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

END_OF_STREAM: Final = b"\x03\x00"
"""An empty last block: closes joined pieces."""

_WHOLE_LEVELS: Final = 65535
_BROKEN_LEVELS: Final = 4095
"""Levels of a volume of broken numbers: sixteen times as many as a screen shows at once."""
_BLOCK_PX: Final = 4
_LEAST_BLOCKS: Final = 16
"""Blocks along a side below which nothing can be said about air."""
_SPREADS: Final = 4
"""A block whose mean lies so many times the lower spread of the air's above the air is no air."""
_IN_PLANE: Final = np.array([[[0] * 3] * 3, [[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[0] * 3] * 3], dtype=bool)

Box = tuple[int, int, int, int, int, int]
"""First slice, row and column, and how many of each."""


def average(volume: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Return a volume whose slices are averaged over squares of so many pixels a side."""
    if pixels == 1:
        return volume
    slices, rows, columns = volume.shape[0], volume.shape[1] // pixels, volume.shape[2] // pixels
    squares = volume[:, : rows * pixels, : columns * pixels].reshape(slices, rows, pixels, columns, pixels)
    means: NDArray[np.float32] = squares.mean(axis=(2, 4), dtype=np.float32)
    return means


def to_levels(volume: NDArray[Any]) -> tuple[NDArray[np.uint16], float, float]:
    """Return a volume as uint16 with slope and offset; whole numbers stay exact."""
    low, high = float(volume.min()), float(volume.max())
    whole = np.issubdtype(volume.dtype, np.integer) or bool((volume == np.rint(volume)).all())
    exact = whole and high - low <= _WHOLE_LEVELS
    most = _WHOLE_LEVELS if whole else _BROKEN_LEVELS
    slope = 1.0 if exact else (high - low) / most or 1.0
    levels = np.rint((volume.astype(np.float32) - np.float32(low)) / np.float32(slope))
    return np.clip(levels, 0, most).astype("<u2"), slope, low


def find_air(volumes: Sequence[NDArray[Any]]) -> NDArray[np.bool_] | None:
    """Return where the noisy air around a head lies; None where there is none that can be told from the head.

    Air is what is connected, within a slice, with its edge over small blocks that are dark in every sequence: dark
    places within the head stay. How dark is measured at the edges of the slices: up to four times the distance of the
    first quartile from the second percentile above the quartile.

    Parameters
    ----------
    volumes : sequence of ndarray, shape (S, R, C)

    Returns
    -------
    ndarray, shape (S, R, C), bool, or None
    """
    rows, columns = volumes[0].shape[1:]
    if min(rows, columns) < _LEAST_BLOCKS * _BLOCK_PX:
        return None
    dark = np.logical_and.reduce([_dark_blocks(average(volume, _BLOCK_PX)) for volume in volumes])
    around = ndimage.convolve((~dark).astype(np.uint8), np.ones((3, 3, 3), np.uint8), mode="constant")
    head = ndimage.binary_dilation(~dark & (around > 1), np.ones((3, 3, 3)))  # a bright block alone is noise
    parts, _ = ndimage.label(~head, structure=_IN_PLANE)
    edge = np.unique(np.concatenate([parts[:, [0, -1]].ravel(), parts[:, :, [0, -1]].ravel()]))
    air = np.isin(parts, edge[edge > 0])
    if not air.any():
        return None
    whole = np.repeat(np.repeat(air, _BLOCK_PX, axis=1), _BLOCK_PX, axis=2)
    return np.pad(whole, ((0, 0), (0, rows - whole.shape[1]), (0, columns - whole.shape[2])), mode="edge")


def level_air(levels: NDArray[np.uint16], air: NDArray[np.bool_] | None) -> tuple[int, int]:
    """Give all air of a sequence its median, in place; return the brightest level that was there, and the median."""
    if air is None:
        return 0, 0
    found = levels[air]
    background = int(np.median(found))
    levels[air] = background
    return int(found.max()), background


def filled_box(sequences: Sequence[NDArray[np.uint16]], background: Sequence[int]) -> tuple[tuple[slice, ...], Box]:
    """Return the smallest box outside which all sequences are background, as slices, and as first indices and sizes.

    One sequence at least must have something else.
    """
    first, end = [], []
    filled_voxels = np.logical_or.reduce(
        [levels != np.uint16(empty) for levels, empty in zip(sequences, background, strict=True)]
    )
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(filled_voxels.any(axis=others))
        first.append(int(filled[0]))
        end.append(int(filled[-1]) + 1)
    inside = tuple(slice(low, high) for low, high in zip(first, end, strict=True))
    return inside, (*first, *(high - low for low, high in zip(first, end, strict=True)))  # type: ignore[return-value]


def low_bits(levels: NDArray[np.uint16]) -> int:
    """Return how many bits of the levels of a sequence are sent after its upper eight."""
    return max(0, int(levels.max()).bit_length() - 8)


def compress_planes(
    sequences: Sequence[NDArray[np.uint16]], shifts: Sequence[int]
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return, for each slice, the upper bits of all sequences and the lower bits of those that have some."""
    high, low = [], []
    for place in range(len(sequences[0])):
        slices = [levels[place] for levels in sequences]
        high.append(deflate(b"".join(_bytes(one >> by) for one, by in zip(slices, shifts, strict=True))))
        low.append(deflate(b"".join(_bytes(one & (2**by - 1)) for one, by in zip(slices, shifts, strict=True) if by)))
    return tuple(high), tuple(low)


def deflate(plain: bytes) -> bytes:
    """Return a piece of a stream. Noise has no repetitions to look for: only runs of equal bytes are."""
    if not plain:
        return b""
    engine = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return engine.compress(plain) + engine.flush(zlib.Z_FULL_FLUSH)


def _bytes(values: NDArray[np.uint16]) -> bytes:
    return values.astype(np.uint8).tobytes()


def _dark_blocks(means: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which blocks are as dark as the air at the edges of the slices; none where that is unclear."""
    edges = np.concatenate([means[:, [0, -1]].ravel(), means[:, :, [0, -1]].ravel()])
    typical = float(means.mean())
    below = edges[edges < typical]
    if not below.size:
        return np.zeros(means.shape, dtype=bool)
    lowest, quartile = np.percentile(below, (2, 25))
    limit = quartile + _SPREADS * (quartile - lowest)
    return means <= limit if limit < typical else np.zeros(means.shape, dtype=bool)
