"""Activations of frozen layers on disk: one pass over the data set serves all runs of an architecture."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.devices import resolve_device
from brainmri.training.freezing import compute_activations, first_trained_layer
from brainmri.training.settings import TrainingSettings
from brainmri.training.weights import weights_digest


def shared_activations(
    study: Study,
    dataset: Dataset,
    samples: NDArray[np.uint8],
    architecture: str,
    settings: TrainingSettings,
    should_stop: Callable[[], bool],
) -> NDArray[np.floating] | None:
    """Return the activations before the first trained layer, from disk or computed and stored there.

    Parameters
    ----------
    study : Study
    dataset : Dataset
    samples : ndarray, shape (N, 3, H, W), uint8
        Of the data set.
    architecture : str
    settings : TrainingSettings
    should_stop : callable

    Returns
    -------
    ndarray, shape (V, N, …), or None
        Memory-mapped; None where all layers are trained.
    """
    if settings.mode == "full":
        return None
    entry = find_architecture(architecture)
    layer = first_trained_layer(entry, settings)
    path = (
        study.dataset_folder(dataset.hash) / "activations" / f"{architecture}-{_key(architecture, layer, settings)}.npy"
    )
    if not path.is_file():
        values = compute_activations(
            build_model(architecture, len(dataset.classes), weights=settings.weights),
            layer,
            samples,
            views=settings.cached_views,
            strength=settings.augmentation,
            seed=settings.seed,
            device=resolve_device(settings.device),
            should_stop=should_stop,
        )
        _write(path, values)
    found: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    return found


def _key(architecture: str, layer: str, settings: TrainingSettings) -> str:
    """Return a digest of all that the activations depend on, beside the data set."""
    parts = {
        "layer": layer,
        "weights": weights_digest(architecture, settings.weights),
        "views": settings.cached_views,
        "augmentation": settings.augmentation if settings.cached_views > 1 else 0,
        "seed": settings.seed if settings.cached_views > 1 else 0,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _write(path: Path, values: NDArray[np.floating]) -> None:
    """Write under a temporary name and rename; two processes that compute the same write the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            np.save(stream, values, allow_pickle=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
