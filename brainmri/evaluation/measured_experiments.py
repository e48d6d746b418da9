"""One metric of the runs of an experiment, with what its splits are known by, for comparisons between experiments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import Level, load_predictions
from brainmri.evaluation.metrics import Metric, MetricByRun, measure_runs
from brainmri.evaluation.reading import EvaluatedExperiment, read_experiment
from brainmri.evaluation.verdicts import VerdictRule, score
from brainmri.study import Study
from brainmri.training.records import Split

ACCURACY: Final = Metric("accuracy")


@dataclass(frozen=True, kw_only=True)
class MeasuredExperiment:
    """One metric of the finished runs of an experiment, with what its splits are known by.

    Parameters
    ----------
    experiment_id : str
    split_by : {'patient', 'image'}
    dataset_hash : str
    classes : tuple of str
    test_fraction : float
    splits : mapping of int to str
        By repeat, a digest of its test and training images.
    values : mapping of str to mapping of int to float
        By architecture and repeat; without runs whose metric is undefined.
    """

    experiment_id: str
    split_by: str
    dataset_hash: str
    classes: tuple[str, ...]
    test_fraction: float
    splits: Mapping[int, str]
    values: Mapping[str, Mapping[int, float]]

    def to_json(self) -> dict[str, Any]:
        """Return what the experiment is, without its values."""
        return {
            "experiment": self.experiment_id,
            "split_by": self.split_by,
            "dataset": self.dataset_hash,
            "test_fraction": self.test_fraction,
            "runs": {architecture: len(by_repeat) for architecture, by_repeat in self.values.items()},
        }


def read_measured(
    study: Study,
    experiment_id: str,
    *,
    metric: Metric = ACCURACY,
    level: Level = "image",
    rule: VerdictRule = "mean",
) -> MeasuredExperiment:
    """Measure the finished runs of an experiment.

    Raises
    ------
    EvaluationError
        Where there is no such experiment, or none of its runs has finished.
    """
    experiment = read_experiment(study, experiment_id)
    predictions = load_predictions(study, experiment_id)
    if not predictions.runs:
        raise EvaluationError(f"No run of the experiment {experiment_id} has finished yet: wait for its training.")
    measured = measure_runs(score(predictions, level=level, rule=rule), metric)
    return describe_measured(experiment, measured, read_split_digests(study, experiment_id))


def describe_measured(
    experiment: EvaluatedExperiment, measured: MetricByRun, splits: Mapping[int, str]
) -> MeasuredExperiment:
    """Put an experiment, a metric of its runs and its splits together."""
    values: dict[str, dict[int, float]] = {}
    for run, value in zip(measured.runs, measured.values, strict=True):
        by_repeat = values.setdefault(run.architecture, {})
        if value is not None:
            by_repeat[run.repeat] = value
    return MeasuredExperiment(
        experiment_id=experiment.experiment_id,
        split_by=experiment.settings.split_by,
        dataset_hash=experiment.dataset_hash,
        classes=experiment.classes,
        test_fraction=experiment.settings.test_fraction,
        splits=splits,
        values=values,
    )


def read_split_sides(study: Study, experiment_id: str) -> dict[int, tuple[list[int], list[int]]]:
    """Return the training and the test images of each repeat; images set aside count as training."""
    query = select(Split.repeat, Split.train, Split.validation, Split.test).where(Split.experiment_id == experiment_id)
    with study.session() as session:
        rows = session.execute(query.order_by(Split.repeat)).all()
    return {row.repeat: ([*row.train, *row.validation], list(row.test)) for row in rows}


def read_split_digests(study: Study, experiment_id: str) -> dict[int, str]:
    """Return a digest of the training and the test images of each repeat."""
    return {repeat: _digest(*sides) for repeat, sides in read_split_sides(study, experiment_id).items()}


def _digest(train: Sequence[int], test: Sequence[int]) -> str:
    text = "|".join(",".join(map(str, sorted(side))) for side in (train, test))
    return hashlib.sha256(text.encode()).hexdigest()
