"""Small pictures of samples, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainmri.explanation.maps import colour_table, upsample


def enlarge(grey: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Scale one sequence of a sample to a square of so many pixels, smoothly."""
    scaled: NDArray[np.uint8] = np.clip(upsample(grey, size_px).round(), 0, 255).astype(np.uint8)
    return scaled


def colour_bar(width: int, height: int) -> NDArray[np.uint8]:
    """Return the colours of maps as a bar, most evidence at the top: shape (height, width, 3)."""
    rows = colour_table()[np.linspace(255, 0, height).round().astype(np.intp)]
    return np.repeat(rows[:, None], width, axis=1)
