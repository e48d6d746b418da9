"""Repeat an experiment on corrected samples: the same protocol, and the same patients on the same sides."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from brainmri.errors import TrainingError
from brainmri.imaging.corrected import Progress
from brainmri.imaging.datasets import read_sample_rows
from brainmri.review.corrections import changes_since, correct_dataset
from brainmri.study import Study
from brainmri.training.experiments import create_experiment, read_experiment
from brainmri.training.given_splits import Ancestor, carry_over
from brainmri.training.records import Experiment, Split
from brainmri.training.settings import TrainingSettings
from brainmri.training.splits import SplitIndices


def repeat_corrected(study: Study, experiment_id: str, *, progress: Progress | None = None) -> str:
    """Make the corrected data set and an experiment on it, queue its runs, and return its identifier.

    Parameters
    ----------
    study : Study
    experiment_id : str
        The experiment to repeat; the new one is linked to it.
    progress : callable, optional

    Raises
    ------
    TrainingError
        Where there is no such experiment, nothing was corrected since, or a side loses its last case of a class.
    ImagingError
        Where a class would be empty.
    """
    parent = read_experiment(study, experiment_id)
    changes = changes_since(study, parent.dataset_hash)
    if not changes.case_ids:
        raise TrainingError(
            f"Nothing was corrected since data set {parent.dataset_hash}, which {experiment_id} was trained on. Note a "
            "correction first; 'rerun' repeats a run as it was."
        )
    dataset = correct_dataset(study, parent.dataset_hash, progress=progress)
    places = [(row.case_id, row.slice_index) for row in read_sample_rows(study, dataset.hash)]
    splits = carry_over([_read_ancestor(study, one) for one in _ancestry(study, parent)], places)
    settings = TrainingSettings.from_dict(parent.settings)
    return create_experiment(study, dataset.hash, settings, splits=splits, parent_id=experiment_id)


def _ancestry(study: Study, experiment: Experiment) -> list[Experiment]:
    """Return an experiment, its parent, and so on."""
    line = [experiment]
    while line[-1].parent_id is not None:
        line.append(read_experiment(study, line[-1].parent_id))
    return line


def _read_ancestor(study: Study, experiment: Experiment) -> Ancestor:
    query = select(Split).where(Split.experiment_id == experiment.experiment_id).order_by(Split.repeat)
    with study.session() as session:
        splits = [
            SplitIndices(
                one.repeat,
                one.seed,
                train=np.array(one.train, dtype=np.int64),
                test=np.array(one.test, dtype=np.int64),
                validation=np.array(one.validation, dtype=np.int64),
            )
            for one in session.scalars(query)
        ]
    rows = read_sample_rows(study, experiment.dataset_hash)
    return Ancestor(samples=[(row.case_id, row.slice_index) for row in rows], splits=splits)
