"""The last activations of a network before its head, for every sample of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from brainmri.errors import ExplanationError
from brainmri.explanation.modes import evaluating
from brainmri.explanation.neighbours import PARTS, RunFeatures
from brainmri.explanation.trained import Progress, TrainedRun, images_per_pass
from brainmri.training.architecture_names import find_architecture
from brainmri.training.normalisation import prepare_input


def features_of_run(
    trained: TrainedRun,
    samples: NDArray[np.uint8],
    *,
    case_ids: Sequence[str],
    true_class: ArrayLike,
    test: ArrayLike,
    validation: ArrayLike = (),
    progress: Progress | None = None,
) -> RunFeatures:
    """Return the input of the head, and the answer, for every sample of the data set.

    Parameters
    ----------
    trained : TrainedRun
    samples : ndarray, shape (N, 3, H, W), uint8
        May be memory-mapped.
    case_ids : sequence of str, length N
    true_class : array_like of int, shape (N,)
    test, validation : array_like of int
        Sample indices of the run's split; all others were trained on.
    progress : callable, optional
        Called before each pass; what it raises ends the work.
    """
    part = np.full(len(samples), PARTS.index("train"), dtype=np.int64)
    part[np.asarray(validation, dtype=np.int64)] = PARTS.index("validation")
    part[np.asarray(test, dtype=np.int64)] = PARTS.index("test")
    features, logits = head_inputs(trained, samples, progress=progress)
    return RunFeatures(
        classes=trained.classes,
        made_from=trained.identity,
        features=_unit_rows(features).astype(np.float16),
        case_ids=tuple(case_ids),
        true_class=np.asarray(true_class, dtype=np.int64),
        predicted_class=logits.argmax(axis=1),
        part=part,
    )


def head_inputs(
    trained: TrainedRun, samples: NDArray[np.uint8], *, progress: Progress | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what comes into the last layer (N, F) and what comes out of it (N, K)."""
    if not len(samples):
        raise ExplanationError("The data set has no samples, so that there are no activations to store.")
    model, device = trained.model, next(trained.model.parameters()).device
    head = model.get_submodule(find_architecture(trained.meta["architecture"]).head)
    batch = images_per_pass(samples.shape[2:])
    logits = []
    with evaluating(model), torch.inference_mode(), _listening(head) as heard:
        for start in range(0, len(samples), batch):
            if progress is not None:
                progress(start / len(samples), f"Activations of image {start + 1} of {len(samples)}")
            stored = torch.from_numpy(np.array(samples[start : start + batch])).to(device)
            logits.append(model(prepare_input(stored, trained.meta["normalisation"])).float().cpu())
    return torch.cat(heard).numpy(), torch.cat(logits).numpy()


def _unit_rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1: only their direction counts, and half precision holds it whatever their size."""
    lengths: NDArray[np.float32] = np.linalg.norm(values, axis=1, keepdims=True).astype(np.float32)
    lengths[lengths == 0] = 1
    return values / lengths


@contextmanager
def _listening(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Within the block: what comes into a layer is added to the list."""
    heard: list[Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        heard.append(inputs[0].float().cpu().clone())  # the layer may work in place

    hook = layer.register_forward_pre_hook(keep)
    try:
        yield heard
    finally:
        hook.remove()
