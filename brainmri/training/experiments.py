"""Experiments: checked, stored with their splits, and queued."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from brainmri.errors import TrainingError, UsageError
from brainmri.imaging.records import Dataset, Sample
from brainmri.study import Study
from brainmri.training.architecture_names import find_architecture
from brainmri.training.given_splits import check_given_splits
from brainmri.training.records import Experiment, Run, Split
from brainmri.training.settings import TrainingSettings
from brainmri.training.splits import SplitIndices, make_splits
from brainmri.training.weights import IMAGENET, SCRATCH, check_weight_file, ensure_weights

_ATTEMPTS = 5
"""Two pages may make an experiment at the same moment and pick the same number."""


def create_experiment(
    study: Study,
    dataset_hash: str,
    settings: TrainingSettings,
    *,
    splits: Sequence[SplitIndices] | None = None,
    parent_id: str | None = None,
) -> str:
    """Check an experiment, store it with its splits, queue its runs, and return its identifier.

    Nothing is stored where something is wrong. Published weights are resolved first: checked, or fetched, or reported
    missing.

    Parameters
    ----------
    study : Study
    dataset_hash : str
    settings : TrainingSettings
    splits : sequence of SplitIndices, optional
        One a repeat; default: drawn by the settings.
    parent_id : str, optional
        The experiment that this one repeats on corrected samples.

    Raises
    ------
    UsageError
        For an unknown architecture or samples that are too small for one.
    WeightsMissing
        Where published weights are not there.
    TrainingError
        For an unknown data set, a class with fewer than two patients (or images), or given splits that do not fit.
    LeakError
        Where a patient stands on both sides of a given split of patients.
    """
    dataset, samples = _read_dataset(study, dataset_hash)
    _check_architectures(settings.architectures, dataset.size_px)
    labels = [dataset.classes.index(sample.diagnosis) for sample in samples]
    groups = [sample.case_id for sample in samples]
    if splits is None:
        splits = make_splits(
            labels,
            groups,
            unit=settings.split_by,
            repeats=settings.repeats,
            test_fraction=settings.test_fraction,
            seed=settings.seed,
            class_names=dataset.classes,
            validation_fraction=settings.validation_fraction,
        )
    else:
        check_given_splits(splits, labels, groups, settings=settings, class_names=dataset.classes)
    if settings.weights == IMAGENET:
        ensure_weights(settings.architectures)
    elif settings.weights != SCRATCH:
        check_weight_file(settings.weights, settings.architectures)
    for _attempt in range(_ATTEMPTS):
        try:
            return _store(study, dataset_hash, settings, splits, parent_id)
        except IntegrityError:
            continue
    raise TrainingError(
        "The experiment could not be numbered: another process makes experiments all the time. Try again."
    )


def run_seed(seed: int, architecture: str, repeat: int) -> int:
    """Return the seed of one run, independent of the other runs and of the order of the queue."""
    words = (seed, repeat, *architecture.encode())
    return int(np.random.SeedSequence(words).generate_state(1)[0] >> 1)


def read_experiment(study: Study, experiment_id: str) -> Experiment:
    """Return the row of an experiment.

    Raises
    ------
    TrainingError
        Where there is none.
    """
    with study.session() as session:
        experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise TrainingError(f"The study {study.folder} has no experiment '{experiment_id}'.")
    return experiment


def read_run(study: Study, run_id: str) -> Run:
    """Return the row of a run.

    Raises
    ------
    TrainingError
        Where there is none.
    """
    with study.session() as session:
        run = session.get(Run, run_id)
    if run is None:
        raise TrainingError(f"The study {study.folder} has no run '{run_id}'.")
    return run


def read_split(study: Study, experiment_id: str, repeat: int) -> Split:
    """Return the stored split of a repeat.

    Raises
    ------
    TrainingError
        Where there is none.
    """
    query = select(Split).where(Split.experiment_id == experiment_id, Split.repeat == repeat)
    with study.session() as session:
        split = session.scalar(query)
    if split is None:
        raise TrainingError(f"The experiment '{experiment_id}' has no split for repeat {repeat}.")
    return split


def _read_dataset(study: Study, dataset_hash: str) -> tuple[Dataset, list[Sample]]:
    with study.session() as session:
        dataset = session.get(Dataset, dataset_hash)
        query = select(Sample).where(Sample.dataset_hash == dataset_hash).order_by(Sample.sample_index)
        samples = list(session.scalars(query))
    if dataset is None:
        raise TrainingError(f"The study {study.folder} has no data set '{dataset_hash}'. Make one first.")
    if len(dataset.classes) < 2:
        raise TrainingError(
            f"The data set {dataset_hash} has {len(dataset.classes)} class; networks need at least two to tell apart."
        )
    return dataset, samples


def _check_architectures(names: Sequence[str], size_px: int) -> None:
    if len(set(names)) < len(names):
        raise UsageError(f"An architecture is named twice: {', '.join(names)}.")
    for entry in map(find_architecture, names):
        if size_px < entry.minimum_size_px:
            raise UsageError(
                f"The samples of this data set have {size_px} px, and {entry.display_name} needs "
                f"{entry.minimum_size_px} px or more. Make a data set of larger samples."
            )


def _store(
    study: Study,
    dataset_hash: str,
    settings: TrainingSettings,
    splits: Sequence[SplitIndices],
    parent_id: str | None,
) -> str:
    with study.session() as session:
        experiment_id = _next_id(session.scalars(select(Experiment.experiment_id)).all())
        session.add(
            Experiment(
                experiment_id=experiment_id,
                dataset_hash=dataset_hash,
                settings=settings.to_dict(),
                parent_id=parent_id,
            )
        )
        session.flush()
        session.add_all(
            Split(
                experiment_id=experiment_id,
                repeat=split.repeat,
                unit=settings.split_by,
                seed=split.seed,
                train=split.train.tolist(),
                test=split.test.tolist(),
                validation=split.validation.tolist(),
            )
            for split in splits
        )
        session.add_all(
            Run(
                run_id=f"{experiment_id}-{architecture}-{split.repeat:02d}",
                experiment_id=experiment_id,
                architecture=architecture,
                repeat=split.repeat,
                seed=run_seed(settings.seed, architecture, split.repeat),
            )
            for split in splits
            for architecture in settings.architectures
        )
    return experiment_id


def _next_id(present: Sequence[str]) -> str:
    numbers = [int(match.group(1)) for name in present if (match := re.fullmatch(r"exp-(\d+)", name))]
    return f"exp-{max(numbers, default=0) + 1:03d}"
