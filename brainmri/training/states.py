"""The state of an unfinished training: enough to go on from the end of an epoch as if nothing had happened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

_METADATA_KEY: Final = "brainmri"


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
    validation_loss: float | None = None
    """Mean cross-entropy in nats over the images set aside; None where there are none."""
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class TrainingState:
    """A training at the end of an epoch.

    Parameters
    ----------
    epochs : tuple of EpochRecord
        All epochs so far.
    values : mapping
        JSON values: step, best loss and epoch, parts of a batch.
    tensors : mapping of str to Tensor
        Weights, what batch normalisation has gathered, momenta, the weights of the best epoch, random generators.
    """

    epochs: tuple[EpochRecord, ...]
    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def write_state(path: Path, state: TrainingState, *, key: str) -> None:
    """Write a state under a temporary name and rename it.

    Parameters
    ----------
    path : Path
    state : TrainingState
    key : str
        What the training is of: `read_state` takes a state of the same key only.
    """
    meta = {"key": key, "epochs": [asdict(record) for record in state.epochs], "values": dict(state.values)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    try:
        save_file(tensors, partial, metadata={_METADATA_KEY: json.dumps(meta)})
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())  # a machine that loses power after the renaming must not leave half a file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_state(path: Path, *, key: str) -> TrainingState | None:
    """Read a state; None where there is none, it is damaged, or it belongs to another training."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            meta = json.loads((stream.metadata() or {}).get(_METADATA_KEY, "{}"))
            if meta.get("key") != key:
                return None
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, json.JSONDecodeError):
        return None
    return TrainingState(tuple(EpochRecord(**record) for record in meta["epochs"]), meta["values"], tensors)


def pack_momenta(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the momentum of every parameter, named by its place among the optimiser's parameters."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    found = {}
    for place, parameter in enumerate(parameters):
        momentum = optimiser.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            found[f"momentum.{place}"] = momentum
    return found


def unpack_momenta(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give every parameter the momentum that `pack_momenta` named."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for place, parameter in enumerate(parameters):
        if f"momentum.{place}" in tensors:
            momentum = torch.empty_like(parameter, memory_format=torch.preserve_format)
            optimiser.state[parameter]["momentum_buffer"] = momentum.copy_(tensors[f"momentum.{place}"])
