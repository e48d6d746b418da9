"""Small pictures of samples, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainmri.explanation.maps import colour_table, upsample


def enlarge(grey: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Scale one sequence of a sample to a square of so many pixels, smoothly."""
    scaled: NDArray[np.uint8] = np.clip(upsample(grey, size_px).round(), 0, 255).astype(np.uint8)
    return scaled


def beside_colour_bar(grey: NDArray[np.uint8], *, gap: int = 6, width: int = 10) -> NDArray[np.uint8]:
    """Put the colours of maps beside an image as a bar, most evidence at the top.

    Parameters
    ----------
    grey : ndarray, shape (H, W), uint8
    gap, width : int
        Of the bar, in pixels.

    Returns
    -------
    ndarray, shape (H, W + gap + width, 4), uint8
        Red, green, blue and opacity: nothing between the image and the bar.
    """
    rows, columns = grey.shape
    picture = np.zeros((rows, columns + gap + width, 4), dtype=np.uint8)
    picture[:, :columns, :3] = grey[..., None]
    colours = colour_table()[np.linspace(255, 0, rows).round().astype(np.intp)]  # (H, 3)
    picture[:, columns + gap :, :3] = colours[:, None]
    picture[:, :columns, 3] = picture[:, columns + gap :, 3] = 255
    return picture
