"""What the driver and the nodes tell each other: plain records, without torch and without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

GO: Final = "go"
PAUSE: Final = "pause"
"""At the end of the epoch, with the state handed over."""
STOP: Final = "stop"
"""At the next batch."""

Order = Literal["go", "pause", "stop"]
Ending = Literal["finished", "paused", "stopped", "failed", "unfit"]


@dataclass(frozen=True, kw_only=True)
class NodeNetwork:
    """Which network a node is to build, and how it computes.

    Parameters
    ----------
    architecture : str
    settings : mapping
        `TrainingSettings.to_dict()`.
    classes : int
    device : {'cpu', 'cuda'}
    threads : int
        Of torch.
    weights_name : str or None
        Name of the weight file that comes along; None where weights are random.
    """

    architecture: str
    settings: Mapping[str, Any]
    classes: int
    device: str
    threads: int
    weights_name: str | None


@dataclass(frozen=True, kw_only=True)
class NodeJob:
    """One run as a node gets it. Nothing in it names a case.

    Parameters
    ----------
    key : str
        Run and attempt: tells a task from an earlier one of the same run that was taken for lost.
    run_id : str
    state_key : str
        What a stored state has to be of, for the run to go on from it.
    network : NodeNetwork
    seed : int
    labels : ndarray, shape (N,), int64
        Class indices.
    train, test, validation : ndarray of int64
        Sample indices.
    meta : mapping
        Of the checkpoint; the node adds its versions of the software.
    """

    key: str
    run_id: str
    state_key: str
    network: NodeNetwork
    seed: int
    labels: NDArray[np.int64]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    validation: NDArray[np.int64]
    meta: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A task has begun."""

    host: str
    pid: int
    device: str
    epochs: int
    """Epochs that the state held from which it goes on; 0 where it begins anew."""


@dataclass(frozen=True)
class EpochDone:
    """An epoch has ended."""

    record: Mapping[str, Any]
    """`dataclasses.asdict` of `brainmri.training.states.EpochRecord`."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """A sign of life."""

    load: float | None
    """Share of one core (can pass 1), or of the GPU."""
    memory_bytes: int | None


Note = Begun | EpochDone | Beat


@dataclass(frozen=True, kw_only=True)
class NodeResult:
    """What a finished run brings home: `brainmri.training.loop.RunResult`, the network as a file."""

    test: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    validation: NDArray[np.int64]
    validation_true: NDArray[np.int64]
    validation_probabilities: NDArray[np.float32]
    images_per_second: float
    seconds: float
    device: str
    precision: str
    peak_memory_bytes: int | None
    remarks: tuple[str, ...]
    accuracy: float
    versions: Mapping[str, str]
    """Software that computed it."""
    checkpoint: NDArray[np.uint8]
    """Bytes of the safetensors file with its metadata."""


@dataclass(frozen=True, kw_only=True)
class NodeOutcome:
    """How a task ended.

    Parameters
    ----------
    ending : str
        ``unfit``: the node cannot train at all.
    message : str
        Sentences for people, where it failed.
    detail : str
        Where in the program it failed.
    result : NodeResult or None
        Of a finished run.
    """

    ending: Ending
    message: str = ""
    detail: str = ""
    result: NodeResult | None = None
