"""What the bench and its training processes say to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingTask:
    """What one training process trains.

    Parameters
    ----------
    architecture : str
        Name from the table.
    device : str
        ``cpu`` or ``cuda``.
    batch_size, size_px : int
    epoch_images : int
        Images of one pass, after which the clock is read.
    epochs : int
        Passes of one run of the engine.
    threads : int
        Threads of this process.
    workers : int
        Processes that load images for the ordinary way.
    folder : str
        The ordinary way's files.
    alone : bool
        Whether no other process trains at the same time.
    seed : int
    compiled : bool
        Whether the engine compiles the network.
    """

    architecture: str
    device: str
    batch_size: int
    size_px: int
    epoch_images: int
    epochs: int
    threads: int
    workers: int = 0
    folder: str = ""
    alone: bool = True
    seed: int = 0
    compiled: bool = False


@dataclass(frozen=True)
class MultiplyMatrices:
    """Command: multiply matrices of this size for so long, and answer with `Measured`, in operations a second."""

    size: int
    seconds: float


@dataclass(frozen=True)
class WarmUp:
    """Command: begin to train, and answer with `Ready` when the first pass is over."""


@dataclass(frozen=True)
class StartRound:
    """Command: train whole passes for at least so long, and answer with `Measured`, in images a second."""

    seconds: float
    whole_passes: bool
    """False: a first pass that takes longer may be cut short after a batch."""


@dataclass(frozen=True)
class EndRound:
    """Command: stop after this pass, and answer with `Ready`."""


@dataclass(frozen=True)
class Finish:
    """Command: end."""


@dataclass(frozen=True)
class Ready:
    """Answer: the process waits."""

    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Measured:
    """Answer: a rate, per second."""

    rate: float


@dataclass(frozen=True)
class Profiled:
    """Answer: where the time of one pass went."""

    operators: tuple[tuple[str, int, float], ...]
    """Name, calls and seconds of its own (without what it calls)."""
    wall_seconds: float


@dataclass(frozen=True)
class Failed:
    """Answer: the process cannot go on."""

    message: str


Answer = Any
"""One of `Ready`, `Measured`, `Profiled`, `Failed`."""
