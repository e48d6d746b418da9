"""A case packed into bytes for the browser.

In this order, all little-endian: the length of the header (uint32), the header (JSON, filled up with spaces to a
multiple of 4), the maps (float32, for each class and each square), the colour tables (uint8), and a deflated stream of
uint8: for each slice, the one shown first and its neighbours before those further off, the upper bits of each sequence;
the samples, for each square and each sequence; for each slice again, the lower bits of each sequence that has some.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from brainmri.dashboard.viewer.colours import NAMES, colour_tables
from brainmri.dashboard.viewer.voxels import (
    END_OF_STREAM,
    Box,
    average,
    compress_planes,
    deflate,
    filled_box,
    find_air,
    level_air,
    low_bits,
    to_levels,
)
from brainmri.imaging.intensity import percentile_limits
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.volumes import Placement

MOST_BYTES: Final = 96 * 2**20
"""Most voxels of a case, in bytes, that are sent at full resolution: the browser holds two for each."""

_DEFAULTS: Final = DatasetSettings()


@dataclass(frozen=True, kw_only=True)
class PackedVolumes:
    """The voxels of a case as the browser takes them.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows, columns.
    spacing_mm : tuple of float
        Between slices, rows, columns.
    names : tuple of str
        Sequences.
    slopes, offsets : tuple of float
        ``value = stored * slope + offset`` gives the scanner's units.
    windows : tuple of (float, float)
        Darkest and brightest value at the start, in the scanner's units.
    air : tuple of float
        For each sequence, the brightest value of the air that is not sent, in the scanner's units.
    background : tuple of int
        For each sequence, the stored value that stands for all of that air: the median of it.
    box : tuple of int
        First slice, row and column that are sent, and how many of each; around it is air.
    low_bits : tuple of int
        For each sequence, how many bits of a stored value come after its upper ones.
    high, low : tuple of bytes
        For each slice of the box, the upper bits of all sequences and the lower ones; pieces of a deflated stream.
    reduced : int
        Pixels of the case's grid along the side of one that is sent; `shape` and `spacing_mm` are of those sent.
    placement : Placement, optional
        Where the grid lies in the patient; without it neither letters nor positions are shown.
    positions : bool
        Whether the browser is told how far slices lie from the scanner's origin; the letters need it not.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    names: tuple[str, ...]
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    windows: tuple[tuple[float, float], ...]
    air: tuple[float, ...]
    background: tuple[int, ...]
    box: Box
    low_bits: tuple[int, ...]
    high: tuple[bytes, ...]
    low: tuple[bytes, ...]
    reduced: int = 1
    placement: Placement | None = None
    positions: bool = True


@dataclass(frozen=True, kw_only=True)
class ViewedSquare:
    """A square that the network saw, in pixels of the grid, and what it said of it."""

    slice_index: int
    row: int
    column: int
    size_px: int
    said: str = ""


def pack_volumes(
    volumes: Mapping[str, NDArray[Any]],
    spacing_mm: tuple[float, float, float],
    placement: Placement | None = None,
) -> PackedVolumes:
    """Turn the sequences of a case into levels with the windows in which they are shown first.

    Whole numbers stay exact but for the noise of the air around the head, which is left out. Slices of a case too large
    to send are averaged over small squares of pixels.

    Parameters
    ----------
    volumes : mapping of str to ndarray, shape (S, R, C)
        On one grid, in the scanner's units.
    spacing_mm : tuple of float
        Between slices, rows, columns.
    placement : Placement, optional
        Where the grid lies in the patient.

    Raises
    ------
    ImagingError
        Where a volume is empty, constant or not finite.
    """
    limits = {"lower": _DEFAULTS.lower_percentile, "upper": _DEFAULTS.upper_percentile}
    windows = tuple(percentile_limits(volume, **limits) for volume in volumes.values())
    reduced = math.ceil(math.sqrt(2 * sum(volume.size for volume in volumes.values()) / MOST_BYTES))
    shown = [average(volume, reduced) for volume in volumes.values()]
    stored, slopes, offsets = zip(*(to_levels(volume) for volume in shown), strict=True)
    noise = find_air(shown)
    air, background = zip(*(level_air(levels, noise) for levels in stored), strict=True)
    inside, box = filled_box(stored, background)
    shifts = tuple(low_bits(levels) for levels in stored)
    high, low = compress_planes([np.ascontiguousarray(levels[inside]) for levels in stored], shifts)
    slices, rows, columns = shown[0].shape
    return PackedVolumes(
        shape=(slices, rows, columns),
        spacing_mm=(spacing_mm[0], spacing_mm[1] * reduced, spacing_mm[2] * reduced),
        names=tuple(volumes),
        slopes=slopes,
        offsets=offsets,
        windows=windows,
        air=tuple(offset + most * slope for offset, most, slope in zip(offsets, air, slopes, strict=True)),
        background=background,
        box=box,
        low_bits=shifts,
        high=high,
        low=low,
        reduced=reduced,
        placement=placement,
    )


def without_position(volumes: PackedVolumes) -> PackedVolumes:
    """Return voxels that say how the patient lies, to a hundredth of the direction, and not where in the scanner."""
    return replace(volumes, positions=False)


def pack_case(
    identity: str,
    volumes: PackedVolumes,
    *,
    squares: Sequence[ViewedSquare] = (),
    samples: NDArray[np.uint8] | None = None,
    maps: NDArray[np.float32] | None = None,
    scales: Sequence[float] | None = None,
    classes: Sequence[str] = (),
    chosen: int = 0,
    signed: bool = False,
    shows: Literal["evidence", "spread"] = "evidence",
    scale_of: str = "this run",
) -> bytes:
    """Pack what the viewer shows of a case.

    Parameters
    ----------
    identity : str
        Changes where another case or run is shown: the viewer then starts afresh. May be any key.
    volumes : PackedVolumes
    squares : sequence of ViewedSquare
        Where the network looked.
    samples : ndarray, shape (N, 3, H, W), uint8, optional
        What the network was given of the N squares, one channel a sequence.
    maps : ndarray, shape (K, N, h, w), optional
        A map of each of the N squares for each of the K classes, unscaled.
    scales : sequence of float, optional
        For each class, the value at which its colours end; default: its largest value in this case. A visitor can
        take the latter at any time.
    classes : sequence of str
        Names of the K classes, for people.
    chosen : int
        The class whose map is shown first.
    signed : bool
        Whether maps also show, below 0, what speaks against the class: a visitor can ask for it.
    shows : str
        ``evidence`` for a class, or the ``spread`` of it.
    scale_of : str
        What `scales` were taken from, for people.
    """
    start = start_slice(squares, volumes.shape[0], maps, chosen)
    order = _order(volumes.box, start)
    stream = b"".join(
        (
            *(volumes.high[place] for place in order),
            b"" if samples is None else deflate(np.ascontiguousarray(samples, np.uint8).tobytes()),
            *(volumes.low[place] for place in order),
            END_OF_STREAM,
        )
    )
    header = {
        "id": identity,
        **_describe_volumes(volumes),
        "order": [volumes.box[0] + place for place in order],
        "stream": zlib.crc32(stream),
        "streamBytes": len(stream),
        "start": start,
        "squares": [_describe_square(one, volumes.reduced) for one in squares],
        "samplePx": 0 if samples is None else samples.shape[2],
        **_describe_maps(maps, scales),
        "classes": list(classes) if maps is not None else [],
        "chosen": chosen,
        "signed": signed,
        "shows": shows,
        "scaleOf": scale_of,
        "colours": NAMES,
    }
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    evidence = b"" if maps is None else np.ascontiguousarray(maps, "<f4").tobytes()
    return b"".join((struct.pack("<I", len(text)), text, evidence, colour_tables().tobytes(), stream))


def start_slice(
    squares: Sequence[ViewedSquare], slices: int, maps: NDArray[np.float32] | None = None, chosen: int = 0
) -> int:
    """Return the slice to show first: that of the most evidence, else that of the largest square, else the middle."""
    if not squares:
        return slices // 2
    if maps is not None and maps.size and maps[chosen].max() > 0:
        return squares[int(np.maximum(maps[chosen], 0).sum(axis=(1, 2)).argmax())].slice_index
    return squares[len(squares) // 2].slice_index


def _order(box: Box, start: int) -> list[int]:
    """Return the slices of a box, the nearest to the first one shown before the others."""
    return sorted(range(box[3]), key=lambda place: (abs(box[0] + place - start), place))


def _describe_volumes(volumes: PackedVolumes) -> dict[str, Any]:
    return {
        "voxels": zlib.crc32(b"".join((*volumes.high, *volumes.low))),
        "shape": volumes.shape,
        "spacing": volumes.spacing_mm,
        "reduced": volumes.reduced,
        "box": volumes.box,
        "placement": _place(volumes.placement, positions=volumes.positions),
        "names": volumes.names,
        "slopes": volumes.slopes,
        "offsets": volumes.offsets,
        "windows": volumes.windows,
        "air": volumes.air,
        "background": volumes.background,
        "lowBits": volumes.low_bits,
    }


def _describe_square(square: ViewedSquare, step: int) -> dict[str, float | str]:
    return {
        "slice": square.slice_index,
        "row": square.row / step,
        "column": square.column / step,
        "size": square.size_px / step,
        "said": square.said,
    }


def _describe_maps(maps: NDArray[np.float32] | None, scales: Sequence[float] | None) -> dict[str, Any]:
    """Return the grid of the maps and how strong they are for each class and square, for it and against it."""
    if maps is None:
        return {"mapGrid": [0, 0], "peaks": [], "troughs": [], "maxima": [], "scales": []}
    peaks = maps.max(axis=(2, 3), initial=0)  # (K, N)
    troughs = -maps.min(axis=(2, 3), initial=0)
    maxima = peaks.max(axis=1, initial=0).tolist()
    return {
        "mapGrid": maps.shape[2:],
        "peaks": peaks.tolist(),
        "troughs": troughs.tolist(),
        "maxima": maxima,
        "scales": maxima if scales is None else [float(end) for end in scales],
    }


def _place(placement: Placement | None, *, positions: bool) -> dict[str, Sequence[float] | None] | None:
    """Return a placement as the browser takes it."""
    if placement is None:
        return None
    axes = {
        "slice": placement.slice_direction,
        "row": placement.row_direction,
        "column": placement.column_direction,
    }
    if positions:
        return {"origin": placement.origin_mm, **axes}
    return {"origin": None, **{name: [round(share, 2) for share in axis] for name, axis in axes.items()}}
