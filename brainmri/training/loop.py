"""The training loop: arrays in, a record out. The same code on a processor and on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn import functional

from brainmri.errors import TrainingError
from brainmri.training.architecture_names import Architecture, find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import round_weights
from brainmri.training.devices import (
    PRECISION_NAMES,
    describe_device,
    peak_memory_bytes,
    prepare_device,
    resolve_device,
    training_dtype,
)
from brainmri.training.freezing import compute_activations, first_trained_layer, make_tail
from brainmri.training.inputs import ActivationInputs, Inputs, PixelInputs
from brainmri.training.normalisation import IMAGENET_NORMALISATION, prepare_input
from brainmri.training.optimisers import learning_rate
from brainmri.training.settings import TrainingSettings
from brainmri.training.small_maps import products_for_small_maps
from brainmri.training.states import EpochRecord, TrainingState
from brainmri.training.steps import Steps

__all__ = ["EpochRecord", "RunResult", "TrainingState", "learning_rate", "predict", "train_run"]

TEST_BATCH = 256
"""Images a forward pass in testing, where no gradients take memory."""

Capture = Callable[[], TrainingState]


@dataclass(frozen=True)
class RunResult:
    """What a run leaves: a network, what it says of the test images, and how it went."""

    model: nn.Module
    """In evaluation mode, on the device, its weights rounded to the precision of the checkpoint."""
    test: NDArray[np.int64]
    """Sample indices."""
    true: NDArray[np.int64]
    """Class indices, as are ``predicted``."""
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    """Shape (n_test, K); rows sum to 1."""
    validation: NDArray[np.int64]
    """Sample indices set aside to choose by; often none."""
    validation_true: NDArray[np.int64]
    validation_probabilities: NDArray[np.float32]
    """Shape (n_validation, K)."""
    epochs: tuple[EpochRecord, ...]
    images_per_second: float
    """Training images seen, divided by the time of the epochs."""
    seconds: float
    """Wall time of building, training and testing."""
    device: str
    precision: str
    """Of matrix products in training: ``bf16``, ``fp16`` or ``fp32``. Testing is in ``fp32``."""
    peak_memory_bytes: int | None
    """Most memory taken: of the GPU by this run, or of the process in its whole life; None where it cannot be told."""
    remarks: tuple[str, ...] = ()
    """Sentences: how the training differed from what was asked for, where it did."""

    @property
    def accuracy(self) -> float:
        """Share of test images classified correctly, 0 to 1."""
        return float(np.mean(self.predicted == self.true))


def train_run(
    samples: NDArray[np.uint8],
    labels: ArrayLike,
    train: ArrayLike,
    test: ArrayLike,
    *,
    architecture: str,
    settings: TrainingSettings,
    seed: int,
    classes: int | None = None,
    device: str | None = None,
    validation: ArrayLike = (),
    activations: NDArray[np.floating] | None = None,
    state: TrainingState | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    on_state: Callable[[Capture], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RunResult:
    """Train one network on one split and test it.

    Parameters
    ----------
    samples : ndarray, shape (N, 3, H, W), uint8
        May be memory-mapped.
    labels : array_like, shape (N,), int
        Class indices.
    train, test : array_like of int
        Sample indices.
    architecture : str
    settings : TrainingSettings
    seed : int
        Of weights, order, augmentation and dropout.
    classes : int, optional
        Number of classes; default: the largest label plus one.
    device : str, optional
        Default: that of the settings.
    validation : array_like of int
        Sample indices to choose by; needed for early stopping.
    activations : ndarray, shape (V, N, …), optional
        From `compute_activations`, where layers are frozen; computed here where they are not given.
    state : TrainingState, optional
        To go on from; of the same run.
    on_epoch : callable, optional
        Called with every new `EpochRecord`.
    on_state : callable, optional
        Called after every epoch with a function that returns the `TrainingState`. Its tensors are those of the training
        itself: write them before returning.
    should_stop : callable, optional
        Asked before every batch; True ends the run with `StopRequested`.

    Raises
    ------
    StopRequested
    TrainingError
        Where there are too few images or the loss is no longer finite.
    """
    started = time.perf_counter()
    target = resolve_device(device or settings.device)
    prepare_device(target, deterministic=settings.deterministic)
    labels = np.asarray(labels, dtype=np.int64)
    train, test, validation = (np.asarray(one, dtype=np.int64) for one in (train, test, validation))
    _check_sizes(train, test)
    class_count = classes or int(labels.max()) + 1
    entry = find_architecture(architecture)
    stop = should_stop or _never
    with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
        torch.manual_seed(seed)  # weights and dropout draw from the global generators
        model = build_model(architecture, class_count, weights=settings.weights)
        model = model.to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
        trained, make_inputs = _prepare_parts(model, entry, samples, class_count, settings, seed, activations, stop)
        steps = Steps(
            trained,
            model.get_submodule(entry.head),
            make_inputs(train, 0),
            torch.from_numpy(labels[train]).to(target),
            settings,
            classes=class_count,
            seed=seed,
            validation=make_inputs(validation, 1) if len(validation) else None,
            validation_targets=torch.from_numpy(labels[validation]).to(target),
        )
        if state is not None:
            steps.restore(state)
        before = len(steps.epochs)
        products = target.type == "cpu" and steps.dtype is torch.bfloat16  # measured there only
        with products_for_small_maps(trained) if products else nullcontext():
            for record in steps.run(stop):
                (on_epoch or _ignore)(record)
                if on_state is not None:
                    on_state(steps.capture)
        steps.take_best()
    round_weights(model, settings.checkpoint_dtype)
    probabilities = predict(model, samples[test], device=target)
    own = steps.epochs[before:]  # what an earlier process did says nothing of this one's speed
    return RunResult(
        model=model,
        test=test,
        true=labels[test],
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        validation=validation,
        validation_true=labels[validation],
        validation_probabilities=predict(model, samples[validation], device=target),
        epochs=tuple(steps.epochs),
        images_per_second=len(train) * len(own) / max(sum(epoch.seconds for epoch in own), 1e-9),
        seconds=time.perf_counter() - started,
        device=describe_device(target),
        precision=PRECISION_NAMES[training_dtype(target)],
        peak_memory_bytes=peak_memory_bytes(target),
        remarks=steps.remarks(),
    )


def predict(
    model: nn.Module,
    samples: NDArray[np.uint8],
    *,
    device: torch.device | str = "cpu",
    normalisation: Mapping[str, Sequence[float]] = IMAGENET_NORMALISATION,
    batch_size: int = TEST_BATCH,
) -> NDArray[np.float32]:
    """Return class probabilities of stored samples, in float32.

    Parameters
    ----------
    model : nn.Module
        Put into evaluation mode, and onto the device in channels-last memory.
    samples : ndarray, shape (N, 3, H, W), uint8
    device : torch.device or str
    normalisation : mapping
        As in the checkpoint's metadata.
    batch_size : int

    Returns
    -------
    ndarray, shape (N, K), float32
    """
    model = model.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(samples), batch_size):
            batch = torch.from_numpy(np.array(samples[start : start + batch_size])).to(device)
            outputs.append(functional.softmax(model(prepare_input(batch, normalisation)).float(), dim=1).cpu())
    return torch.cat(outputs).numpy() if outputs else np.empty((0, 0), dtype=np.float32)


def _prepare_parts(
    model: nn.Module,
    entry: Architecture,
    samples: NDArray[np.uint8],
    classes: int,
    settings: TrainingSettings,
    seed: int,
    activations: NDArray[np.floating] | None,
    should_stop: Callable[[], bool],
) -> tuple[nn.Module, Callable[[NDArray[np.int64], int], Inputs]]:
    """Return what is trained, and a function that makes its inputs from sample indices and a number."""
    target = next(model.parameters()).device

    def generator(number: int) -> torch.Generator:
        return torch.Generator(target).manual_seed(seed + number)

    if settings.mode == "full":

        def of_pixels(indices: NDArray[np.int64], number: int) -> Inputs:
            images = torch.from_numpy(samples[indices]).to(target)  # (n, 3, H, W) uint8, all of it, once
            return PixelInputs(images, strength=settings.augmentation, generator=generator(number))

        return model, of_pixels
    layer = first_trained_layer(entry, settings)
    if activations is None:
        activations = compute_activations(
            model,
            layer,
            samples,
            views=settings.cached_views,
            strength=settings.augmentation,
            seed=settings.seed,
            device=target,
            should_stop=should_stop,
        )

    def of_activations(indices: NDArray[np.int64], number: int) -> Inputs:
        chosen = torch.from_numpy(np.ascontiguousarray(activations[:, indices])).to(target)
        return ActivationInputs(chosen, generator=generator(number))

    model.eval()  # what is frozen keeps its statistics and drops nothing
    return make_tail(model, layer, entry, classes), of_activations


def _check_sizes(train: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    if len(train) < 2 or len(test) < 1:
        raise TrainingError(
            f"This split has {len(train)} training and {len(test)} test images; expected at least 2 and 1. Import more "
            "cases."
        )


def _ignore(_record: EpochRecord) -> None:
    return None


def _never() -> bool:
    return False
