"""The settings of an experiment: one frozen record, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from brainmri.errors import UsageError

SplitUnit = Literal["patient", "image"]

PUBLISHED_ARCHITECTURES: Final = ("alexnet", "googlenet", "resnet50")
"""Models 1, 2 and 3 of the published study."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How an experiment trains.

    Parameters
    ----------
    architectures : tuple of str
        Names from `brainmri.training.architectures`.
    repeats : int
        Random splits, each used once by every architecture.
    split_by : {'patient', 'image'}
        What the split divides. Images of one patient land on both sides of a split of images.
    test_fraction : float
        Share of patients (or images) held out for testing.
    epochs : int
        Passes over the training images.
    batch_size : int
        Images a step.
    learning_rate : float
        Peak learning rate of stochastic gradient descent with momentum.
    momentum, weight_decay : float
        Of stochastic gradient descent.
    weights : str
        ``imagenet`` (published weights), ``scratch`` (random), or the path of a weight file.
    augmentation : float
        Strength of the augmentation: 0 none, 1 the default ranges of `brainmri.training.augmentation`.
    device : {'auto', 'cpu', 'cuda'}
        Where to train.
    processes : int
        Processes that train at once; 0 chooses: one a core on a CPU, one on a GPU.
    checkpoint_dtype : {'float32', 'float16'}
        Precision of the stored weight matrices. The stored weights are those that are tested.
    seed : int
        Seed of the splits, and with architecture and repeat of every run.
    """

    architectures: tuple[str, ...] = PUBLISHED_ARCHITECTURES
    repeats: int = 10
    split_by: SplitUnit = "patient"
    test_fraction: float = 0.3
    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 0.002
    momentum: float = 0.9
    weight_decay: float = 1e-4
    weights: str = "imagenet"
    augmentation: float = 1.0
    device: str = "auto"
    processes: int = 0
    checkpoint_dtype: Literal["float32", "float16"] = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a setting that cannot be meant."""
        _require(len(self.architectures) > 0, "architectures", self.architectures, "at least one name")
        _require(self.repeats >= 1, "repeats", self.repeats, "1 or more")
        _require(self.split_by in ("patient", "image"), "split_by", self.split_by, "'patient' or 'image'")
        _require(0 < self.test_fraction < 1, "test_fraction", self.test_fraction, "a share between 0 and 1")
        _require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        _require(
            self.batch_size >= 2, "batch_size", self.batch_size, "2 or more (batch normalisation needs two images)"
        )
        _require(self.learning_rate > 0, "learning_rate", self.learning_rate, "a positive number")
        _require(0 <= self.momentum < 1, "momentum", self.momentum, "0 or more, below 1")
        _require(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        _require(self.weights != "", "weights", self.weights, "'imagenet', 'scratch' or the path of a weight file")
        _require(0 <= self.augmentation <= 2, "augmentation", self.augmentation, "a strength between 0 and 2")
        _require(self.device in ("auto", "cpu", "cuda"), "device", self.device, "'auto', 'cpu' or 'cuda'")
        _require(self.processes >= 0, "processes", self.processes, "0 (chosen for this machine) or more")
        _require(
            self.checkpoint_dtype in ("float32", "float16"),
            "checkpoint_dtype",
            self.checkpoint_dtype,
            "float32 or float16",
        )
        _require(0 <= self.seed < 2**31, "seed", self.seed, "a whole number from 0 to 2147483647")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return {**asdict(self), "architectures": list(self.architectures)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingSettings:
        """Rebuild the settings of an experiment; an unknown name raises `UsageError`."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise UsageError(f"Unknown training setting: {', '.join(sorted(unknown))}.")
        return cls(**{**values, "architectures": tuple(values["architectures"])})


def _require(holds: bool, name: str, found: object, expected: str) -> None:
    if not holds:
        raise UsageError(f"The training setting '{name}' is {found!r}; expected {expected}.")
