"""How the bench measures: sizes, rounds and processes, checked before anything starts."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from brainmri.errors import UsageError
from brainmri.training.architecture_names import find_architecture
from brainmri.training.bench.messages import TrainingTask
from brainmri.training.bench.records import PROTOCOL_EPOCHS, PROTOCOL_TRAINING_IMAGES
from brainmri.training.settings import PUBLISHED_ARCHITECTURES, TrainingSettings

DEFAULT_SIZE_PX: Final = 224
_ENGINE_BATCHES: Final = 1
"""Batches of a pass of the engine on a processor. After each the clock is read, which takes microseconds."""


@dataclass(frozen=True)
class Length:
    """How long to measure: so many rounds of each way, each at least so long."""

    rounds: int
    seconds: float
    budget_s: float = math.inf
    """Time for the rounds of one architecture. Once it is spent, rounds beyond the second are left out: where other
    programs use the machine, a pass can take many times as long."""
    whole_passes: bool = True
    """Whether a round ends with the end of a pass. Where not, the ordinary way's first pass may be cut short after a
    batch; pictures that are loaded already count for nothing then, some hundredths of its speed."""


FULL: Final = Length(rounds=9, seconds=5.0, budget_s=80.0)
"""About five minutes on two cores."""
QUICK: Final = Length(rounds=2, seconds=1.5, budget_s=12.0, whole_passes=False)
"""About one minute on two cores."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What the bench measures.

    Parameters
    ----------
    device : {'cpu', 'cuda'}
    architectures : tuple of str
    batch_size : int
    size_px : int
    processes : int
        Processes of the engine that train at the same time.
    cores : int
    length : Length
    compiled : bool
        Whether the engine compiles the networks.
    """

    device: str
    architectures: tuple[str, ...]
    batch_size: int
    size_px: int
    processes: int
    cores: int
    length: Length
    compiled: bool = False

    def ordinary_task(self, architecture: str, folder: Path) -> TrainingTask:
        """Return the task of the ordinary way: one process with all threads, and a worker a core."""
        return TrainingTask(
            architecture=architecture,
            device=self.device,
            batch_size=self.batch_size,
            size_px=self.size_px,
            epoch_images=self.ordinary_images,
            epochs=1,
            threads=self.cores,
            workers=self.cores,
            folder=str(folder),
        )

    def engine_tasks(self, architecture: str) -> list[TrainingTask]:
        """Return the engine's tasks: the cores shared out among its processes, as jobs do."""
        task = TrainingTask(
            architecture=architecture,
            device=self.device,
            batch_size=self.batch_size,
            size_px=self.size_px,
            epoch_images=self.engine_images,
            epochs=self._engine_epochs(),
            threads=max(1, self.cores // self.processes),
            alone=self.processes == 1,
            compiled=self.compiled,
        )
        return [replace(task, seed=seed) for seed in range(self.processes)]

    @property
    def ordinary_images(self) -> int:
        """Images of one pass: the protocol's on a GPU; on a processor a batch a worker, so that all have work."""
        return PROTOCOL_TRAINING_IMAGES if self.device == "cuda" else max(2, self.cores) * self.batch_size

    @property
    def engine_images(self) -> int:
        """Images of one pass."""
        return PROTOCOL_TRAINING_IMAGES if self.device == "cuda" else _ENGINE_BATCHES * self.batch_size

    def _engine_epochs(self) -> int:
        """Return how many passes make as many steps as a run of the protocol has.

        What an engine prepares depends on how long it will run.
        """
        return max(2, round(PROTOCOL_TRAINING_IMAGES * PROTOCOL_EPOCHS / self.engine_images))


def make_plan(
    device: str,
    *,
    architectures: Sequence[str] = PUBLISHED_ARCHITECTURES,
    batch_size: int | None = None,
    size_px: int = DEFAULT_SIZE_PX,
    processes: int = 0,
    compiled: bool = False,
    length: Length = FULL,
) -> BenchPlan:
    """Check what was asked for and choose the rest.

    Parameters
    ----------
    device : {'cpu', 'cuda'}
    architectures : sequence of str
    batch_size : int, optional
        Default: that of `TrainingSettings`.
    size_px : int
    processes : int
        0 chooses as `brainmri.training.jobs` does: one a core on a processor, one on a GPU.
    compiled : bool
    length : Length

    Raises
    ------
    UsageError
    """
    settings = TrainingSettings(architectures=tuple(architectures), processes=processes)
    if batch_size is not None:
        settings = replace(settings, batch_size=batch_size)
    if length.rounds < 1 or length.seconds <= 0:
        raise UsageError(
            f"The bench was asked for {length.rounds} rounds of {length.seconds:g} s; expected at least one round of "
            "more than 0 s."
        )
    for name in settings.architectures:
        entry = find_architecture(name)
        if size_px < entry.minimum_size_px:
            raise UsageError(
                f"{entry.display_name} takes pictures of {entry.minimum_size_px} px or more, and the bench was asked "
                f"for {size_px} px. Choose a larger --size."
            )
    cores = count_cores()
    return BenchPlan(
        device=device,
        architectures=settings.architectures,
        batch_size=settings.batch_size,
        size_px=size_px,
        processes=processes or (1 if device == "cuda" else cores),
        cores=cores,
        compiled=compiled,
        length=replace(length, whole_passes=True) if device == "cuda" else length,  # passes are short there
    )


def count_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
