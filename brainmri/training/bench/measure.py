"""The bench itself: both ways side by side, in turn, for one architecture after the other."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import torch

from brainmri.training.architecture_names import display_architecture
from brainmri.training.bench.crew import Crew
from brainmri.training.bench.engine import serve_engine
from brainmri.training.bench.flops import training_flop
from brainmri.training.bench.ordinary import serve_ordinary
from brainmri.training.bench.peak import CPU_SIZES, CUDA_SIZES
from brainmri.training.bench.pictures import write_image_folder
from brainmri.training.bench.plan import BenchPlan, Length
from brainmri.training.bench.records import ArchitectureFigures, BenchReport, Round
from brainmri.training.devices import PRECISION_NAMES, describe_device, training_dtype
from brainmri.training.versions import software_versions

_PEAK_SECONDS: Final = 0.2
_FIRST_READINGS: Final = 2
"""Readings of the peak before the training; on a processor more follow after every round. The best one counts, as other
programs can only slow it."""
_FEWEST_ROUNDS: Final = 2
"""Rounds that are done whatever their time: fewer have no spread."""

Say = Callable[[str], None]
"""Takes a line for people about what happens."""


@dataclass(frozen=True)
class _Measured:
    peak_flop_per_second: float
    rounds: tuple[Round, ...]
    peak_memory_bytes: int | None


class Way(Protocol):
    """A way to train whose speed can be measured."""

    def measure(self, seconds: float, *, whole_passes: bool) -> float:
        """Train for about so long and return the images a second."""


def run_bench(plan: BenchPlan, say: Say) -> BenchReport:
    """Measure all architectures of a plan.

    Raises
    ------
    TrainingError
        Where a training process fails.
    """
    with tempfile.TemporaryDirectory(prefix="brainmri-bench-") as folder:
        pictures = Path(folder) / "pictures"
        write_image_folder(pictures, plan.ordinary_images, plan.size_px)
        measured = [_measure_architecture(plan, architecture, pictures, say) for architecture in plan.architectures]
    peak = max(one.peak_flop_per_second for one in measured)
    device = torch.device(plan.device)
    return BenchReport(
        device=describe_device(device),
        cores=plan.cores,
        processes=plan.processes,
        compiled=plan.compiled,
        precision=PRECISION_NAMES[training_dtype(device)],
        versions=software_versions(),
        batch_size=plan.batch_size,
        size_px=plan.size_px,
        peak_flop_per_second=peak,
        architectures=tuple(
            ArchitectureFigures(
                architecture=architecture,
                rounds=found.rounds,
                flop_per_image=training_flop(architecture, plan.size_px),
                peak_flop_per_second=peak,
                peak_memory_bytes=found.peak_memory_bytes,
            )
            for architecture, found in zip(plan.architectures, measured, strict=True)
        ),
    )


def measure_engine(plan: BenchPlan, architecture: str, seconds: float) -> float:
    """Train for so long with the engine alone; return the images a second of one process while all of them train.

    Raises
    ------
    TrainingError
        Where a training process fails.
    """
    with Crew(serve_engine, plan.engine_tasks(architecture), engine_environment(plan)) as engine:
        engine.warm_up()
        return engine.measure(seconds) / plan.processes


def measure_alternately(
    ordinary: Way,
    engine: Way,
    length: Length,
    say: Say,
    *,
    between: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Round, ...]:
    """Measure both ways in turn; which one begins changes from round to round, so that a drift hits both alike.

    Parameters
    ----------
    ordinary, engine : Way
    length : Length
    say : callable
    between : callable
        Called after every round, while nobody trains.
    clock : callable
        Returns the time in seconds.
    """
    rounds: list[Round] = []
    started = clock()
    for index in range(length.rounds):
        if index >= _FEWEST_ROUNDS and clock() - started > length.budget_s:
            say(f"time is up after {index} of {length.rounds} rounds")
            break
        speeds: dict[Way, float] = {}
        for way in (ordinary, engine) if index % 2 == 0 else (engine, ordinary):
            speeds[way] = way.measure(length.seconds, whole_passes=length.whole_passes)
        found = Round(speeds[ordinary], speeds[engine])
        rounds.append(found)
        say(
            f"round {index + 1} of {length.rounds}: ordinary {found.ordinary:.4g}, engine {found.engine:.4g} images/s, "
            f"ratio {found.ratio:.2f}"
        )
        between()
    return tuple(rounds)


def _measure_architecture(plan: BenchPlan, architecture: str, pictures: Path, say: Say) -> _Measured:
    name = display_architecture(architecture)
    say(f"{name}: starting {plan.processes + 1} processes")
    ordinary = Crew(serve_ordinary, [plan.ordinary_task(architecture, pictures)], ordinary_environment(plan))
    engine = Crew(serve_engine, plan.engine_tasks(architecture), engine_environment(plan))
    peaks: list[float] = []
    with ordinary, engine:

        def measure_peak() -> None:
            peaks.extend(
                engine.multiply_matrices(size=size, seconds=_PEAK_SECONDS)
                for size in (CUDA_SIZES if plan.device == "cuda" else CPU_SIZES)
            )

        for _ in range(_FIRST_READINGS):
            measure_peak()
        engine.warm_up()
        ordinary.warm_up()
        # On a GPU the matrices would count as memory of the training.
        between = measure_peak if plan.device == "cpu" else _do_nothing
        rounds = measure_alternately(
            ordinary, engine, plan.length, lambda line: say(f"{name}, {line}"), between=between
        )
        return _Measured(max(peaks), rounds, engine.peak_memory_bytes)


def _do_nothing() -> None:
    return None


def ordinary_environment(plan: BenchPlan) -> dict[str, str]:
    """Return the variables of the ordinary way's process: all threads."""
    return {"OMP_NUM_THREADS": str(plan.cores)}


def engine_environment(plan: BenchPlan) -> dict[str, str]:
    """Return the variables that `brainmri.training.jobs` gives its processes.

    The threads of each, and memory pages of 2 MB where the C library is glibc and has no settings yet.
    """
    return {
        "OMP_NUM_THREADS": str(max(1, plan.cores // plan.processes)),
        "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
    }
