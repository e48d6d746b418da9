"""What the training page can choose, as the command line takes it; how long it may take, and how much disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import select

from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.machine_speeds import read_speeds
from brainmri.training.presets import find_preset
from brainmri.training.records import FINISHED, Experiment, Run
from brainmri.training.settings import TrainingSettings

_OPTION_NAMES: Final = {"split_by": "split", "checkpoint_dtype": "checkpoints"}
"""Options of the command line that have another name than their setting."""
_BYTES: Final = {"float32": 4, "float16": 2}
_RECENT_RUNS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A training as chosen on the page.

    Parameters
    ----------
    settings : TrainingSettings
        With the name of the protocol that they began as.
    size_px : int
        Side of a sample.
    """

    settings: TrainingSettings
    size_px: int

    def to_arguments(self) -> list[str]:
        """Return the arguments of ``python -m brainmri`` that queue this training."""
        arguments = ["train", "--queue", f"--preset={self.settings.preset}", f"--size={self.size_px}"]
        usual = find_preset(self.settings.preset).settings()
        for field in fields(TrainingSettings):
            value = getattr(self.settings, field.name)
            option = f"--{_OPTION_NAMES.get(field.name, field.name).replace('_', '-')}"
            if value == getattr(usual, field.name):
                continue
            if field.name == "architectures":
                arguments += [option, *value]
            else:
                arguments.append(option if value is True else f"{option}={value}")
        return arguments

    def measure_arguments(self) -> list[str]:
        """Return the arguments of ``python -m brainmri`` that measure how fast this machine trains it."""
        chosen = self.settings
        return [
            "measure",
            "--architectures",
            *chosen.architectures,
            f"--size={self.size_px}",
            f"--batch-size={chosen.batch_size}",
            f"--device={chosen.device}",
            f"--processes={chosen.processes}",
        ]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Roughly how long a training takes.

    Parameters
    ----------
    seconds : float
    source : str
        What it was reckoned from, to end a sentence.
    is_limit : bool
        It takes that long at most: the measured runs trained more layers.
    """

    seconds: float
    source: str
    is_limit: bool = False


def expect_time(study: Study, protocol: Protocol, *, images: int) -> Expectation | None:
    """Return roughly how long a training takes, or None where a chosen architecture was not measured at this size.

    Parameters
    ----------
    study : Study
    protocol : Protocol
    images : int
        In the whole data set.
    """
    mode = protocol.settings.mode
    of_runs = expected_seconds(protocol, _speeds_of_runs(study, protocol.size_px, mode), images=images)
    if of_runs is not None:
        return Expectation(seconds=of_runs, source="from the speed of earlier runs of this size")
    measured = expected_seconds(protocol, read_speeds(study, size_px=protocol.size_px), images=images)
    if measured is None:
        return None
    return Expectation(seconds=measured, source="from a short measurement on this machine", is_limit=mode != "full")


def expected_seconds(protocol: Protocol, speeds: Mapping[str, float], *, images: int) -> float | None:
    """Return roughly how long a training takes, or None where a chosen architecture was not measured.

    Parameters
    ----------
    protocol : Protocol
    speeds : mapping of str to float
        Images a second of one process, by architecture.
    images : int
        In the whole data set.
    """
    settings = protocol.settings
    if any(not speeds.get(name) for name in settings.architectures):
        return None
    trained = (1 - settings.test_fraction) * (1 - settings.validation_fraction)
    seen = images * trained * settings.epochs * settings.repeats
    at_once = min(settings.processes or _cores(), settings.repeats * len(settings.architectures))
    return sum(seen / speeds[name] for name in settings.architectures) / at_once


def expected_bytes(settings: TrainingSettings) -> int:
    """Return roughly what the stored networks take on disk."""
    kept = settings.repeats if settings.keep_checkpoints == "all" else 1
    numbers = sum(ARCHITECTURES[name].parameters for name in settings.architectures)
    return numbers * _BYTES[settings.checkpoint_dtype] * kept


def _speeds_of_runs(study: Study, size_px: int, mode: str) -> dict[str, float]:
    """Return the images a second that recent runs of this size and mode trained, by architecture."""
    query = (
        select(Run.architecture, Run.images_per_second, Experiment.settings)
        .join(Experiment, Experiment.experiment_id == Run.experiment_id)
        .join(Dataset, Dataset.hash == Experiment.dataset_hash)
        .where(Run.status == FINISHED, Dataset.size_px == size_px)
        .order_by(Run.finished_at.desc())
        .limit(_RECENT_RUNS)
    )
    speeds: dict[str, list[float]] = {}
    with study.session() as session:
        for architecture, images_per_second, settings in session.execute(query):
            if images_per_second is not None and settings.get("mode", "full") == mode:
                speeds.setdefault(architecture, []).append(images_per_second)
    return {architecture: sum(values) / len(values) for architecture, values in speeds.items()}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
