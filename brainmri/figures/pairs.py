"""Two images of a data set side by side, as one picture."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.near_duplicates import NearPair
from brainmri.vocabulary import SEQUENCES

SHOWN_SEQUENCE: Final = "T1c"
_GAP_SHARE: Final = 0.03


def pair_picture(samples: NDArray[np.uint8], pair: NearPair) -> NDArray[np.uint8]:
    """Return the T1c of a test image and of its training image beside one another.

    Parameters
    ----------
    samples : ndarray, shape (N, 3, H, W), uint8
        Channels T1, T2, T1c; also memory-mapped.
    pair : NearPair

    Returns
    -------
    ndarray, shape (H, 2 · W + gap), uint8
    """
    channel = SEQUENCES.index(SHOWN_SEQUENCE)
    left, right = (np.asarray(samples[index, channel]) for index in (pair.test_sample, pair.train_sample))
    gap = np.zeros((left.shape[0], max(round(_GAP_SHARE * left.shape[1]), 1)), dtype=np.uint8)
    return np.concatenate([left, gap, right], axis=1)
