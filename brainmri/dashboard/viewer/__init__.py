"""The viewer: three linked sequences of a case with the map over them, drawn in the browser.

Python packs a case once into bytes; slices, windows, opacity, zoom and the choice of map need no further round trip.
A packed case is the length of its header (uint32), the header (JSON, filled up with spaces to a multiple of 4), the
voxels (uint16, sequence by sequence), the maps (uint8, for each class and each square), the samples (uint8, for each
square and each sequence) and the colour table; all little-endian.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.errors import ImagingError
from brainmri.explanation.maps import colour_table, upsample
from brainmri.imaging.intensity import percentile_limits
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.volumes import Placement

MAP_PX: Final = 96
"""Side of a map as it is sent; the browser scales it to the square."""

MOST_BYTES: Final = 96 * 2**20
"""Most voxels of a case, in bytes, that are sent at full resolution: a message may have 200 MB."""

_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = ("viewer", "data", "controls", "crosshair", "orientation", "region", "drawing")
"""Files that the browser gets joined, as one module."""
_LEVELS: Final = 65535
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
    box : tuple of int
        First slice, row and column that are sent, and how many of each: all others hold the lowest value of their
        sequence, as the air around a head does whose skull was removed.
    voxels : bytes
        uint16, of the box.
    reduced : int
        Pixels of the case's grid along the side of one that is sent; `shape` and `spacing_mm` are of those sent.
    placement : Placement, optional
        Where the grid lies in the patient; without it neither letters nor positions are shown.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    names: tuple[str, ...]
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    windows: tuple[tuple[float, float], ...]
    box: tuple[int, int, int, int, int, int]
    voxels: bytes
    reduced: int = 1
    placement: Placement | None = None


@dataclass(frozen=True, kw_only=True)
class ViewedSquare:
    """A square that the network saw, in pixels of the grid, and what it said of it."""

    slice_index: int
    row: int
    column: int
    size_px: int
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class DrawnRegion:
    """A square that a visitor drew, in voxels of the case's grid, counted from 0; both slices belong to it."""

    row: int
    column: int
    size_px: int
    first_slice: int
    last_slice: int


def pack_volumes(
    volumes: Mapping[str, NDArray[Any]],
    spacing_mm: tuple[float, float, float],
    placement: Placement | None = None,
) -> PackedVolumes:
    """Turn the sequences of a case into 16-bit voxels with the windows in which they are shown first.

    Slices of a case too large to send are averaged over small squares of pixels.

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
    stored, slopes, offsets, windows = [], [], [], []
    reduced = math.ceil(math.sqrt(2 * sum(volume.size for volume in volumes.values()) / MOST_BYTES))
    for volume in volumes.values():
        windows.append(percentile_limits(volume, lower=_DEFAULTS.lower_percentile, upper=_DEFAULTS.upper_percentile))
        levels, slope, offset = _to_levels(_average(volume, reduced))
        stored.append(levels)
        slopes.append(slope)
        offsets.append(offset)
    slices, rows, columns = next(iter(volumes.values())).shape
    inside, box = _filled_box(stored)
    return PackedVolumes(
        shape=(slices, rows // reduced, columns // reduced),
        spacing_mm=(spacing_mm[0], spacing_mm[1] * reduced, spacing_mm[2] * reduced),
        names=tuple(volumes),
        slopes=tuple(slopes),
        offsets=tuple(offsets),
        windows=tuple(windows),
        box=box,
        voxels=b"".join(np.ascontiguousarray(levels[inside]).tobytes() for levels in stored),
        reduced=reduced,
        placement=placement,
    )


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
) -> bytes:
    """Pack what the viewer shows of a case.

    Parameters
    ----------
    identity : str
        Changes where another case or run is shown: the viewer then starts afresh.
    volumes : PackedVolumes
    squares : sequence of ViewedSquare
        Where the network looked.
    samples : ndarray, shape (N, 3, H, W), uint8, optional
        What the network was given of the N squares, one channel a sequence.
    maps : ndarray, shape (K, N, h, w), optional
        Grad-CAM of the N squares for each of the K classes, 0 or more, unscaled.
    scales : sequence of float, optional
        For each class, the value at which its colours end; default: its largest value in this case. A visitor can
        take the latter at any time.
    classes : sequence of str
        Names of the K classes, for people.
    chosen : int
        The class whose map is shown first.
    """
    peaks = np.zeros((0, 0)) if maps is None else maps.max(axis=(2, 3), initial=0)  # (K, N)
    maxima = [float(of_class.max(initial=0)) for of_class in peaks]
    step = volumes.reduced
    header = {
        "id": identity,
        "shape": volumes.shape,
        "spacing": volumes.spacing_mm,
        "reduced": step,
        "box": volumes.box,
        "placement": _place(volumes.placement),
        "names": volumes.names,
        "slopes": volumes.slopes,
        "offsets": volumes.offsets,
        "windows": volumes.windows,
        "squares": [
            {
                "slice": one.slice_index,
                "row": one.row / step,
                "column": one.column / step,
                "size": one.size_px / step,
                "said": one.said,
            }
            for one in squares
        ],
        "samplePx": 0 if samples is None else samples.shape[2],
        "start": start_slice(squares, volumes.shape[0], maps, chosen),
        "mapSide": MAP_PX,
        "classes": list(classes) if maps is not None else [],
        "maxima": maxima,
        "scales": maxima if scales is None or maps is None else [float(end) for end in scales],
        "peaks": [[float(peak) for peak in of_class] for of_class in peaks],
        "chosen": chosen,
    }
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    layers = (
        b""
        if maps is None
        else b"".join(
            _as_shares(one, maximum).tobytes()
            for of_class, maximum in zip(maps, maxima, strict=True)
            for one in of_class
        )
    )
    seen = b"" if samples is None else np.ascontiguousarray(samples, np.uint8).tobytes()
    return b"".join((struct.pack("<I", len(text)), text, volumes.voxels, layers, seen, colour_table().tobytes()))


def start_slice(
    squares: Sequence[ViewedSquare], slices: int, maps: NDArray[np.float32] | None = None, chosen: int = 0
) -> int:
    """Return the slice to show first: that of the most evidence, else that of the largest square, else the middle."""
    if not squares:
        return slices // 2
    if maps is not None and maps.size and maps[chosen].max() > 0:
        return squares[int(maps[chosen].sum(axis=(1, 2)).argmax())].slice_index
    return squares[len(squares) // 2].slice_index


def show_viewer(packed: bytes, *, key: str, draw_region: bool = False) -> DrawnRegion | None:
    """Show the viewer. Data that has not changed is not sent again.

    Parameters
    ----------
    packed : bytes
        From `pack_case`.
    key : str
        One viewer keeps its key from case to case.
    draw_region : bool
        Whether a visitor can draw a square region over a range of slices.

    Returns
    -------
    DrawnRegion or None
        The region, in the one run of the page that follows its confirmation.

    Raises
    ------
    ImagingError
        Where the browser sends something that is no region of this case.
    """
    if not draw_region:
        _component()(data=packed, key=key)
        return None
    sent = _drawing_component()(data=packed, key=key, on_region_change=_nothing_more).region
    return None if sent is None else read_region(sent, packed)


def read_region(sent: object, packed: bytes) -> DrawnRegion:
    """Return a region that the browser sent, checked against the case.

    Parameters
    ----------
    sent : object
        Should hold the whole numbers that `DrawnRegion` names.
    packed : bytes
        The case, from `pack_case`.

    Raises
    ------
    ImagingError
        Where it is none, or reaches beyond the case's grid.
    """
    (length,) = struct.unpack_from("<I", packed)
    head = json.loads(packed[4 : 4 + length])
    slices, rows, columns = (int(side) for side in head["shape"])
    step = int(head["reduced"])
    names = tuple(field.name for field in fields(DrawnRegion))
    if (
        not isinstance(sent, Mapping)
        or set(sent) != set(names)
        or not all(type(value) in (int, float) and value == int(value) for value in sent.values())
    ):
        raise ImagingError(
            f"The viewer sent {sent!r}; expected whole numbers {', '.join(names)}. Draw the region again."
        )
    region = DrawnRegion(**{name: int(sent[name]) for name in names})
    fits = (
        region.size_px > 0
        and 0 <= region.row <= rows * step - region.size_px
        and 0 <= region.column <= columns * step - region.size_px
        and 0 <= region.first_slice <= region.last_slice < slices
    )
    if not fits:
        raise ImagingError(
            f"The region {region} reaches beyond the case's {slices} slices of {rows * step} × {columns * step} px. "
            "Draw it again."
        )
    return region


def _nothing_more() -> None:
    """Streamlit returns an event only of those for which it has a function to call."""


def _drawing_component() -> Any:
    html, css = _read("viewer.html") + _read("region.html"), _read("viewer.css")
    return st.components.v2.component("brainmri_drawing_viewer", html=html, css=css, js=_script())


def _component() -> Any:
    return st.components.v2.component(
        "brainmri_viewer", html=_read("viewer.html"), css=_read("viewer.css"), js=_script()
    )


@lru_cache(maxsize=1)
def _script() -> str:
    return "\n".join(_read(f"{name}.js") for name in _SCRIPTS)


@lru_cache(maxsize=16)
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _place(placement: Placement | None) -> dict[str, tuple[float, float, float]] | None:
    """Return a placement as the browser takes it."""
    if placement is None:
        return None
    return {
        "origin": placement.origin_mm,
        "slice": placement.slice_direction,
        "row": placement.row_direction,
        "column": placement.column_direction,
    }


def _average(volume: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Return a volume whose slices are averaged over squares of so many pixels a side."""
    if pixels == 1:
        return volume
    slices, rows, columns = volume.shape[0], volume.shape[1] // pixels, volume.shape[2] // pixels
    squares = volume[:, : rows * pixels, : columns * pixels].reshape(slices, rows, pixels, columns, pixels)
    means: NDArray[np.float32] = squares.mean(axis=(2, 4), dtype=np.float32)
    return means


def _to_levels(volume: NDArray[Any]) -> tuple[NDArray[np.uint16], float, float]:
    """Return a volume as uint16 with slope and offset; whole numbers stay exact."""
    low, high = float(volume.min()), float(volume.max())
    exact = np.issubdtype(volume.dtype, np.integer) and high - low <= _LEVELS
    slope = 1.0 if exact else (high - low) / _LEVELS or 1.0
    levels = np.rint((volume.astype(np.float32) - np.float32(low)) / np.float32(slope))
    return np.clip(levels, 0, _LEVELS).astype("<u2"), slope, low


def _filled_box(
    sequences: Sequence[NDArray[np.uint16]],
) -> tuple[tuple[slice, ...], tuple[int, int, int, int, int, int]]:
    """Return the smallest box outside which all sequences are 0, as slices of an array, and as first indices and sizes.

    Each sequence must have a voxel above 0.
    """
    first, end = [], []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(np.logical_or.reduce([levels.any(axis=others) for levels in sequences]))
        first.append(int(filled[0]))
        end.append(int(filled[-1]) + 1)
    inside = tuple(slice(low, high) for low, high in zip(first, end, strict=True))
    return inside, (*first, *(high - low for low, high in zip(first, end, strict=True)))  # type: ignore[return-value]


def _as_shares(one: NDArray[np.float32], maximum: float) -> NDArray[np.uint8]:
    """Return a map as shares of the largest value of its class in this case, 0 to 255."""
    if maximum <= 0:
        return np.zeros((MAP_PX, MAP_PX), np.uint8)
    return np.rint(np.clip(upsample(one, MAP_PX) / maximum, 0, 1) * 255).astype(np.uint8)
