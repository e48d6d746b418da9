"""Pictures of a slice with the square that the network saw, without and with the map."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from brainmri.explanation.maps import overlay, upsample
from brainmri.imaging.regions import SquareRegion
from brainmri.takeaway.evidence import CaseEvidence, grey_slice

PICTURE_PX: Final = 480
"""Width of a picture on the page."""

OUTLINE: Final = (79, 195, 247)
"""Colour of the square: the accent of the dashboard."""

_OPACITY: Final = 0.6
_SURROUNDINGS: Final = 2
"""Side of an enlarged view, in sides of the square."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """The part of a slice that is drawn, in pixels of the grid, and the picture pixels for each of them."""

    row: int
    column: int
    rows: int
    columns: int
    down: float
    across: float

    def box(self, region: SquareRegion) -> tuple[int, int, int, int]:
        """Return the top, left, height and width of the square in the picture; may lie outside."""
        return (
            round((region.row - self.row) * self.down),
            round((region.column - self.column) * self.across),
            max(round(region.size_px * self.down), 1),
            max(round(region.size_px * self.across), 1),
        )


def draw_slice(
    evidence: CaseEvidence,
    sequence: str,
    place: int,
    *,
    class_index: int | None = None,
    enlarged: bool = False,
    width_px: int = PICTURE_PX,
) -> NDArray[np.uint8]:
    """Draw one sequence of a slice in its true proportions, with the square outlined.

    Parameters
    ----------
    evidence : CaseEvidence
    sequence : str
    place : int
        Among the slices that the network saw.
    class_index : int, optional
        The class whose map is laid over it; without it, or where there is no map, the slice alone is drawn.
    enlarged : bool
        Draw the surroundings of the square in place of the whole slice.
    width_px : int
        Of the picture.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    region = evidence.tested.slices[place].region
    grey = grey_slice(evidence.volumes.arrays[sequence][region.slice_index], evidence.limits[sequence])
    view = _view(grey.shape, evidence.volumes.spacing_mm, region if enlarged else None, width_px)
    part = grey[view.row : view.row + view.rows, view.column : view.column + view.columns]
    size = width_px, max(round(view.rows * view.down), 1)
    large = np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BICUBIC))
    shares = np.zeros(large.shape, np.float32)
    if class_index is not None:
        _lay_map(shares, evidence, place, class_index, view)
    picture = Image.fromarray(overlay(large, shares, _OPACITY))
    top, left, height, width = view.box(region)
    outline = (left, top, left + width - 1, top + height - 1)
    ImageDraw.Draw(picture).rectangle(outline, outline=OUTLINE, width=max(width_px // 240, 1))
    return np.asarray(picture)


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG file without any text in it."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", compress_level=4)
    return stream.getvalue()


def _view(
    shape: tuple[int, ...], spacing_mm: tuple[float, float, float], region: SquareRegion | None, width_px: int
) -> _View:
    """Return the view of a whole slice, or of the surroundings of a square."""
    rows, columns = shape[0], shape[1]
    row = column = 0
    if region is not None:
        side = min(_SURROUNDINGS * region.size_px, rows, columns)
        row = min(max(region.row + (region.size_px - side) // 2, 0), rows - side)
        column = min(max(region.column + (region.size_px - side) // 2, 0), columns - side)
        rows = columns = side
    across = width_px / columns
    return _View(
        row=row, column=column, rows=rows, columns=columns, down=across * spacing_mm[1] / spacing_mm[2], across=across
    )


def _lay_map(shares: NDArray[np.float32], evidence: CaseEvidence, place: int, class_index: int, view: _View) -> None:
    """Write the map, as a share of the run's scale, into the pixels of the square."""
    found = evidence.map_of(place, class_index)
    if found is None or evidence.maps is None:
        return
    scale = evidence.maps.scales[class_index]
    top, left, height, width = view.box(evidence.tested.slices[place].region)
    square = upsample(found, (height, width)) / max(scale, 1e-30)
    first_row, first_column = max(top, 0), max(left, 0)
    last_row, last_column = min(top + height, shares.shape[0]), min(left + width, shares.shape[1])
    if first_row < last_row and first_column < last_column:
        shares[first_row:last_row, first_column:last_column] = square[
            first_row - top : last_row - top, first_column - left : last_column - left
        ]
