"""Maps of one image over the repeats of a network: their mean and how far they lie apart. Without torch.

The values of two networks, and of two repeats, have no common unit: a network with large activations has large maps.
So each map counts as a share of what is strong evidence to its own run (`RunMaps.scales`); shares can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.explanation.maps import RunMaps, upsample


@dataclass(frozen=True, eq=False, kw_only=True)
class MapSpread:
    """Maps of one image for one class by several repeats."""

    n: int
    empty: int
    """Of these, maps without evidence for the class; they count as 0 everywhere."""
    mean: NDArray[np.float32]
    """Shape (H, W), as a share of what is strong evidence to each run; 1 and more is strong."""
    sd: NDArray[np.float32] | None
    """Standard deviation (n − 1), shape (H, W); None where there is one map only."""


def map_share(maps: RunMaps, sample_index: int, class_index: int, size_px: int) -> NDArray[np.float32]:
    """Return a map as a share of what is strong evidence for the class to its run.

    Parameters
    ----------
    maps : RunMaps
    sample_index, class_index : int
    size_px : int
        Side to scale up to.

    Returns
    -------
    ndarray, shape (size_px, size_px), float32
        0 without evidence for the class, 1 and more where it is strong; 0 everywhere where no image of the run has any.
    """
    evidence, scale = np.maximum(maps.of(sample_index, class_index), 0), maps.scales[class_index]
    return upsample(evidence / scale if scale > 0 else np.zeros_like(evidence), size_px)


def spread_over_repeats(maps: Sequence[RunMaps], sample_index: int, class_index: int, size_px: int) -> MapSpread | None:
    """Return the mean and the spread of the maps of one image by the repeats that tested it; None where none did.

    Parameters
    ----------
    maps : sequence of RunMaps
        Of repeats of one architecture, by one method; those that did not test the image are left out.
    sample_index, class_index : int
    size_px : int
        Side to scale up to.
    """
    shares = [map_share(one, sample_index, class_index, size_px) for one in maps if sample_index in one.sample_index]
    if not shares:
        return None
    stacked = np.stack(shares)  # (n, H, W)
    return MapSpread(
        n=len(shares),
        empty=sum(not share.any() for share in shares),
        mean=stacked.mean(axis=0),
        sd=stacked.std(axis=0, ddof=1) if len(shares) > 1 else None,
    )


def strongest_sample(maps: RunMaps, samples: Sequence[int], class_index: int) -> int:
    """Return the one of several images whose map has most evidence for a class, the first of equal ones.

    Parameters
    ----------
    maps : RunMaps
    samples : sequence of int
        Sample indices that the run tested.
    class_index : int
    """
    return max(samples, key=lambda sample: float(np.maximum(maps.of(sample, class_index), 0).sum()))
