"""All predictions of an experiment as arrays, read in one query.

Probabilities are stored as JSON, a list a row. Reading row by row costs more than decoding: the database joins the rows
of a run to one text, which is decoded at once (30 runs of 1,000 images in about 0.05 s on one core).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from brainmri.errors import EvaluationError
from brainmri.imaging.records import Dataset, Sample
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Prediction, Run, ValidationPrediction

Level = Literal["image", "case"]
"""What is counted: every test image, or every test case once by its verdict."""

Part = Literal["test", "validation"]
"""Predictions of the test images, or of the training images that were set aside to choose and to calibrate by."""

SUM_TOLERANCE: Final = 0.01
"""By how much the probabilities of an image may miss a sum of 1: networks computed them in reduced precision."""

_NAMES_IN_A_NOTE: Final = 3

_Row = TypeVar("_Row", bound=Any)


class _Columns(NamedTuple):
    """Predictions of one run, ascending by sample."""

    sample_index: NDArray[np.intp]
    true_class: NDArray[np.intp]
    predicted_class: NDArray[np.intp]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class PredictedRun:
    """One finished run."""

    run_id: str
    architecture: str
    repeat: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ExperimentPredictions:
    """What several runs say of their images, as columns of one length P, ordered by run and image.

    Parameters
    ----------
    classes : tuple of str
        Diagnoses in the order of their class index.
    runs : tuple of PredictedRun
        By architecture, in the order of the experiment's settings, and repeat.
    case_ids : tuple of str
        Every case of the data set once, also those that no run tested.
    run : ndarray, shape (P,), int
        Index into ``runs``.
    case : ndarray, shape (P,), int
        Index into ``case_ids``.
    sample_index : ndarray, shape (P,), int
    true_class, predicted_class : ndarray, shape (P,), int
    probabilities : ndarray, shape (P, K), float32
        One column a class, 0 to 1.
    notes : tuple of str
        What is missing, in sentences.
    """

    classes: tuple[str, ...]
    runs: tuple[PredictedRun, ...]
    case_ids: tuple[str, ...]
    run: NDArray[np.intp]
    case: NDArray[np.intp]
    sample_index: NDArray[np.intp]
    true_class: NDArray[np.intp]
    predicted_class: NDArray[np.intp]
    probabilities: NDArray[np.floating[Any]]
    notes: tuple[str, ...] = ()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs' names, in the order of ``runs``."""
        return tuple(run.run_id for run in self.runs)

    @property
    def architectures(self) -> tuple[str, ...]:
        """Every architecture once, in the order of ``runs``."""
        return tuple(dict.fromkeys(run.architecture for run in self.runs))

    @property
    def repeats(self) -> tuple[int, ...]:
        """Every repeat once, ascending."""
        return tuple(sorted({run.repeat for run in self.runs}))

    def of(self, architecture: str) -> ExperimentPredictions:
        """Return the runs of one architecture alone.

        Raises
        ------
        EvaluationError
            Where none of the runs is of this architecture.
        """
        return select_runs(
            self, [i for i, run in enumerate(self.runs) if run.architecture == architecture], architecture
        )


def select_runs(
    predictions: ExperimentPredictions, places: Sequence[int], wanted: str = "wanted"
) -> ExperimentPredictions:
    """Return some of the runs, numbered anew.

    Raises
    ------
    EvaluationError
        Where ``places`` is empty; ``wanted`` says in the message what was looked for.
    """
    if not len(places):
        found = ", ".join(predictions.architectures) or "none at all"
        raise EvaluationError(f"There are no finished runs of {wanted}. Finished runs are there of: {found}.")
    number = np.full(len(predictions.runs), -1, dtype=np.intp)
    number[list(places)] = np.arange(len(places))
    kept = np.flatnonzero(number[predictions.run] >= 0)
    return replace(
        predictions,
        runs=tuple(predictions.runs[place] for place in places),
        run=number[predictions.run[kept]],
        case=predictions.case[kept],
        sample_index=predictions.sample_index[kept],
        true_class=predictions.true_class[kept],
        predicted_class=predictions.predicted_class[kept],
        probabilities=predictions.probabilities[kept],
    )


def load_predictions(
    study: Study, experiment_id: str, *, part: Part = "test", run_id: str | None = None
) -> ExperimentPredictions:
    """Read the predictions of an experiment's finished runs, or of one of them.

    Parameters
    ----------
    study : Study
    experiment_id : str
    part : {'test', 'validation'}
    run_id : str, optional
        One finished run to read alone.

    Raises
    ------
    EvaluationError
        Where there is no such experiment, the run is not among its finished ones, or what is stored contradicts itself.
    """
    with study.session() as session:
        experiment = find_experiment(study, session, experiment_id)
        dataset = session.get_one(Dataset, experiment.dataset_hash)
        every = _runs(session, experiment)
        finished = [run for run in every if run.status == FINISHED and run_id in (None, run.run_id)]
        if run_id is not None and not finished:
            raise EvaluationError(f"The experiment {experiment_id} has no finished run '{run_id}'.")
        texts = _joined_rows(session, experiment_id, run_id, part)
        cases = _case_of_sample(session, dataset.hash)
    runs = tuple(PredictedRun(run_id=row.run_id, architecture=row.architecture, repeat=row.repeat) for row in finished)
    columns = {run: _decode(run, text, len(dataset.classes)) for run, text in texts.items()}
    unfinished = [run.run_id for run in every if run.status != FINISHED] if run_id is None else []
    empty = [run.run_id for run in runs if run.run_id not in columns]
    notes = (
        _describe_runs("Left out because they have not finished", unfinished, f"{len(every)} runs"),
        _describe_runs(f"Without {part} predictions", empty, f"{len(runs)} finished runs"),
    )
    found = _as_columns(tuple(dataset.classes), runs, columns, cases)
    return replace(found, notes=tuple(note for note in notes if note))


def find_experiment(study: Study, session: Session, experiment_id: str) -> Experiment:
    """Return the row of an experiment.

    Raises
    ------
    EvaluationError
        Where there is none; the message lists those that exist.
    """
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        known = session.scalars(select(Experiment.experiment_id).order_by(Experiment.experiment_id)).all()
        listed = f"It has {', '.join(known)}." if known else "It has none yet: train one."
        raise EvaluationError(f"The study {study.folder} has no experiment '{experiment_id}'. {listed}")
    return experiment


def in_protocol_order(experiment: Experiment, rows: Iterable[_Row]) -> list[_Row]:
    """Sort rows with ``architecture`` and ``repeat`` by the order of the experiment's settings, then by repeat."""
    order = {name: index for index, name in enumerate(experiment.settings.get("architectures", ()))}
    return sorted(rows, key=lambda row: (order.get(row.architecture, len(order)), row.architecture, row.repeat))


def _runs(session: Session, experiment: Experiment) -> list[Any]:
    query = select(Run.run_id, Run.architecture, Run.repeat, Run.status).where(
        Run.experiment_id == experiment.experiment_id
    )
    return in_protocol_order(experiment, session.execute(query).all())


def _joined_rows(session: Session, experiment_id: str, run_id: str | None, part: Part) -> dict[str, tuple[str, ...]]:
    """Return for each run its columns, each as JSON of the values without outer brackets, all in one order."""
    table = Prediction if part == "test" else ValidationPrediction
    columns = [table.sample_index, table.true_class, table.probabilities]
    if part == "test":
        columns.append(Prediction.predicted_class)  # not stored for validation: the likeliest class
    query = (
        select(table.run_id, *(func.aggregate_strings(cast(column, Text), ",") for column in columns))
        .join(Run, Run.run_id == table.run_id)
        .where(Run.experiment_id == experiment_id, Run.status == FINISHED)
        .group_by(table.run_id)
    )
    if run_id is not None:
        query = query.where(table.run_id == run_id)
    return {name: tuple(texts) for name, *texts in session.execute(query)}


def _case_of_sample(session: Session, dataset_hash: str) -> dict[int, str]:
    query = select(Sample.sample_index, Sample.case_id).where(Sample.dataset_hash == dataset_hash)
    return {row.sample_index: row.case_id for row in session.execute(query.order_by(Sample.sample_index))}


def _decode(run_id: str, texts: Sequence[str], classes: int) -> _Columns:
    """Decode the joined columns of one run.

    Raises
    ------
    EvaluationError
        Where its probabilities are not one for each class, no numbers, or do not sum to 1.
    """
    sample_index, true_class, stored, *predicted_class = (json.loads(f"[{text}]") for text in texts)
    try:
        probabilities = np.array(stored, dtype=np.float32)
    except ValueError:  # rows of unequal length
        probabilities = np.empty((0, 0), dtype=np.float32)
    if probabilities.shape != (len(sample_index), classes):
        raise EvaluationError(
            f"The run {run_id} holds rows that are not {classes} probabilities, one for each class of its data set. "
            "Train it again."
        )
    if not (np.abs(np.abs(probabilities).sum(axis=1) - 1) <= SUM_TOLERANCE).all():
        raise EvaluationError(
            f"The run {run_id} holds probabilities that are not numbers from 0 to 1 with the sum 1: its training went "
            "astray. Train it again, or remove the run."
        )
    likeliest = predicted_class[0] if predicted_class else probabilities.argmax(axis=1)
    numbers = np.array([sample_index, true_class, likeliest], dtype=np.intp)
    order = np.argsort(numbers[0], kind="stable")
    ordered = numbers[:, order]
    return _Columns(ordered[0], ordered[1], ordered[2], probabilities[order])


def _as_columns(
    classes: tuple[str, ...],
    runs: tuple[PredictedRun, ...],
    columns: Mapping[str, _Columns],
    cases: Mapping[int, str],
) -> ExperimentPredictions:
    none = np.empty(0, dtype=np.intp)
    nothing = _Columns(none, none, none, np.empty((0, len(classes)), dtype=np.float32))
    parts = [columns.get(run.run_id, nothing) for run in runs]
    sample_index, true_class, predicted_class, probabilities = map(np.concatenate, zip(nothing, *parts, strict=True))
    case_ids = tuple(dict.fromkeys(cases.values()))
    return ExperimentPredictions(
        classes=classes,
        runs=runs,
        case_ids=case_ids,
        run=np.repeat(np.arange(len(runs)), [part.sample_index.size for part in parts]),
        case=_places_of_cases(sample_index, cases, case_ids),
        sample_index=sample_index,
        true_class=true_class,
        predicted_class=predicted_class,
        probabilities=probabilities,
    )


def _places_of_cases(
    sample_index: NDArray[np.intp], cases: Mapping[int, str], case_ids: Sequence[str]
) -> NDArray[np.intp]:
    """Return the place in ``case_ids`` of each sample's case.

    Raises
    ------
    EvaluationError
        Where a sample is not in the data set.
    """
    place = {case_id: index for index, case_id in enumerate(case_ids)}
    by_sample = np.full(max([*cases, *sample_index.tolist()], default=-1) + 1, -1, dtype=np.intp)
    by_sample[list(cases)] = [place[case_id] for case_id in cases.values()]
    found: NDArray[np.intp] = by_sample[sample_index]
    if (found < 0).any():
        raise EvaluationError(
            f"There are predictions of the sample {sample_index[found < 0][0]}, which the data set does not hold: "
            "the study's database is not whole. Take it from a backup, or train the experiment again."
        )
    return found


def _describe_runs(what: str, run_ids: Sequence[str], among: str) -> str | None:
    """Return ``Without test predictions: 2 of 30 finished runs (exp-001-alexnet-01, exp-001-alexnet-02).``, or None."""
    if not run_ids:
        return None
    further = len(run_ids) - _NAMES_IN_A_NOTE
    names = ", ".join(run_ids[:_NAMES_IN_A_NOTE]) + (f" and {further} more" if further > 0 else "")
    return f"{what}: {len(run_ids)} of {among} ({names})."
