"""What pages and the command line read of experiments: states, progress, time left, loss curves. Imports no torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brainmri import tasks
from brainmri.database import utc_now
from brainmri.errors import TrainingError
from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.heartbeats import list_workers
from brainmri.training.records import ENDED, FAILED, FINISHED, QUEUED, RUNNING, STOPPED, Epoch, Experiment, Run
from brainmri.training.run_queue import is_at_work
from brainmri.training.settings import TrainingSettings

WAITING: Final = "waiting"
"""State of an experiment none of whose runs has begun, while processes are there that will take them."""
INTERRUPTED: Final = "interrupted"
"""State of an experiment with open runs on which no process works any more."""
PAUSED: Final = "paused"
"""State of an experiment whose open runs wait because somebody asked for it."""


@dataclass(frozen=True)
class RunRow:
    """One run as it stands."""

    run_id: str
    architecture: str
    repeat: int
    status: str
    accuracy: float | None
    """0 to 1."""
    epoch: int
    """Epochs done."""
    epochs: int
    """Epochs to do."""
    seconds: float | None
    """Wall time; of a running run, until now."""
    images_per_second: float | None
    message: str | None
    remark: str | None
    """What else there is to know: gone on with, computed in parts."""


@dataclass(frozen=True)
class ExperimentProgress:
    """One experiment as it stands."""

    experiment_id: str
    status: str
    """``queued``, ``waiting``, ``running``, ``paused``, ``finished``, ``failed`` (ended, with failed runs), ``stopped``
    or ``interrupted``."""
    stop_requested: bool
    paused: bool
    """Somebody asked for a pause; runs at work end their epoch first."""
    runs: tuple[RunRow, ...]
    """By repeat, architectures in the order of the settings."""
    finished: int
    failed: int
    total: int
    fraction: float
    """Share of the work done, 0 to 1, runs weighed by their measured or estimated time."""
    seconds_left: float | None
    """Estimated; None where nothing runs or nothing has been measured yet."""


@dataclass(frozen=True)
class ExperimentSummary:
    """One line of a list of experiments."""

    experiment_id: str
    created_at: datetime
    dataset_hash: str
    settings: Mapping[str, Any]
    status: str
    finished: int
    failed: int
    total: int
    synthetic: bool
    """True where phantoms are among the data set's cases."""


@dataclass(frozen=True)
class EpochPoint:
    """One point of a loss curve."""

    run_id: str
    architecture: str
    repeat: int
    epoch: int
    train_loss: float
    train_accuracy: float
    learning_rate: float
    seconds: float


def experiment_progress(study: Study, experiment_id: str) -> ExperimentProgress:
    """Return how far an experiment is.

    Raises
    ------
    TrainingError
        Where there is no such experiment.
    """
    with study.session() as session:
        experiment = session.get(Experiment, experiment_id)
        if experiment is None:
            raise TrainingError(f"The study {study.folder} has no experiment '{experiment_id}'.")
        runs = session.scalars(select(Run).where(Run.experiment_id == experiment_id)).all()
        epochs = _epoch_counts(session, experiment_id)
    settings = TrainingSettings.from_dict(experiment.settings)
    order = {name: index for index, name in enumerate(settings.architectures)}
    runs = sorted(runs, key=lambda run: (run.repeat, order.get(run.architecture, 0)))
    working = _process_works(study, experiment, runs)
    forecast = _forecast(runs, epochs, settings.epochs)
    statuses = [run.status for run in runs]
    return ExperimentProgress(
        experiment_id=experiment_id,
        status=_status(statuses, working=working, paused=experiment.paused),
        stop_requested=experiment.stop_requested,
        paused=experiment.paused,
        runs=tuple(_row(run, epochs.get(run.run_id, (0, 0.0))[0], settings.epochs) for run in runs),
        finished=statuses.count(FINISHED),
        failed=statuses.count(FAILED),
        total=len(runs),
        fraction=forecast.fraction,
        seconds_left=forecast.seconds_left if working else None,
    )


def list_experiments(study: Study) -> list[ExperimentSummary]:
    """Return all experiments, the newest first."""
    with study.session() as session:
        rows = session.execute(
            select(Experiment, Dataset.synthetic)
            .join(Dataset, Dataset.hash == Experiment.dataset_hash)
            .order_by(Experiment.created_at.desc(), Experiment.experiment_id.desc())
        ).all()
        by_experiment = defaultdict(list)
        for run in session.scalars(select(Run)):
            by_experiment[run.experiment_id].append(run)
    return [
        _summary(study, experiment, by_experiment[experiment.experiment_id], synthetic)
        for experiment, synthetic in rows
    ]


def read_epochs(study: Study, experiment_id: str) -> list[EpochPoint]:
    """Return all epochs of an experiment's runs, by run and epoch: the points of its loss curves."""
    query = (
        select(Run.run_id, Run.architecture, Run.repeat, Epoch)
        .join(Epoch, Epoch.run_id == Run.run_id)
        .where(Run.experiment_id == experiment_id)
        .order_by(Run.architecture, Run.repeat, Epoch.epoch)
    )
    with study.session() as session:
        rows = session.execute(query).all()
    return [
        EpochPoint(run_id, architecture, repeat, e.epoch, e.train_loss, e.train_accuracy, e.learning_rate, e.seconds)
        for run_id, architecture, repeat, e in rows
    ]


def read_log_tail(study: Study, run_id: str, *, lines: int) -> list[str]:
    """Return the last lines of a run's log; none where it has not begun."""
    path = study.run_folder(run_id) / "log.txt"
    return path.read_text(encoding="utf-8").splitlines()[-lines:] if path.is_file() else []


def has_process(study: Study, experiment_id: str) -> bool:
    """Return whether a process works on an experiment, or a task that will is starting."""
    with study.session() as session:
        experiment = session.get(Experiment, experiment_id)
        runs = session.scalars(select(Run).where(Run.experiment_id == experiment_id)).all()
    return experiment is not None and _process_works(study, experiment, runs)


def _process_works(study: Study, experiment: Experiment, runs: Sequence[Run]) -> bool:
    """Return whether a run's process is alive, or else something still runs that will take the waiting ones."""
    if all(run.status in ENDED for run in runs):
        return False
    if any(is_at_work(run) for run in runs if run.status == RUNNING):
        return True
    if experiment.paused:
        return False
    if any(worker.experiment_id in (None, experiment.experiment_id) for worker in list_workers(study)):
        return True
    if tasks.is_running(study, "train", subject=experiment.experiment_id):
        return True
    return any(tasks.is_running(study, kind) for kind in ("demo", tasks.WORKER))


def _status(statuses: Sequence[str], *, working: bool, paused: bool) -> str:
    if working:
        return WAITING if all(status == QUEUED for status in statuses) else RUNNING
    if paused and (QUEUED in statuses or RUNNING in statuses):
        return PAUSED
    if RUNNING in statuses or (QUEUED in statuses and any(status in ENDED for status in statuses)):
        return INTERRUPTED
    for status in (QUEUED, STOPPED, FAILED):
        if status in statuses:
            return status
    return FINISHED


def _summary(study: Study, experiment: Experiment, runs: Sequence[Run], synthetic: bool) -> ExperimentSummary:
    statuses = [run.status for run in runs]
    return ExperimentSummary(
        experiment_id=experiment.experiment_id,
        created_at=experiment.created_at,
        dataset_hash=experiment.dataset_hash,
        settings=experiment.settings,
        status=_status(statuses, working=_process_works(study, experiment, runs), paused=experiment.paused),
        finished=statuses.count(FINISHED),
        failed=statuses.count(FAILED),
        total=len(runs),
        synthetic=synthetic,
    )


def _row(run: Run, epoch: int, epochs: int) -> RunRow:
    seconds = run.seconds
    if run.status == RUNNING and run.started_at is not None:
        seconds = (utc_now() - run.started_at).total_seconds()
    return RunRow(
        run_id=run.run_id,
        architecture=run.architecture,
        repeat=run.repeat,
        status=run.status,
        accuracy=run.accuracy,
        epoch=epoch,
        epochs=epochs,
        seconds=seconds,
        images_per_second=run.images_per_second,
        message=run.message,
        remark=run.remark,
    )


def _epoch_counts(session: Session, experiment_id: str) -> dict[str, tuple[int, float]]:
    """Return for each run the number of epochs done and their mean seconds."""
    query = (
        select(Epoch.run_id, func.max(Epoch.epoch), func.avg(Epoch.seconds))
        .join(Run, Run.run_id == Epoch.run_id)
        .where(Run.experiment_id == experiment_id)
        .group_by(Epoch.run_id)
    )
    return {run_id: (count, mean) for run_id, count, mean in session.execute(query)}


@dataclass(frozen=True)
class _Forecast:
    fraction: float
    seconds_left: float | None


def _forecast(runs: Sequence[Run], epochs: Mapping[str, tuple[int, float]], planned: int) -> _Forecast:
    """Weigh every run by the time its architecture takes, and share what is left among the processes at work."""
    measured = _seconds_by_architecture(runs, epochs, planned)
    costs = {run.run_id: measured.get(run.architecture) or _relative(run.architecture, measured) for run in runs}
    left = {run.run_id: costs[run.run_id] * (1 - _share_done(run, epochs, planned)) for run in runs}
    fraction = 1 - sum(left.values()) / max(sum(costs.values()), 1e-9)
    at_work = [run for run in runs if run.status == RUNNING]
    if not measured or not at_work:
        return _Forecast(fraction, None)
    open_runs = [run for run in runs if run.status in (RUNNING, QUEUED)]
    between = _seconds_between(runs)
    total = sum(left[run.run_id] + between for run in open_runs)
    longest = max(left[run.run_id] + between for run in open_runs)
    return _Forecast(fraction, max(total / len(at_work), longest))


def _share_done(run: Run, epochs: Mapping[str, tuple[int, float]], planned: int) -> float:
    if run.status in (FINISHED, FAILED):
        return 1.0
    return 0.0 if run.status != RUNNING else 0.97 * epochs.get(run.run_id, (0, 0.0))[0] / planned


def _seconds_by_architecture(
    runs: Sequence[Run], epochs: Mapping[str, tuple[int, float]], planned: int
) -> dict[str, float]:
    """Return the seconds of a run of each architecture that has a finished run, or else a finished epoch."""
    finished, begun = defaultdict(list), defaultdict(list)
    for run in runs:
        if run.status == FINISHED and run.seconds:
            finished[run.architecture].append(run.seconds)
        elif run.run_id in epochs:
            begun[run.architecture].append(epochs[run.run_id][1] * planned)
    return {name: sum(values) / len(values) for name, values in {**begun, **finished}.items()}


def _relative(architecture: str, measured: Mapping[str, float]) -> float:
    """Estimate the seconds of an architecture from the measured ones by relative cost; without any, that cost."""
    cost = _cost(architecture)
    if not measured:
        return cost
    return cost * sum(measured.values()) / sum(_cost(name) for name in measured)


def _cost(architecture: str) -> float:
    entry = ARCHITECTURES.get(architecture)
    return entry.relative_cost if entry else 1.0


def _seconds_between(runs: Sequence[Run]) -> float:
    """Return the mean time a process takes between the end of a run and its next one: maps, checkpoint, rows."""
    by_process = defaultdict(list)
    for run in runs:
        if run.started_at is not None:
            by_process[run.worker_pid].append(run)
    gaps = []
    for own in by_process.values():
        own.sort(key=lambda run: run.started_at or utc_now())
        for run, following in pairwise(own):
            if run.seconds and run.started_at and following.started_at:
                gaps.append((following.started_at - run.started_at).total_seconds() - run.seconds)
    return max(sum(gaps) / len(gaps), 0.0) if gaps else 0.0
