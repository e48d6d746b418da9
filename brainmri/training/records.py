"""Tables of the training stage: experiments, splits, runs, epochs and predictions.

The engine (architectures, splits, augmentation, loop) does not import this module: it takes arrays and settings and
works where no database is installed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now

QUEUED: Final = "queued"
RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
ENDED: Final = (FINISHED, FAILED, STOPPED)


class Experiment(Base):
    """Architectures × repeats on one data set under one protocol."""

    __tablename__ = "experiments"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    """``exp-001`` and so on."""
    dataset_hash: Mapped[str] = mapped_column(ForeignKey("datasets.hash"))
    settings: Mapped[dict[str, Any]]
    """`brainmri.training.settings.TrainingSettings.to_dict()`."""
    stop_requested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Split(Base):
    """One repeat's division of the samples, shared by all architectures of the experiment."""

    __tablename__ = "splits"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.experiment_id"))
    repeat: Mapped[int]
    """From 1."""
    unit: Mapped[str]
    """What was divided: ``patient`` or ``image``."""
    seed: Mapped[int]
    train: Mapped[list[Any]]
    """Sample indices."""
    test: Mapped[list[Any]]
    """Sample indices."""

    __table_args__ = (UniqueConstraint("experiment_id", "repeat"),)


class Run(Base):
    """One architecture, one repeat."""

    __tablename__ = "runs"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    """``exp-001-resnet50-03``: experiment, architecture, repeat."""
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.experiment_id"), index=True)
    architecture: Mapped[str]
    repeat: Mapped[int]
    seed: Mapped[int]
    status: Mapped[str] = mapped_column(default=QUEUED, index=True)
    message: Mapped[str | None]
    """Why the run failed, and what to do."""
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))
    """The background task whose processes work on it."""
    worker_pid: Mapped[int | None]
    """Number of the process that took the run, with its creation time (seconds since 1970) and machine: tells a run at
    work from one whose process is gone."""
    worker_created: Mapped[float | None]
    worker_host: Mapped[str | None]
    device: Mapped[str | None]
    versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Software that made the result: brainmri, python, torch, torchvision, numpy, git revision."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    """Wall time of training and testing."""
    images_per_second: Mapped[float | None]
    """Training images seen, divided by the time of the training epochs."""
    accuracy: Mapped[float | None]
    """Share of test images classified correctly, 0 to 1."""

    __table_args__ = (UniqueConstraint("experiment_id", "architecture", "repeat"),)


class Epoch(Base):
    """One pass over the training images of a run."""

    __tablename__ = "epochs"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    """From 1."""
    train_loss: Mapped[float]
    """Mean cross-entropy in nats over the augmented training images."""
    train_accuracy: Mapped[float]
    """0 to 1, over the augmented training images."""
    learning_rate: Mapped[float]
    seconds: Mapped[float]


class Prediction(Base):
    """What one run says of one of its test samples."""

    __tablename__ = "predictions"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    sample_index: Mapped[int] = mapped_column(primary_key=True)
    true_class: Mapped[int]
    predicted_class: Mapped[int]
    probabilities: Mapped[list[Any]]
    """Softmax output, one number a class."""
