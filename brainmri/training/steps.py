"""Steps of a training: batches, gradients, epochs, validation, and the state to go on from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainmri.errors import StopRequested, TrainingError
from brainmri.training.compiling import compile_network
from brainmri.training.devices import training_dtype
from brainmri.training.inputs import Inputs
from brainmri.training.optimisers import learning_rate, make_optimiser, set_learning_rate
from brainmri.training.settings import TrainingSettings
from brainmri.training.states import EpochRecord, TrainingState, pack_momenta, unpack_momenta

_VALIDATION_BATCH = 256
_SMALLEST_PART = 2
"""Images; batch normalisation refuses a single one."""


class Steps:
    """One training as it goes on: network, inputs, optimiser, random generators.

    Parameters
    ----------
    trained : nn.Module
        The network, or what is not frozen of it; on the device.
    head : nn.Module
        Its last layer.
    inputs : Inputs
        Of the training samples.
    targets : Tensor, shape (n_train,), int64
    settings : TrainingSettings
    classes : int
    seed : int
        Of the order of the samples.
    validation : Inputs, optional
    validation_targets : Tensor, shape (n_validation,), int64
    """

    def __init__(
        self,
        trained: nn.Module,
        head: nn.Module,
        inputs: Inputs,
        targets: Tensor,
        settings: TrainingSettings,
        *,
        classes: int,
        seed: int,
        validation: Inputs | None,
        validation_targets: Tensor,
    ) -> None:
        self._model, self._inputs, self._targets, self._settings = trained, inputs, targets, settings
        self._forward = compile_network(trained) if settings.compiled else trained
        self._validation, self._validation_targets = validation, validation_targets
        self._device = targets.device
        self.dtype = torch.float32 if settings.mode == "head" else training_dtype(self._device)
        """Precision of matrix products; a head alone is too small to gain from a lower one."""
        self._optimiser = make_optimiser(trained, head, settings)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self.dtype is torch.float16)
        self._order_rng = torch.Generator().manual_seed(seed)
        self._class_weights = _class_weights(targets, classes, settings)
        self._batches = _batch_count(len(targets), settings.batch_size)
        self._parts = 1
        self._step = 0
        self._best: dict[str, Tensor] = {}
        self._best_epoch = 0
        self.epochs: list[EpochRecord] = []

    def run(self, should_stop: Callable[[], bool]) -> Iterator[EpochRecord]:
        """Train the epochs that are left; yield each when it is done."""
        for epoch in range(len(self.epochs) + 1, self._settings.epochs + 1):
            if self._has_settled():
                return
            self._model.train()
            record = self._run_epoch(epoch, should_stop)
            if not math.isfinite(record.train_loss):
                raise TrainingError(
                    f"The training loss is no longer finite in epoch {epoch}: the learning rate "
                    f"{self._settings.learning_rate:g} is too high for this network. Choose a lower one."
                )
            self.epochs.append(record)
            self._note_best(record)
            yield record

    def take_best(self) -> None:
        """Under early stopping, go back to the weights of the epoch with the lowest validation loss."""
        if self._best:
            self._model.load_state_dict(self._best)

    def remarks(self) -> tuple[str, ...]:
        """Say how the training differed from what was asked for."""
        found = []
        if self._parts > 1:
            found.append(
                f"Memory was too small for {self._settings.batch_size} images at once: each step was computed in "
                f"{self._parts} parts whose gradients were added up. Batch normalisation saw the parts one by one."
            )
        if self._best and self._best_epoch < len(self.epochs):
            found.append(f"The weights are those of epoch {self._best_epoch}, which had the lowest validation loss.")
        return tuple(found)

    def capture(self) -> TrainingState:
        """Return the state after the last epoch; its tensors are the training's own."""
        tensors = {f"model.{name}": tensor for name, tensor in self._model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self._best.items()}
        tensors |= pack_momenta(self._optimiser)
        tensors |= {f"rng.{name}": state for name, state in self._random_states().items()}
        values = {
            "step": self._step,
            "parts": self._parts,
            "best_epoch": self._best_epoch,
            "scaler": self._scaler.state_dict(),
        }
        return TrainingState(tuple(self.epochs), values, tensors)

    def restore(self, state: TrainingState) -> None:
        """Go back to a state that `capture` returned, of the same run."""
        self._model.load_state_dict(_strip(state, "model."))
        self._best = {name: tensor.to(self._device) for name, tensor in _strip(state, "best.").items()}
        unpack_momenta(self._optimiser, state.tensors)
        self._scaler.load_state_dict(state.values["scaler"])
        self._step, self._parts = state.values["step"], state.values["parts"]
        self._best_epoch = state.values["best_epoch"]
        self.epochs = list(state.epochs)
        randoms = _strip(state, "rng.")
        torch.set_rng_state(randoms["torch"])
        self._order_rng.set_state(randoms["order"])
        self._inputs.generator.set_state(randoms["inputs"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(randoms["cuda"], self._device)

    def _random_states(self) -> dict[str, Tensor]:
        states = {
            "torch": torch.get_rng_state(),
            "order": self._order_rng.get_state(),
            "inputs": self._inputs.generator.get_state(),
        }
        if self._device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self._device)
        return states

    def _run_epoch(self, epoch: int, should_stop: Callable[[], bool]) -> EpochRecord:
        started = time.perf_counter()
        totals = torch.zeros(2, device=self._device)  # loss, correct: a GPU would wait at every reading
        rate = 0.0
        order = torch.randperm(len(self._inputs), generator=self._order_rng).to(self._device)
        for indices in torch.tensor_split(order, self._batches):
            if should_stop():
                raise StopRequested("The training was stopped as asked.")
            rate = self._next_rate()
            totals += self._train_batch(indices)
        loss, correct = (totals / len(self._inputs)).tolist()  # waits for the device
        return EpochRecord(epoch, loss, correct, rate, time.perf_counter() - started, *self._validate())

    def _next_rate(self) -> float:
        settings = self._settings
        steps = self._batches * settings.epochs
        rate = learning_rate(self._step, steps, settings.learning_rate, settings.schedule)
        set_learning_rate(self._optimiser, rate)
        self._step += 1
        return rate

    def _train_batch(self, indices: Tensor) -> Tensor:
        """Take one step, in parts where memory is too small; return the batch's summed loss and correct answers."""
        inputs, targets = self._inputs.draw(indices), self._targets[indices]
        while True:
            try:
                totals = self._compute_gradients(inputs, targets)
                break
            except torch.OutOfMemoryError:
                if len(indices) // (2 * self._parts) < _SMALLEST_PART:
                    raise
                self._parts *= 2
            self._optimiser.zero_grad(set_to_none=True)
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return totals

    def _compute_gradients(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Add up the gradients of the mean loss over the parts of a batch; return summed loss and correct answers."""
        self._optimiser.zero_grad(set_to_none=True)
        totals = torch.zeros(2, device=self._device)
        whole = self._class_weights[targets].sum()
        for part, expected in zip(inputs.tensor_split(self._parts), targets.tensor_split(self._parts), strict=True):
            with torch.autocast(self._device.type, dtype=self.dtype, enabled=self.dtype is not torch.float32):
                logits = self._forward(part)  # (B, K)
            summed = functional.cross_entropy(logits.float(), expected, weight=self._class_weights, reduction="sum")
            loss = summed / whole
            self._scaler.scale(loss).backward()
            correct = (logits.detach().argmax(dim=1) == expected).sum()
            totals += torch.stack([loss.detach() * len(targets), correct.float()])
        return totals

    def _validate(self) -> tuple[float, float] | tuple[None, None]:
        """Return loss and accuracy on the samples set aside, in float32."""
        if self._validation is None:
            return None, None
        self._model.eval()
        totals = torch.zeros(2, device=self._device)
        with torch.no_grad():
            for indices in torch.arange(len(self._validation), device=self._device).split(_VALIDATION_BATCH):
                logits, expected = self._model(self._validation.plain(indices)), self._validation_targets[indices]
                loss = functional.cross_entropy(logits, expected, reduction="sum")
                totals += torch.stack([loss, (logits.argmax(dim=1) == expected).sum().float()])
        loss, correct = (totals / len(self._validation)).tolist()
        return loss, correct

    def _note_best(self, record: EpochRecord) -> None:
        if not self._settings.patience or record.validation_loss is None:
            return
        losses = [one.validation_loss for one in self.epochs if one.validation_loss is not None]
        if record.validation_loss <= min(losses):
            self._best_epoch = record.epoch
            self._best = {name: tensor.clone() for name, tensor in self._model.state_dict().items()}

    def _has_settled(self) -> bool:
        """Tell whether the validation loss has not fallen for as long as the settings allow."""
        patience = self._settings.patience
        return bool(patience) and self._best_epoch > 0 and len(self.epochs) - self._best_epoch >= patience


def _class_weights(targets: Tensor, classes: int, settings: TrainingSettings) -> Tensor:
    """Return the weight of each class in the loss: 1, or inverse to its share of the training images."""
    if settings.class_weighting == "none":
        return torch.ones(classes, device=targets.device)
    counts = torch.bincount(targets, minlength=classes).clamp(min=1)
    return len(targets) / (classes * counts.float())


def _batch_count(images: int, batch_size: int) -> int:
    """Return how many batches of nearly equal size an epoch has.

    None has a single image, which batch normalisation refuses.
    """
    return max(1, min(math.ceil(images / batch_size), images // 2))


def _strip(state: TrainingState, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.tensors.items() if name.startswith(prefix)}
