"""The engine's training process: `train_run`, run as jobs run it, paced by the bench."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

import numpy as np
import torch

from brainmri.errors import StopRequested
from brainmri.training.bench.messages import Measured, MultiplyMatrices, TrainingTask
from brainmri.training.bench.pacer import Pacer, answering_failures
from brainmri.training.bench.peak import product_rate
from brainmri.training.bench.pictures import CLASSES, make_labels, make_samples
from brainmri.training.devices import resolve_device, training_dtype, tune_allocator
from brainmri.training.loop import EpochRecord, train_run
from brainmri.training.settings import TrainingSettings

_TEST_IMAGES = 1


def serve_engine(connection: Connection, task: TrainingTask) -> None:
    """Train until the bench is done; the target of `multiprocessing.Process`."""
    with answering_failures(connection):
        device = prepare_engine_process(task)
        pacer = Pacer(connection, device, alone=task.alone, others=lambda command: _multiply(command, device))
        pacer.wait_for_warm_up()

        def on_epoch(record: EpochRecord) -> None:
            pacer.after_pass(task.epoch_images, record.seconds, counts=record.epoch > 1)

        with suppress(StopRequested):
            while not pacer.finished:  # a run after the other, as in an experiment
                train_task(task, on_epoch=on_epoch, should_stop=lambda: pacer.finished)


def prepare_engine_process(task: TrainingTask) -> torch.device:
    """Do what `brainmri.training.worker` does at the start of a training process; return the device."""
    tune_allocator()
    device = resolve_device(task.device)
    if device.type == "cpu":
        torch.set_num_threads(task.threads)
    return device


def train_task(task: TrainingTask, *, on_epoch: Callable[[EpochRecord], None], should_stop: Callable[[], bool]) -> None:
    """Do one run of the engine on pictures in memory, from random weights."""
    images = task.epoch_images + _TEST_IMAGES
    train_run(
        make_samples(images, task.size_px),
        make_labels(images),
        np.arange(task.epoch_images),
        np.arange(task.epoch_images, images),
        architecture=task.architecture,
        settings=TrainingSettings(
            architectures=(task.architecture,),
            epochs=task.epochs,
            batch_size=task.batch_size,
            weights="scratch",
            device=task.device,
            compiled=task.compiled,
        ),
        seed=task.seed,
        classes=CLASSES,
        on_epoch=on_epoch,
        should_stop=should_stop,
    )


def _multiply(command: MultiplyMatrices, device: torch.device) -> Measured:
    rate = product_rate(device, training_dtype(device), size=command.size, seconds=command.seconds)
    return Measured(rate)
