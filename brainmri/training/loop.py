"""The training loop: arrays in, a record out. The same code on a processor and on a GPU."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional

from brainmri.errors import StopRequested, TrainingError
from brainmri.training.architectures import build_model
from brainmri.training.augmentation import augment
from brainmri.training.checkpoints import round_weights
from brainmri.training.devices import PRECISION_NAMES, describe_device, prepare_device, resolve_device, training_dtype
from brainmri.training.normalisation import IMAGENET_NORMALISATION, apply_normalisation, prepare_input
from brainmri.training.settings import TrainingSettings
from brainmri.training.small_maps import products_for_small_maps

WARM_UP_SHARE = 0.15
"""Share of all steps in which the learning rate rises to its peak; from there it falls along half a cosine."""

TEST_BATCH = 256
"""Images a forward pass in testing, where no gradients take memory."""


@dataclass(frozen=True)
class EpochRecord:
    """One pass over the training images."""

    epoch: int
    """From 1."""
    train_loss: float
    """Mean cross-entropy in nats over the augmented images."""
    train_accuracy: float
    learning_rate: float
    """At the last step of the epoch."""
    seconds: float


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
    epochs: tuple[EpochRecord, ...]
    images_per_second: float
    """Training images seen, divided by the time of the epochs."""
    seconds: float
    """Wall time of building, training and testing."""
    device: str
    precision: str
    """Of matrix products in training: ``bf16``, ``fp16`` or ``fp32``. Testing is in ``fp32``."""

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
    on_epoch: Callable[[EpochRecord], None] | None = None,
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
    on_epoch : callable, optional
        Called with every `EpochRecord`.
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
    prepare_device(target)
    labels = np.asarray(labels, dtype=np.int64)
    train, test = np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)
    _check_sizes(train, test)
    class_count = classes or int(labels.max()) + 1
    with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
        torch.manual_seed(seed)  # weights and dropout draw from the global generators
        model = build_model(architecture, class_count, weights=settings.weights)
        model = model.to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.from_numpy(samples[train]).to(target)  # (n_train, 3, H, W) uint8, all of it, once
        targets = torch.from_numpy(labels[train]).to(target)
        loop = _Loop(model, images, targets, settings, seed=seed)
        products = target.type == "cpu" and loop.dtype is torch.bfloat16  # measured there only
        with products_for_small_maps(model) if products else nullcontext():
            epochs = loop.run(on_epoch or _ignore, should_stop or _never)
    round_weights(model, settings.checkpoint_dtype)
    probabilities = predict(model, samples[test], device=target)
    return RunResult(
        model=model,
        test=test,
        true=labels[test],
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        epochs=tuple(epochs),
        images_per_second=len(train) * len(epochs) / max(sum(epoch.seconds for epoch in epochs), 1e-9),
        seconds=time.perf_counter() - started,
        device=describe_device(target),
        precision=PRECISION_NAMES[training_dtype(target)],
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
    return torch.cat(outputs).numpy()


class _Loop:
    """The state of one training: network, data, optimiser, generators."""

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        targets: Tensor,
        settings: TrainingSettings,
        *,
        seed: int,
    ) -> None:
        self.model, self.images, self.targets, self.settings = model, images, targets, settings
        self.device = images.device
        self.dtype = training_dtype(self.device)
        self.peak_rate = settings.learning_rate
        self.optimiser = _make_optimiser(model, settings)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)
        self.order_rng = torch.Generator().manual_seed(seed)
        self.augmentation_rng = torch.Generator(self.device).manual_seed(seed)
        self.batches = _batch_count(len(images), settings.batch_size)
        self.steps = self.batches * settings.epochs
        self.step = 0

    def run(self, on_epoch: Callable[[EpochRecord], None], should_stop: Callable[[], bool]) -> list[EpochRecord]:
        """Train all epochs."""
        self.model.train()
        records = []
        for epoch in range(1, self.settings.epochs + 1):
            record = self._run_epoch(epoch, should_stop)
            if not math.isfinite(record.train_loss):
                raise TrainingError(
                    f"The training loss is no longer finite in epoch {epoch}: the learning rate "
                    f"{self.peak_rate:g} is too high for this network. Choose a lower one."
                )
            records.append(record)
            on_epoch(record)
        return records

    def _run_epoch(self, epoch: int, should_stop: Callable[[], bool]) -> EpochRecord:
        started = time.perf_counter()
        totals = torch.zeros(
            2, device=self.device
        )  # loss, correct: read once an epoch, a GPU would wait at every reading
        rate = 0.0
        order = torch.randperm(len(self.images), generator=self.order_rng).to(self.device)
        for indices in torch.tensor_split(order, self.batches):
            if should_stop():
                raise StopRequested("The training was stopped as asked.")
            rate = learning_rate(self.step, self.steps, self.peak_rate)
            totals += self._train_batch(indices, rate)
            self.step += 1
        loss, correct = (totals / len(self.images)).tolist()  # waits for the device
        return EpochRecord(epoch, loss, correct, rate, time.perf_counter() - started)

    def _train_batch(self, indices: Tensor, rate: float) -> Tensor:
        """Take one step; return the batch's summed loss and number of correct answers."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        targets = self.targets[indices]
        intensities = self.images[indices].float() / 255  # (B, 3, H, W)
        intensities = augment(intensities, strength=self.settings.augmentation, generator=self.augmentation_rng)
        inputs = apply_normalisation(intensities).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not torch.float32):
            logits = self.model(inputs)  # (B, K)
        loss = functional.cross_entropy(logits.float(), targets)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        correct = (logits.detach().argmax(dim=1) == targets).sum()
        return torch.stack([loss.detach() * len(indices), correct.float()])


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the learning rate of a step: a linear rise to the peak, then half a cosine to near zero."""
    warm_up = max(1, round(steps * WARM_UP_SHARE))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up + 1) / (steps - warm_up + 1)))


def _batch_count(images: int, batch_size: int) -> int:
    """Return how many batches of nearly equal size an epoch has.

    None has a single image, which batch normalisation refuses.
    """
    return max(1, min(math.ceil(images / batch_size), images // 2))


def _make_optimiser(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return fused SGD with Nesterov momentum; weight decay on matrices only, as biases and scales need none."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    nesterov = settings.momentum > 0
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=nesterov, fused=True)


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
