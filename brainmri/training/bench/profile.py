"""Where the engine's time goes: one pass of one run under torch's profiler."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from brainmri.errors import StopRequested, TrainingError
from brainmri.training.bench.crew import TrainingProcess
from brainmri.training.bench.engine import prepare_engine_process, train_task
from brainmri.training.bench.measure import engine_environment
from brainmri.training.bench.messages import Profiled, TrainingTask
from brainmri.training.bench.pacer import answering_failures
from brainmri.training.bench.plan import BenchPlan
from brainmri.training.devices import describe_device
from brainmri.training.loop import EpochRecord
from brainmri.training.versions import software_versions

_WARM_UP_PASSES: Final = 2
_MOST_OPERATORS: Final = 15


@dataclass(frozen=True)
class OperatorShare:
    """One operator, or one kernel of a GPU."""

    name: str
    calls: int
    share: float
    """Of the time of all of them, 0 to 1; what it calls is not counted."""


@dataclass(frozen=True, kw_only=True)
class ProfileReport:
    """Where the time of one pass of the engine goes.

    Parameters
    ----------
    architecture : str
    device : str
    versions : mapping
    batch_size, size_px : int
    operators : tuple of OperatorShare
        The longest first.
    busy_share : float
        Time in operators (kernels) as a share of the wall time; the rest is Python, or a GPU that waits.
    """

    architecture: str
    device: str
    versions: Mapping[str, str]
    batch_size: int
    size_px: int
    operators: tuple[OperatorShare, ...]
    busy_share: float

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "architecture": self.architecture,
            "device": self.device,
            "versions": dict(self.versions),
            "batch_size": self.batch_size,
            "size_px": self.size_px,
            "busy_share": self.busy_share,
            "operators": [{"operator": one.name, "calls": one.calls, "share": one.share} for one in self.operators],
        }


def profile_engine(plan: BenchPlan) -> ProfileReport:
    """Profile the first architecture of a plan in one process.

    Raises
    ------
    TrainingError
        Where the process fails or the profiler sees nothing.
    """
    task = plan.engine_tasks(plan.architectures[0])[0]
    process = TrainingProcess(serve_profile, task, engine_environment(plan))
    try:
        answer = process.receive(Profiled)
    finally:
        process.end()
    return ProfileReport(
        architecture=task.architecture,
        device=describe_device(torch.device(plan.device)),
        versions=software_versions(),
        batch_size=plan.batch_size,
        size_px=plan.size_px,
        operators=rank_operators(answer.operators),
        busy_share=sum(seconds for _name, _calls, seconds in answer.operators) / answer.wall_seconds,
    )


def rank_operators(operators: tuple[tuple[str, int, float], ...]) -> tuple[OperatorShare, ...]:
    """Return the operators with the most time of their own, as shares of all time in operators.

    Parameters
    ----------
    operators : tuple of (str, int, float)
        Name, calls, seconds.

    Raises
    ------
    TrainingError
        Where there is no time to share.
    """
    total = sum(seconds for _name, _calls, seconds in operators)
    if total <= 0:
        raise TrainingError(
            "The profiler recorded no time on this device. On a GPU its kernels are seen only where the driver lets "
            "CUPTI count them; profile on the processor with --device cpu."
        )
    longest = sorted(operators, key=lambda one: one[2], reverse=True)[:_MOST_OPERATORS]
    return tuple(OperatorShare(name, calls, seconds / total) for name, calls, seconds in longest)


def serve_profile(connection: Connection, task: TrainingTask) -> None:
    """Train until one pass is profiled; the target of `multiprocessing.Process`."""
    with answering_failures(connection):
        device = prepare_engine_process(task)
        activities = [ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        profiler = profile(activities=activities)
        walls: list[float] = []

        def on_epoch(record: EpochRecord) -> None:
            if record.epoch == _WARM_UP_PASSES:
                profiler.start()
            elif record.epoch == _WARM_UP_PASSES + 1:
                profiler.stop()
                walls.append(record.seconds)

        with suppress(StopRequested):
            train_task(task, on_epoch=on_epoch, should_stop=lambda: bool(walls))
        connection.send(Profiled(_own_times(profiler, device), walls[0]))


def _own_times(profiler: profile, device: torch.device) -> tuple[tuple[str, int, float], ...]:
    """Return name, calls and seconds: of operators on a processor, of kernels on a GPU."""
    wanted = DeviceType.CUDA if device.type == "cuda" else DeviceType.CPU
    found = []
    for event in profiler.key_averages():
        if event.device_type != wanted or getattr(event, "is_user_annotation", False):
            continue
        microseconds = event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total
        found.append((event.key, event.count, microseconds / 1e6))
    return tuple(found)
