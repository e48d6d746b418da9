"""What stands in for a sequence, or a place, that is taken away from a network's input.

A network always gets three channels: 'without T1c' means 'with something in its place'. What that something is changes
the answer, so that there is a choice, and every record names it.

References
----------
Fong and Vedaldi, Interpretable explanations of black boxes by meaningful perturbation, ICCV 2017,
https://doi.org/10.1109/ICCV.2017.371 (blurring)
Sturmfels et al., Visualizing the impact of feature attribution baselines, Distill 2020,
https://doi.org/10.23915/distill.00022
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from brainmri.errors import ExplanationError

BLUR_SHARE: Final = 0.1
"""Standard deviation of the Gaussian relative to the side of a sample: 22 px of 224. A tumour that fills most of the
region loses its outline and texture; the brightness around each place stays."""

_MEAN_CHUNK: Final = 256
"""Images read at once."""


def default_sigma_px(size_px: int) -> float:
    """Return the standard deviation of the Gaussian blur, in pixels, for samples of this side."""
    return BLUR_SHARE * size_px


def blur(images: Tensor, sigma_px: float) -> Tensor:
    """Blur images with a Gaussian; beyond the edge the outermost pixels go on.

    Parameters
    ----------
    images : Tensor, shape (…, H, W), floating
    sigma_px : float
        Standard deviation in pixels, above 0.

    Returns
    -------
    Tensor, shape (…, H, W)
    """
    rows, columns = (_blur_matrix(size, sigma_px) for size in images.shape[-2:])
    down = torch.from_numpy(rows).to(images)
    across = torch.from_numpy(columns).to(images)
    return down @ images @ across.T


def mean_image(samples: NDArray[np.uint8], indices: ArrayLike) -> NDArray[np.float32]:
    """Return the mean of samples, pixel by pixel and for each sequence.

    Parameters
    ----------
    samples : ndarray, shape (N, 3, H, W), uint8
        May be memory-mapped.
    indices : array_like of int
        The samples to take.

    Returns
    -------
    ndarray, shape (3, H, W), float32, 0 to 255
    """
    chosen = np.asarray(indices, dtype=np.int64)
    if not len(chosen):
        raise ExplanationError(
            "The mean of the training images was asked for, and the run has none. Choose the baseline 'blurred'."
        )
    total = np.zeros(samples.shape[1:], dtype=np.float64)
    for start in range(0, len(chosen), _MEAN_CHUNK):
        total += samples[chosen[start : start + _MEAN_CHUNK]].sum(axis=0, dtype=np.float64)
    return (total / len(chosen)).astype(np.float32)


def draw_donors(case_ids: Sequence[str], *, draws: int, seed: int) -> NDArray[np.int64]:
    """Draw for each sample others that come from another patient.

    Parameters
    ----------
    case_ids : sequence of str, length N
        The case of each sample; a case is one patient's examination.
    draws : int
        Donors for each sample. Drawn with replacement.
    seed : int

    Returns
    -------
    ndarray, shape (N, draws), int64
        Positions in ``case_ids``.

    Raises
    ------
    ExplanationError
        Where all samples are of one patient.
    """
    cases = np.asarray(case_ids)
    generator = np.random.default_rng(seed)
    donors = np.empty((len(cases), draws), dtype=np.int64)
    for position, case in enumerate(cases):
        others = np.flatnonzero(cases != case)
        if not len(others):
            raise ExplanationError(
                f"Another patient's images were asked for in place of a sequence, and all {len(cases)} samples are of "
                f"{case}. Choose the baseline 'blurred' or 'mean'."
            )
        donors[position] = generator.choice(others, size=draws)
    return donors


def _blur_matrix(size: int, sigma_px: float) -> NDArray[np.float64]:
    """Return the share (size, size) of each pixel in each blurred one, along one axis; cut at four sigma."""
    radius = int(4 * sigma_px + 0.5)
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel /= kernel.sum()
    matrix = np.zeros((size, size))
    for pixel in range(size):
        np.add.at(matrix[pixel], np.clip(pixel + offsets, 0, size - 1), kernel)
    return matrix
