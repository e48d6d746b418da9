"""The settings of an experiment: one frozen record, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from brainmri.errors import UsageError

SplitUnit = Literal["patient", "image"]
TrainingMode = Literal["full", "partial", "head"]
Schedule = Literal["cosine", "step", "constant"]

PUBLISHED_ARCHITECTURES: Final = ("alexnet", "googlenet", "resnet50")
"""Models 1, 2 and 3 of the published study."""


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "split_by": ("patient", "image"),
    "device": ("auto", "cpu", "cuda"),
    "checkpoint_dtype": ("float32", "float16"),
    "mode": ("full", "partial", "head"),
    "class_weighting": ("none", "balanced"),
    "schedule": ("cosine", "step", "constant"),
    "keep_checkpoints": ("all", "best"),
}
_AT_LEAST: Final = {
    "repeats": 1,
    "epochs": 1,
    "batch_size": 2,  # batch normalisation refuses a single image
    "weight_decay": 0,
    "processes": 0,
    "trained_blocks": 1,
    "cached_views": 1,
    "patience": 0,
}


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
    preset : str
        Name of the protocol in `brainmri.training.presets` that this began as; says nothing of later changes.
    mode : {'full', 'partial', 'head'}
        What is trained: all layers; the last blocks and the head; the head alone. What is frozen is computed once for
        all runs of an architecture.
    trained_blocks : int
        Blocks before the head that ``partial`` trains, counted from the end of `Architecture.blocks`.
    cached_views : int
        Under ``partial`` and ``head``: versions of each image whose activations are computed once, the first unchanged,
        the others augmented.
    class_weighting : {'none', 'balanced'}
        ``balanced`` weighs the loss of each image by the inverse of its class's share of the training images.
    head_rate_factor : float
        Learning rate of the last layer relative to that of the others.
    schedule : {'cosine', 'step', 'constant'}
        How the learning rate falls after its rise: along half a cosine to zero; to a tenth at half and at three
        quarters of the training; not at all.
    validation_fraction : float
        Share of the training patients (or images) that is set aside to choose by: early stopping and calibration. The
        test images are never used for that. 0: none.
    patience : int
        Epochs without a lower validation loss after which the training ends, with the weights of the best epoch; 0:
        train all epochs and keep the last weights.
    deterministic : bool
        On a GPU: only algorithms that give the same bits every time. A processor does so always.
    compiled : bool
        Compile the network before training (`torch.compile`): needs a C++ compiler, takes about a minute a process, and
        pays on a GPU in long trainings only. On two cores of a processor it gained nothing.
    keep_checkpoints : {'all', 'best'}
        Whether every run's network is kept, or of each architecture only the one with the lowest validation loss (the
        lowest training loss where nothing is set aside).
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
    preset: str = ""
    mode: TrainingMode = "full"
    trained_blocks: int = 1
    cached_views: int = 1
    class_weighting: Literal["none", "balanced"] = "none"
    head_rate_factor: float = 1.0
    schedule: Schedule = "cosine"
    validation_fraction: float = 0.0
    patience: int = 0
    deterministic: bool = False
    compiled: bool = False
    keep_checkpoints: Literal["all", "best"] = "all"

    def __post_init__(self) -> None:
        """Refuse a setting that cannot be meant."""
        for name, expected, holds in self._conditions():
            if not holds:
                raise UsageError(f"The training setting '{name}' is {getattr(self, name)!r}; expected {expected}.")

    def _conditions(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each setting's name, what is expected of it, and whether it holds."""
        for name, choices in _CHOICES.items():
            yield name, " or ".join(map(repr, choices)), getattr(self, name) in choices
        for name, least in _AT_LEAST.items():
            yield name, f"{least} or more", getattr(self, name) >= least
        yield "architectures", "at least one name", len(self.architectures) > 0
        yield "test_fraction", "a share between 0 and 1", 0 < self.test_fraction < 1
        yield "learning_rate", "a positive number", self.learning_rate > 0
        yield "momentum", "0 or more, below 1", 0 <= self.momentum < 1
        yield "weights", "'imagenet', 'scratch' or the path of a weight file", self.weights != ""
        yield "augmentation", "a strength between 0 and 2", 0 <= self.augmentation <= 2
        yield "seed", "a whole number from 0 to 2147483647", 0 <= self.seed < 2**31
        yield "head_rate_factor", "a positive number", self.head_rate_factor > 0
        yield "validation_fraction", "a share from 0 to 0.5", 0 <= self.validation_fraction <= 0.5
        learnt = self.mode == "full" or self.weights != "scratch"
        yield "mode", "'full' where weights are random ('scratch'): frozen layers would have learnt nothing", learnt
        early = self.patience == 0 or self.validation_fraction > 0
        yield "patience", "0, or a validation_fraction above 0 to measure on", early

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
