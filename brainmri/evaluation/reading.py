"""Read finished runs and their predictions from a study, column by column. Nothing here imports torch or scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brainmri.errors import EvaluationError
from brainmri.evaluation.accuracy_table import read_accuracy_csv, read_accuracy_table
from brainmri.evaluation.loading import find_experiment, in_protocol_order, load_predictions
from brainmri.evaluation.predictions import (
    CaseRow,
    Confusion,
    Level,
    Predictions,
    case_accuracies,
    count_confusions,
    tabulate_cases,
)
from brainmri.evaluation.repeats import Repeats
from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Run, Split
from brainmri.training.settings import TrainingSettings

__all__ = [
    "EvaluatedExperiment",
    "FinishedRun",
    "align_runs",
    "read_accuracies",
    "read_accuracy_csv",
    "read_accuracy_table",
    "read_case_table",
    "read_confusions",
    "read_experiment",
    "read_finished_runs",
    "read_predictions",
    "read_repeats",
]


@dataclass(frozen=True, kw_only=True)
class EvaluatedExperiment:
    """What an experiment compared, for the sentence above its results.

    Parameters
    ----------
    experiment_id : str
    created_at : datetime
    settings : TrainingSettings
    dataset_hash : str
    classes : tuple of str
        Diagnoses in the order of their class index.
    images, cases : int
        In the data set.
    size_px : int
        Side of an image.
    synthetic : bool
        True where phantoms are among the cases.
    finished, total : int
        Runs.
    """

    experiment_id: str
    created_at: datetime
    settings: TrainingSettings
    dataset_hash: str
    classes: tuple[str, ...]
    images: int
    cases: int
    size_px: int
    synthetic: bool
    finished: int
    total: int


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """One finished run as figures and tables show it.

    Parameters
    ----------
    run_id, architecture : str
    repeat : int
        From 1.
    split_seed : int or None
        Seed of the split that all architectures of this repeat share.
    accuracy : float
        Share of test images (or of test cases, where asked for) classified correctly; NaN where none was tested.
    seconds : float or None
        Wall time of training and testing.
    images_per_second : float or None
        Training images seen, divided by the time of the training epochs.
    device : str or None
    """

    run_id: str
    architecture: str
    repeat: int
    split_seed: int | None
    accuracy: float
    seconds: float | None
    images_per_second: float | None
    device: str | None


def read_experiment(study: Study, experiment_id: str) -> EvaluatedExperiment:
    """Return what an experiment compared.

    Raises
    ------
    EvaluationError
        Where there is no such experiment; the message lists those that exist.
    """
    with study.session() as session:
        experiment = find_experiment(study, session, experiment_id)
        dataset = session.get_one(Dataset, experiment.dataset_hash)
        statuses = session.scalars(select(Run.status).where(Run.experiment_id == experiment_id)).all()
    return EvaluatedExperiment(
        experiment_id=experiment_id,
        created_at=experiment.created_at,
        settings=TrainingSettings.from_dict(experiment.settings),
        dataset_hash=dataset.hash,
        classes=tuple(dataset.classes),
        images=dataset.sample_count,
        cases=dataset.case_count,
        size_px=dataset.size_px,
        synthetic=dataset.synthetic,
        finished=list(statuses).count(FINISHED),
        total=len(statuses),
    )


def read_finished_runs(study: Study, experiment_id: str, *, level: Level = "image") -> tuple[FinishedRun, ...]:
    """Return the finished runs of an experiment, by architecture (in the order of the settings) and repeat.

    Parameters
    ----------
    study : Study
    experiment_id : str
    level : {'image', 'case'}
        What the accuracy counts: test images, or test cases by their verdict.

    Raises
    ------
    EvaluationError
        Where there is no such experiment.
    """
    with study.session() as session:
        experiment = find_experiment(study, session, experiment_id)
        rows = _finished_rows(session, experiment)
    runs = tuple(
        FinishedRun(
            run_id=row.run_id,
            architecture=row.architecture,
            repeat=row.repeat,
            split_seed=row.split_seed,
            accuracy=math.nan if row.accuracy is None else row.accuracy,
            seconds=row.seconds,
            images_per_second=row.images_per_second,
            device=row.device,
        )
        for row in rows
    )
    if level == "image":
        return runs
    by_run = case_accuracies(read_predictions(study, experiment_id))
    return tuple(replace(run, accuracy=by_run.get(run.run_id, math.nan)) for run in runs)


def read_accuracies(study: Study, experiment_id: str, *, level: Level = "image") -> dict[str, list[float]]:
    """Return the accuracies of an experiment's finished runs, shares from 0 to 1.

    Returns
    -------
    dict of str to list of float
        By architecture in the order of the settings, as long as one another: the same place is the same repeat, and a
        repeat that an architecture lacks is not-a-number.

    Raises
    ------
    EvaluationError
        Where there is no such experiment, or none of its runs has finished.
    """
    return read_repeats(study, experiment_id, level=level).accuracies


def read_repeats(study: Study, experiment_id: str, *, level: Level = "image") -> Repeats:
    """Return the accuracies of an experiment's finished runs side by side; otherwise as `read_accuracies`."""
    runs = read_finished_runs(study, experiment_id, level=level)
    if not runs:
        raise EvaluationError(
            f"No run of the experiment {experiment_id} has finished yet, so that there is nothing to compare. "
            f"Wait for its training, or go on with it: python -m brainmri work {experiment_id}"
        )
    return align_runs(runs)


def align_runs(runs: Sequence[FinishedRun]) -> Repeats:
    """Put the accuracies of runs side by side: architectures of one repeat ran on the same split."""
    return Repeats.align((run.architecture, str(run.repeat), run.accuracy) for run in runs)


def read_predictions(study: Study, experiment_id: str, *, run_id: str | None = None) -> Predictions:
    """Return the predictions of an experiment's finished runs, or of one of them, as arrays.

    Raises
    ------
    EvaluationError
        Where there is no such experiment, or the run is not among its finished ones.
    """
    return load_predictions(study, experiment_id, run_id=run_id)


def read_confusions(study: Study, experiment_id: str, *, level: Level = "image") -> dict[str, Confusion]:
    """Return the confusion counts of each architecture over its finished runs."""
    return count_confusions(read_predictions(study, experiment_id), level=level)


def read_case_table(study: Study, experiment_id: str) -> tuple[CaseRow, ...]:
    """Return every case that a finished run tested, the hardest first."""
    return tabulate_cases(read_predictions(study, experiment_id))


def _finished_rows(session: Session, experiment: Experiment) -> Sequence[Any]:
    query = (
        select(
            Run.run_id,
            Run.architecture,
            Run.repeat,
            Run.accuracy,
            Run.seconds,
            Run.images_per_second,
            Run.device,
            Split.seed.label("split_seed"),
        )
        .outerjoin(Split, (Split.experiment_id == Run.experiment_id) & (Split.repeat == Run.repeat))
        .where(Run.experiment_id == experiment.experiment_id, Run.status == FINISHED)
    )
    return in_protocol_order(experiment, session.execute(query).all())
