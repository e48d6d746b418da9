"""What the section on leakage computes with, computed once for all visitors. Never changed, never copied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import measured, runs, scored
from brainmri.dashboard.state import current_study
from brainmri.errors import BrainMRIError
from brainmri.evaluation.duplicate_rows import Likeness
from brainmri.evaluation.experiments_compared import ExperimentPair, compare_pair
from brainmri.evaluation.fingerprint_files import read_fingerprints
from brainmri.evaluation.leakage import LeakageDifference, compare_splits
from brainmri.evaluation.measured_experiments import describe_measured, read_split_digests, read_split_sides
from brainmri.evaluation.near_duplicates import (
    Fingerprints,
    NearDuplicates,
    find_near_duplicates,
    find_similar_images,
    unusual_similarity,
)
from brainmri.evaluation.reading import read_experiment
from brainmri.explanation.neighbours import ANSWERS_FILE, read_features
from brainmri.imaging.datasets import read_sample_rows
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.monitor import ExperimentSummary, list_experiments

_SEED: Final = 0
"""Of the draws of patients: the same numbers at every visit."""


@dataclass(frozen=True, kw_only=True)
class ShownSample:
    """Where an image of a data set comes from."""

    case_id: str
    slice_index: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """What a run's network makes of every image of its data set.

    Parameters
    ----------
    key : tuple of str
        For caches.
    run_id, dataset_hash : str
    features : ndarray, shape (N, D), float32
        Last activations before the head, rows of length 1.
    usual : float
        Similarity that one in a thousand pairs of images of different cases passes.
    """

    key: tuple[str, ...]
    run_id: str
    dataset_hash: str
    features: NDArray[np.float32]
    usual: float


def other_experiments(chosen: Choice) -> list[ExperimentSummary]:
    """Return the experiments to compare with: those of the other kind of split first, then those of this data set."""
    mine = chosen.experiment
    others = [
        one for one in list_experiments(current_study()) if one.finished and one.experiment_id != mine.experiment_id
    ]
    return sorted(
        others,
        key=lambda one: (
            one.settings.get("split_by", "patient") == mine.settings.split_by,
            one.dataset_hash != mine.dataset_hash,
            one.experiment_id,
        ),
    )


def choose_other(chosen: Choice, experiment_id: str) -> Choice:
    """Return the same choice for another experiment."""
    return replace(chosen, experiment=read_experiment(current_study(), experiment_id))


def leakage(by_image: Choice, by_patient: Choice) -> tuple[LeakageDifference, ...] | str:
    """Return the networks under both splits, or say why they cannot be compared."""
    return _leakage((*by_image.metric_key, *by_patient.metric_key), by_image, by_patient)


def experiment_pair(first: Choice, second: Choice) -> ExperimentPair:
    """Return the comparison of two experiments of one kind."""
    return _pair((*first.metric_key, *second.metric_key), first, second)


def near_duplicates(
    choices: Sequence[Choice], likeness: Likeness, network: Network | None = None
) -> dict[str, dict[int, NearDuplicates] | str]:
    """Return every test image with its nearest training image, by experiment and repeat; or why there is nothing.

    Experiments on one data set are searched together, at the cost of one. ``network`` is needed for its likeness.
    """
    found: dict[str, dict[int, NearDuplicates] | str] = {}
    for dataset_hash in dict.fromkeys(one.experiment.dataset_hash for one in choices):
        alike = [one for one in choices if one.experiment.dataset_hash == dataset_hash]
        key = tuple(part for one in alike for part in one.cache_key)
        found |= _searched(key, likeness, network.key if network else (), alike, network)
    return found


def network_for(choices: Sequence[Choice]) -> Network | str | None:
    """Return the stored activations of a run of these experiments, why they cannot be read, or None for none."""
    for one in choices:
        for run in runs(one):
            path = current_study().run_folder(run.run_id) / ANSWERS_FILE
            if path.is_file():
                key = (one.study_url, run.run_id, str(path.stat().st_mtime_ns))
                return _network(key, run.run_id, one.experiment.dataset_hash)
    return None


def run_to_embed(choices: Sequence[Choice]) -> str | None:
    """Return the best run of these experiments whose network is stored, or None where none is."""
    study = current_study()
    stored = [run for one in choices for run in runs(one) if (study.run_folder(run.run_id) / CHECKPOINT_FILE).is_file()]
    sign = 1 if choices[0].metric.higher_is_better else -1
    best = max(stored, key=lambda run: -math.inf if math.isnan(run.accuracy) else sign * run.accuracy, default=None)
    return None if best is None else best.run_id


def shown_samples(chosen: Choice) -> tuple[ShownSample, ...]:
    """Return where each image of the data set comes from."""
    return _samples((chosen.study_url, chosen.experiment.dataset_hash), chosen)


@st.cache_resource(max_entries=64, show_spinner="Drawing patients …")
def _leakage(key: tuple[str, ...], _by_image: Choice, _by_patient: Choice) -> tuple[LeakageDifference, ...] | str:
    fractions = (_by_image.experiment.settings.test_fraction, _by_patient.experiment.settings.test_fraction)
    try:
        return compare_splits(
            scored(_by_image), scored(_by_patient), _by_image.metric, seed=_SEED, test_fractions=fractions
        )
    except BrainMRIError as reason:
        return str(reason)


@st.cache_resource(max_entries=64, show_spinner=False)
def _pair(key: tuple[str, ...], _first: Choice, _second: Choice) -> ExperimentPair:
    study = current_study()
    sides = [
        describe_measured(one.experiment, measured(one), read_split_digests(study, one.experiment.experiment_id))
        for one in (_first, _second)
    ]
    return compare_pair(*sides)


@st.cache_resource(max_entries=4, show_spinner="Reading the activations …")
def _network(key: tuple[str, ...], run_id: str, dataset_hash: str) -> Network | str:
    try:
        found = read_features(current_study(), run_id)
    except BrainMRIError as reason:
        return str(reason)
    if found is None:
        return f"The activations of {run_id} are gone. Load the page again."
    features = found.features.astype(np.float32)
    usual = unusual_similarity(features, found.case_ids)
    return Network(key=key, run_id=run_id, dataset_hash=dataset_hash, features=features, usual=usual)


@st.cache_resource(max_entries=8, show_spinner="Comparing images …")
def _searched(
    key: tuple[str, ...],
    likeness: Likeness,
    network_key: tuple[str, ...],
    _choices: Sequence[Choice],
    _network: Network | None,
) -> dict[str, dict[int, NearDuplicates] | str]:
    """Search the splits of experiments on one data set."""
    study, first = current_study(), _choices[0]
    names = [one.experiment.experiment_id for one in _choices]
    sides = [(name, repeat, pair) for name in names for repeat, pair in read_split_sides(study, name).items()]
    splits, cases = [pair for *_, pair in sides], [sample.case_id for sample in shown_samples(first)]
    if _network is not None and _network.dataset_hash != first.experiment.dataset_hash:
        return dict.fromkeys(names, f"{names[0]} used another data set than {_network.run_id}.")
    try:
        if _network is not None:
            every = find_similar_images(_network.features, splits, cases)
        elif likeness == "hash":
            every = find_near_duplicates(_fingerprints_of(first).hashes, splits, cases)
        else:
            every = find_similar_images(_fingerprints_of(first).thumbnails, splits, cases)
    except BrainMRIError as reason:  # the samples are gone, or too small
        return dict.fromkeys(names, str(reason))
    return {
        name: {repeat: one for (owner, repeat, _), one in zip(sides, every, strict=True) if owner == name}
        for name in names
    }


def _fingerprints_of(chosen: Choice) -> Fingerprints:
    return _fingerprints((chosen.study_url, chosen.experiment.dataset_hash), chosen)


@st.cache_resource(max_entries=4, show_spinner="Reading the images …")
def _fingerprints(key: tuple[str, ...], _chosen: Choice) -> Fingerprints:
    return read_fingerprints(current_study(), _chosen.experiment.dataset_hash)


@st.cache_resource(max_entries=4, show_spinner=False)
def _samples(key: tuple[str, ...], _chosen: Choice) -> tuple[ShownSample, ...]:
    rows = read_sample_rows(current_study(), _chosen.experiment.dataset_hash)
    return tuple(ShownSample(case_id=row.case_id, slice_index=row.slice_index) for row in rows)
