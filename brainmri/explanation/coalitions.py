"""The eight games behind the contributions of three sequences: each image with some of its sequences replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from brainmri.errors import ExplanationError
from brainmri.explanation.baselines import blur, default_sigma_px, draw_donors, mean_image
from brainmri.explanation.contributions import COALITIONS, PLAYERS, Baseline, RunContributions
from brainmri.explanation.modes import evaluating
from brainmri.explanation.trained import Progress, TrainedRun, images_per_pass
from brainmri.training.normalisation import apply_normalisation

Replace = Callable[[slice, Tensor], Tensor]
"""Takes a range of samples and their images (B, 3, H, W), 0 to 1, and returns what stands in for them, (B, D, 3, H, W)
for D draws."""

DRAWS = 4
"""Other patients for each image, where the baseline is another patient: one alone decides too much."""


def contributions_of_run(
    trained: TrainedRun,
    samples: NDArray[np.uint8],
    tested: ArrayLike,
    baseline: Baseline,
    *,
    train: ArrayLike = (),
    case_ids: Sequence[str] = (),
    progress: Progress | None = None,
) -> RunContributions:
    """Play the eight games of test images of a run.

    Parameters
    ----------
    trained : TrainedRun
    samples : ndarray, shape (N, 3, H, W), uint8
        All samples of the data set.
    tested : array_like of int
        Indices of the images to explain, M of them.
    baseline : Baseline
        See `make_baseline`.
    train : array_like of int
        Indices of the training images; needed for the baseline ``mean``.
    case_ids : sequence of str
        The case of each sample of the data set; needed for ``other-patient``, whose donors come from ``tested``.
    progress : callable, optional
        What it raises ends the work.
    """
    indices = np.asarray(tested, dtype=np.int64)
    device = next(trained.model.parameters()).device
    chosen = samples[indices]  # (M, 3, H, W)
    replace: Replace
    if baseline.name == "blurred":
        if baseline.sigma_px is None or baseline.sigma_px <= 0:
            raise ExplanationError(f"The blur needs a sigma above 0 pixels; found {baseline.sigma_px}.")
        sigma_px = baseline.sigma_px
        replace = lambda _range, images: blur(images, sigma_px)[:, None]  # noqa: E731
    elif baseline.name == "mean":
        mean = torch.from_numpy(mean_image(samples, train) / 255).to(device)
        replace = lambda _range, images: mean.expand(len(images), 1, *mean.shape)  # noqa: E731
    else:
        donors = draw_donors([case_ids[index] for index in indices], draws=baseline.draws, seed=baseline.seed or 0)
        replace = lambda part, _images: torch.from_numpy(chosen[donors[part]]).to(device).float() / 255  # noqa: E731
    logits = coalition_logits(
        trained.model, chosen, replace, normalisation=trained.meta["normalisation"], progress=progress
    )
    return RunContributions(
        classes=trained.classes,
        baseline=baseline,
        made_from=trained.identity,
        sample_index=indices,
        logits=logits,
    )


def make_baseline(name: str, size_px: int, *, seed: int = 0) -> Baseline:
    """Return a baseline with the usual settings for samples of this side.

    Raises
    ------
    ExplanationError
        For a name that is not in `brainmri.explanation.contributions.BASELINES`.
    """
    if name == "blurred":
        return Baseline(name="blurred", sigma_px=default_sigma_px(size_px))
    if name == "mean":
        return Baseline(name="mean")
    if name == "other-patient":
        return Baseline(name="other-patient", draws=DRAWS, seed=seed)
    raise ExplanationError(f"There is no baseline '{name}'; expected blurred, mean or other-patient.")


def coalition_logits(
    model: nn.Module,
    samples: NDArray[np.uint8],
    replace: Replace,
    *,
    normalisation: Mapping[str, Sequence[float]],
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Return the logits of images with each choice of their sequences replaced: eight forward passes an image and draw.

    Parameters
    ----------
    model : nn.Module
    samples : ndarray, shape (N, 3, H, W), uint8
    replace : callable
    normalisation : mapping
        Applied after replacing, which works on intensities.
    batch_size : int, optional
        Images a forward pass.
    progress : callable, optional

    Returns
    -------
    ndarray, shape (N, D, 8, K), float32
    """
    device = next(model.parameters()).device
    step = batch_size or images_per_pass(samples.shape[2:])
    kept = torch.tensor(
        [[bool(coalition >> player & 1) for player in range(PLAYERS)] for coalition in range(COALITIONS)], device=device
    )[:, :, None, None]  # (8, 3, 1, 1)
    found = []
    with evaluating(model), torch.inference_mode():
        for start in range(0, len(samples), step):
            if progress is not None:
                progress(start / len(samples), f"Sequences of image {start + 1} of {len(samples)}")
            part = slice(start, start + step)
            images = torch.from_numpy(np.array(samples[part])).to(device).float() / 255
            others = replace(part, images)  # (B, D, 3, H, W)
            mixed = torch.where(kept, images[:, None, None], others[:, :, None])  # (B, D, 8, 3, H, W)
            inputs = apply_normalisation(mixed.flatten(0, 2), normalisation)
            inputs = inputs.contiguous(memory_format=torch.channels_last)
            logits = torch.cat([model(piece).float() for piece in inputs.split(step)])
            found.append(logits.unflatten(0, mixed.shape[:3]).cpu())
    return torch.cat(found).numpy()
