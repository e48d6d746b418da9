"""Slices of a case as grey pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.intake.volumes import read_case
from brainmri.study import Study

SIDE_PX: Final = 420
"""Longer side of a picture."""

_PERCENTILES: Final = (1.0, 99.5)


@dataclass(frozen=True)
class CaseSlice:
    """One slice of a case on its three sequences."""

    index: int
    """From 0, inferior first."""
    slices: int
    has_tumour: bool
    """Whether the slice is chosen because the tumour is largest on it."""
    pictures: dict[str, bytes]
    """PNG of each sequence."""


@st.cache_data(show_spinner=False, max_entries=64)
def draw_tumour_slice(_study: Study, url: str, case_id: str, content_digest: str) -> CaseSlice:
    """Draw the slice on which the tumour is largest, or the middle one where there is no mask.

    Parameters
    ----------
    _study : Study
    url, content_digest : str
        Address of the study and digest of the case: they tell cases of the same name apart.
    case_id : str

    Raises
    ------
    IntakeError
        Where a volume is missing or cannot be read.
    """
    volumes = read_case(_study, case_id)
    slices = volumes.arrays["T1c"].shape[0]
    areas = None if volumes.mask is None else volumes.mask.sum(axis=(1, 2))
    has_tumour = areas is not None and bool(areas.any())
    index = int(areas.argmax()) if areas is not None and has_tumour else slices // 2
    _, row_mm, column_mm = volumes.spacing_mm
    pictures = {
        name: _png(_as_grey(array, index), row_mm=row_mm, column_mm=column_mm) for name, array in volumes.arrays.items()
    }
    return CaseSlice(index, slices, has_tumour, pictures)


def _as_grey(volume: NDArray[Any], index: int) -> NDArray[np.uint8]:
    """Scale a slice to 0..255 between percentiles of its volume's foreground."""
    foreground = volume[volume > volume.min()]
    low, high = np.percentile(foreground, _PERCENTILES) if foreground.size else (0.0, 1.0)
    scaled = (volume[index].astype(np.float32) - low) / max(float(high - low), 1e-6)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _png(grey: NDArray[np.uint8], *, row_mm: float, column_mm: float) -> bytes:
    """Return a PNG in true proportions."""
    from PIL import Image  # noqa: PLC0415

    rows, columns = grey.shape
    height, width = rows * row_mm, columns * column_mm
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    buffer = io.BytesIO()
    Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()
