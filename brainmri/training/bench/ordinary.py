"""The ordinary way to fine-tune: files, a data loader with workers, transforms image by image, one process, fp32."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from brainmri.errors import TrainingError
from brainmri.training.architecture_names import find_architecture
from brainmri.training.augmentation import DEFAULT_RANGES
from brainmri.training.bench.messages import TrainingTask
from brainmri.training.bench.pacer import Pacer, answering_failures
from brainmri.training.bench.pictures import CLASSES
from brainmri.training.devices import resolve_device
from brainmri.training.normalisation import IMAGENET_NORMALISATION

AUXILIARY_WEIGHT = 0.3
"""Of GoogLeNet's two auxiliary losses: Szegedy et al., Going deeper with convolutions, CVPR 2015,
https://doi.org/10.1109/CVPR.2015.7298594, section 5."""
_LEARNING_RATE = 1e-4
_MOMENTUM = 0.9

Batches = Iterable[tuple[Tensor, Tensor]]


def serve_ordinary(connection: Connection, task: TrainingTask) -> None:
    """Train until the bench is done; the target of `multiprocessing.Process`."""
    with answering_failures(connection):
        device = resolve_device(task.device)
        torch.set_num_threads(task.threads)
        allow_tf32(device)
        pacer = Pacer(connection, device, alone=task.alone, others=_refuse)
        pacer.wait_for_warm_up()
        training = OrdinaryTraining(task.architecture, device)
        loader = make_loader(Path(task.folder), batch_size=task.batch_size, workers=task.workers, device=device)
        training.warm_up(loader, task.batch_size)
        pacer.after_pass(0, 0.0)
        while not pacer.finished:
            pacer.after_pass(*training.train(loader, limit_s=pacer.pass_limit_s))


def make_loader(folder: Path, *, batch_size: int, workers: int, device: torch.device) -> DataLoader[Any]:
    """Return a loader of shuffled, transformed batches of an image folder."""
    return DataLoader(
        datasets.ImageFolder(str(folder), transform=make_transform()),
        batch_size=batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )


def make_transform() -> transforms.Compose:
    """Return torchvision's transforms of one picture, in the ranges of the engine's augmentation."""
    ranges = DEFAULT_RANGES
    return transforms.Compose(
        [
            transforms.RandomAffine(
                ranges.rotation_degrees,
                translate=(ranges.translation, ranges.translation),
                scale=(1 - ranges.scale, 1 + ranges.scale),
            ),
            transforms.RandomHorizontalFlip(ranges.flip_left_right),
            transforms.RandomVerticalFlip(ranges.flip_up_down),
            transforms.ColorJitter(brightness=ranges.offset, contrast=ranges.gain),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_NORMALISATION["mean"], IMAGENET_NORMALISATION["std"]),
        ]
    )


def allow_tf32(device: torch.device) -> None:
    """Set what torchvision's own reference script for training sets, and TF32 for all products."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cuda.matmul.allow_tf32 = True


def build_ordinary_model(architecture: str) -> nn.Module:
    """Build a network as torchvision hands it out: GoogLeNet with its auxiliary heads."""
    entry = find_architecture(architecture)
    options = dict(entry.options)
    if "aux_logits" in options:
        options["aux_logits"] = True
    module, function = entry.builder.split(":")
    model: nn.Module = getattr(import_module(module), function)(num_classes=CLASSES, **options)
    return model


def total_loss(outputs: Tensor | tuple[Tensor | None, ...], targets: Tensor) -> Tensor:
    """Return the cross-entropy; where there are auxiliary outputs, with theirs added at a weight of 0.3."""
    if isinstance(outputs, Tensor):
        return functional.cross_entropy(outputs, targets)
    main, *auxiliary = [functional.cross_entropy(one, targets) for one in outputs if one is not None]
    return main + AUXILIARY_WEIGHT * sum(auxiliary, start=torch.zeros_like(main))


class OrdinaryTraining:
    """A network and stochastic gradient descent with momentum.

    Parameters
    ----------
    architecture : str
    device : torch.device
    """

    def __init__(self, architecture: str, device: torch.device) -> None:
        self._device = device
        self._model = build_ordinary_model(architecture).to(device).train()
        self._optimiser = torch.optim.SGD(self._model.parameters(), lr=_LEARNING_RATE, momentum=_MOMENTUM)

    def warm_up(self, batches: Batches, batch_size: int) -> None:
        """Start the workers with one pass, and train on the first batch and on one of another size."""
        for index, (images, targets) in enumerate(batches):
            if index == 0 or len(images) != batch_size:
                self._train_batch(images, targets)

    def train(self, batches: Batches, *, limit_s: float = math.inf) -> tuple[int, float]:
        """Train on one pass, or on its first part if it takes longer than the limit.

        Returns
        -------
        images : int
        seconds : float
            From the beginning of the pass, before its first batch is loaded.
        """
        started, count, seconds = time.perf_counter(), 0, 0.0
        for images, targets in batches:
            if seconds >= limit_s:
                continue  # the workers finish what they have begun, beside the clock
            self._train_batch(images, targets)
            count += len(images)
            seconds = time.perf_counter() - started
        return count, seconds

    def _train_batch(self, images: Tensor, targets: Tensor) -> float:
        images = images.to(self._device, non_blocking=True)
        targets = targets.to(self._device, non_blocking=True)
        self._optimiser.zero_grad()
        loss = total_loss(self._model(images), targets)
        loss.backward()
        self._optimiser.step()
        return loss.item()  # the running loss that tutorials print; waits for the device


def _refuse(command: object) -> None:
    raise TrainingError(f"The ordinary way was asked for {type(command).__name__}, which only the engine does.")
