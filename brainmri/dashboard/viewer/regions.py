"""What a visitor drew in the viewer, as the browser sends it: checked before anything else sees it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from brainmri.errors import ImagingError


@dataclass(frozen=True, kw_only=True)
class DrawnRegion:
    """A square that a visitor drew, in voxels of the case's grid, counted from 0; both slices belong to it."""

    row: int
    column: int
    size_px: int
    first_slice: int
    last_slice: int


@dataclass(frozen=True, kw_only=True)
class MarkedPoint:
    """A voxel that a visitor marked, of the case's grid, counted from 0."""

    slice_index: int
    row: int
    column: int


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
    region = DrawnRegion(**_whole_numbers(sent, DrawnRegion, again="Draw the region again."))
    slices, rows, columns = grid_of(packed)
    fits = (
        region.size_px > 0
        and 0 <= region.row <= rows - region.size_px
        and 0 <= region.column <= columns - region.size_px
        and 0 <= region.first_slice <= region.last_slice < slices
    )
    if not fits:
        raise ImagingError(
            f"The region {region} reaches beyond the case's {slices} slices of {rows} × {columns} px. Draw it again."
        )
    return region


def read_mark(sent: object, packed: bytes) -> MarkedPoint:
    """Return a point that the browser sent, checked against the case.

    Parameters
    ----------
    sent : object
        Should hold the whole numbers that `MarkedPoint` names.
    packed : bytes
        The case, from `pack_case`.

    Raises
    ------
    ImagingError
        Where it is none, or lies beyond the case's grid.
    """
    point = MarkedPoint(**_whole_numbers(sent, MarkedPoint, again="Mark the place again."))
    slices, rows, columns = grid_of(packed)
    if not (0 <= point.slice_index < slices and 0 <= point.row < rows and 0 <= point.column < columns):
        raise ImagingError(
            f"The point {point} lies beyond the case's {slices} slices of {rows} × {columns} px. Mark it again."
        )
    return point


def read_head(packed: bytes) -> dict[str, Any]:
    """Return the header of a packed case."""
    (length,) = struct.unpack_from("<I", packed)
    head: dict[str, Any] = json.loads(packed[4 : 4 + length])
    return head


def grid_of(packed: bytes) -> tuple[int, int, int]:
    """Return slices, rows and columns of the case's grid, of which averaged pixels may have been sent."""
    head = read_head(packed)
    slices, rows, columns = (int(side) for side in head["shape"])
    return slices, rows * int(head["reduced"]), columns * int(head["reduced"])


def _whole_numbers(sent: object, kind: type[Any], *, again: str) -> dict[str, int]:
    names = tuple(field.name for field in fields(kind))
    if (
        not isinstance(sent, Mapping)
        or set(sent) != set(names)
        or not all(type(value) in (int, float) and value == int(value) for value in sent.values())
    ):
        raise ImagingError(f"The viewer sent {sent!r}; expected whole numbers {', '.join(names)}. {again}")
    return {name: int(sent[name]) for name in names}
