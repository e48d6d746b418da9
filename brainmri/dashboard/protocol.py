"""What the training page can choose, as the command line takes it; and how long it may take."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Run
from brainmri.training.settings import PUBLISHED_ARCHITECTURES, TrainingSettings

DEFAULTS: Final = TrainingSettings()

_RECENT_RUNS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A training as chosen on the page.

    Parameters
    ----------
    architectures : tuple of str
    repeats, epochs, size_px : int
    split_by : str
        ``patient`` or ``image``.
    weights : str
        ``imagenet``, ``scratch`` or the path of a file.
    device : str
    seed : int
    advanced : mapping of str to object
        Further options of the command line by name; those that are the default are left out of the command.
    """

    architectures: tuple[str, ...] = PUBLISHED_ARCHITECTURES
    repeats: int = DEFAULTS.repeats
    split_by: str = DEFAULTS.split_by
    epochs: int = DEFAULTS.epochs
    size_px: int = 224
    weights: str = DEFAULTS.weights
    device: str = DEFAULTS.device
    seed: int = DEFAULTS.seed
    advanced: Mapping[str, Any] = field(default_factory=dict)

    def to_arguments(self) -> list[str]:
        """Return the arguments of ``python -m brainmri`` that train so."""
        options: dict[str, Any] = {
            "repeats": self.repeats,
            "split": self.split_by,
            "epochs": self.epochs,
            "size": self.size_px,
            "weights": self.weights,
            "device": self.device,
            "seed": self.seed,
            **self.advanced,
        }
        pairs = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        return ["train", "--architectures", *self.architectures, *pairs]


def measured_speeds(study: Study, size_px: int) -> dict[str, float]:
    """Return the images a second that recent runs trained at this size, by architecture.

    Parameters
    ----------
    study : Study
    size_px : int
        Side of a sample: the speed of another size says little.
    """
    query = (
        select(Run.architecture, Run.images_per_second)
        .join(Experiment, Experiment.experiment_id == Run.experiment_id)
        .join(Dataset, Dataset.hash == Experiment.dataset_hash)
        .where(Run.status == FINISHED, Dataset.size_px == size_px)
        .order_by(Run.finished_at.desc())
        .limit(_RECENT_RUNS)
    )
    speeds: dict[str, list[float]] = {}
    with study.session() as session:
        for architecture, images_per_second in session.execute(query):
            if images_per_second is not None:
                speeds.setdefault(architecture, []).append(images_per_second)
    return {architecture: sum(values) / len(values) for architecture, values in speeds.items()}


def expected_seconds(
    protocol: Protocol, speeds: Mapping[str, float], *, images: int, processes: int | None = None
) -> float | None:
    """Return roughly how long a training takes, or None where a chosen architecture was not measured.

    Parameters
    ----------
    protocol : Protocol
    speeds : mapping of str to float
        From `measured_speeds`.
    images : int
        In the whole data set.
    processes : int, optional
        That train at once; default one a core, as on a CPU.
    """
    if not protocol.architectures or any(not speeds.get(name) for name in protocol.architectures):
        return None
    seen = images * (1 - DEFAULTS.test_fraction) * protocol.epochs * protocol.repeats
    at_once = min(processes or _cores(), protocol.repeats * len(protocol.architectures))
    return sum(seen / speeds[name] for name in protocol.architectures) / at_once


def _cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
