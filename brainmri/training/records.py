"""Tables of the training stage: experiments, splits, runs, epochs and predictions.

The engine (architectures, splits, augmentation, loop) does not import this module: it takes arrays and settings and
works where no database is installed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, false
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
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Waiting runs are not begun; those at work go back into the queue at the end of their epoch."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("experiments.experiment_id"))
    """The experiment that this one repeats on corrected samples, with the same protocol and the same splits."""


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
    validation: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """Sample indices taken out of ``train``, to choose by."""

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
    remark: Mapped[str | None]
    """What else there is to know of a run: gone on with after an interruption, computed in smaller parts."""
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    """Place in the queue: lower ones first, equal ones by repeat."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the run was taken. A process writes results under its own attempt only, so that one that was taken for
    lost and comes back changes nothing."""
    heartbeat_at: Mapped[datetime | None]
    """When the process at work last said that it is there."""
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
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Most memory that the training took: of the GPU, or of the process."""

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
    validation_loss: Mapped[float | None]
    """Mean cross-entropy in nats over the images set aside; None where there are none."""
    validation_accuracy: Mapped[float | None]


class Prediction(Base):
    """What one run says of one of its test samples."""

    __tablename__ = "predictions"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    sample_index: Mapped[int] = mapped_column(primary_key=True)
    true_class: Mapped[int]
    predicted_class: Mapped[int]
    probabilities: Mapped[list[Any]]
    """Softmax output, one number a class."""


class ValidationPrediction(Base):
    """What one run says of one of the samples set aside: for calibration, never for results."""

    __tablename__ = "validation_predictions"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    sample_index: Mapped[int] = mapped_column(primary_key=True)
    true_class: Mapped[int]
    probabilities: Mapped[list[Any]]


class Worker(Base):
    """A process that trains, as long as it lives."""

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True)
    pid: Mapped[int]
    created: Mapped[float]
    """Creation time of the process in seconds since 1970."""
    host: Mapped[str]
    experiment_id: Mapped[str | None]
    """The one experiment it works for; None: any."""
    device: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=utc_now)
    load: Mapped[float | None]
    """Share of one core (can pass 1), or of the GPU, in use since the last heartbeat."""
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Resident memory of the process, or memory in use on the GPU."""
