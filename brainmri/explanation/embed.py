"""What a run's network makes of every image of its data set before the last layer, stored for pages to compare."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainmri.explanation.embeddings import RunEmbedding, write_embedding
from brainmri.explanation.trained import Progress, images_per_pass, open_trained
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.architecture_names import find_architecture
from brainmri.training.devices import prepare_device, resolve_device
from brainmri.training.experiments import read_experiment
from brainmri.training.normalisation import prepare_input


def embed_run(study: Study, run_id: str, *, progress: Progress | None = None) -> RunEmbedding:
    """Compute and store the embedding of every image by the network of a finished run.

    On the GPU where there is one, unless the experiment asked for the processor.

    Parameters
    ----------
    study : Study
    run_id : str
    progress : callable, optional
        What it raises ends the work; an embedding that was stored before stays as it is.

    Raises
    ------
    ExplanationError
        Where there is no such run, it has not finished, or its network is not stored.
    """
    trained = open_trained(study, run_id)
    settings = read_experiment(study, trained.run.experiment_id).settings
    device = resolve_device("cpu" if settings.get("device") == "cpu" else "auto")
    prepare_device(device)
    trained.model.to(device)
    layer = find_architecture(str(trained.meta["architecture"])).head
    embedding = RunEmbedding(
        run_id=run_id,
        layer=layer,
        dataset_hash=trained.dataset.hash,
        features=inputs_of(
            trained.model,
            trained.model.get_submodule(layer),
            read_samples(study, trained.dataset.hash),
            trained.meta["normalisation"],
            progress=progress,
        ),
        made_from=trained.identity,
    )
    write_embedding(study, embedding)
    if progress is not None:
        progress(1.0, "Stored")
    return embedding


@torch.inference_mode()
def inputs_of(
    model: nn.Module,
    layer: nn.Module,
    samples: NDArray[np.uint8],
    normalisation: Any,
    *,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Return what reaches a layer for each sample, shape (N, D), float32.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode.
    layer : nn.Module
        One of its layers, which takes one row an image.
    samples : ndarray, shape (N, 3, H, W), uint8
    normalisation : mapping
        Of the checkpoint.
    progress : callable, optional
    """
    taken: list[NDArray[np.float32]] = []

    def take(_layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        taken.append(inputs[0].flatten(1).float().cpu().numpy())

    device = next(model.parameters()).device
    batch = images_per_pass(samples.shape[2:])
    hook = layer.register_forward_pre_hook(take)
    try:
        for start in range(0, len(samples), batch):
            if progress is not None:
                progress(start / len(samples), f"Image {start + 1} of {len(samples)}")
            stored = torch.from_numpy(np.array(samples[start : start + batch]))
            model(prepare_input(stored.to(device), normalisation))
    finally:
        hook.remove()
    return np.concatenate(taken)
