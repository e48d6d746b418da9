"""Intensity: from a scanner's arbitrary units to a common scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ImagingError


def percentile_limits(volume: NDArray[Any], *, lower: float, upper: float) -> tuple[float, float]:
    """Return the intensities between which a sequence is shown.

    The upper percentile is taken over the foreground (voxels brighter than the mean of the volume), because the share
    of air around the head differs between examinations and would move it.

    Parameters
    ----------
    volume : ndarray, shape (S, R, C)
        One sequence in the scanner's units.
    lower, upper : float
        Percentiles, 0 to 100. The lower one is taken over the whole volume, the upper one over the foreground.

    Returns
    -------
    tuple of float
        Lower and upper limit in the scanner's units.

    Raises
    ------
    ImagingError
        Where the volume is empty, constant or not finite.

    References
    ----------
    Foreground by the mean: Nyúl & Udupa 1999, "On standardizing the MR image intensity scale", Magn Reson Med 42:1072,
    doi:10.1002/(SICI)1522-2594(199912)42:6<1072::AID-MRM11>3.0.CO;2-M.
    """
    if volume.size == 0 or not np.isfinite(volume).all():
        raise ImagingError("A volume has no voxels, or voxels that are not numbers. Import the case again.")
    foreground = volume[volume > volume.mean()]
    if foreground.size == 0:
        raise ImagingError(f"All {volume.size} voxels of a volume have the value {volume.flat[0]}: there is no image.")
    return float(np.percentile(volume, lower)), float(np.percentile(foreground, upper))


def apply_limits(values: NDArray[np.generic], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Map the lower limit to 0 and the upper one to 1; what lies outside is clipped."""
    low, high = limits
    span = max(high - low, 1e-30)  # a sequence of two values only has none
    scaled: NDArray[np.float32] = np.clip((values.astype(np.float32) - low) / span, 0.0, 1.0)
    return scaled
