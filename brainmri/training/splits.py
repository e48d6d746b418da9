"""Random splits of patients or of images, stratified by class, and the guard against leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import LeakError, TrainingError
from brainmri.training.settings import SplitUnit

_SEED_BITS = 31


@dataclass(frozen=True)
class SplitIndices:
    """One repeat's division of the samples."""

    repeat: int
    """From 1."""
    seed: int
    """Of the generator that drew this split."""
    train: NDArray[np.int64]
    """Sample indices, ascending."""
    test: NDArray[np.int64]
    """Sample indices, ascending."""


def make_splits(
    labels: ArrayLike,
    groups: Sequence[str],
    *,
    unit: SplitUnit,
    repeats: int,
    test_fraction: float,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> list[SplitIndices]:
    """Draw random splits, each class divided in the same proportion.

    Every class has at least one unit on either side, also where it has only two, which is why the shares are rounded
    here and not by scikit-learn (it refuses fewer test units than classes).

    Parameters
    ----------
    labels : array_like, shape (N,), int
        Class index of each sample.
    groups : sequence of str, length N
        Case of each sample.
    unit : {'patient', 'image'}
        What is divided. The samples of one patient stay together under ``patient``.
    repeats : int
        Number of splits; each has a seed of its own, derived from ``seed``.
    test_fraction : float
        Share of the units held out.
    seed : int
    class_names : sequence of str, optional
        For messages.

    Raises
    ------
    TrainingError
        Where a class has fewer than two units, or a case carries two labels.
    """
    labels = np.asarray(labels, dtype=np.int64)
    units, unit_labels = _units(labels, np.asarray(groups), unit)
    _check_counts(unit_labels, unit, class_names)
    counts = np.bincount(unit_labels)
    test_counts = _test_counts(counts, test_fraction)
    splits = []
    for repeat in range(1, repeats + 1):
        split_seed = _derive_seed(seed, repeat)
        rng = np.random.default_rng(split_seed)
        held_out = np.concatenate(
            [rng.permutation(np.flatnonzero(unit_labels == label))[:take] for label, take in enumerate(test_counts)]
        )
        is_test = np.isin(units, held_out)
        split = SplitIndices(repeat, split_seed, np.flatnonzero(~is_test), np.flatnonzero(is_test))
        check_no_leak(groups, split.train, split.test, unit=unit)
        splits.append(split)
    return splits


def check_no_leak(
    groups: Sequence[str],
    train: Sequence[int] | NDArray[np.int64],
    test: Sequence[int] | NDArray[np.int64],
    *,
    unit: SplitUnit,
) -> None:
    """Refuse a split in which a sample, or under ``patient`` a case, stands on both sides.

    Raises
    ------
    LeakError
        Naming the sample or the case.
    """
    names = np.asarray(groups)
    shared_samples = np.intersect1d(train, test)
    if shared_samples.size:
        raise LeakError(f"Sample {shared_samples[0]} stands both among the training and the test images of this split.")
    if unit != "patient":
        return
    shared = np.intersect1d(names[np.asarray(train, dtype=np.int64)], names[np.asarray(test, dtype=np.int64)])
    if shared.size:
        more = f" (and {shared.size - 1} more)" if shared.size > 1 else ""
        raise LeakError(
            f"{shared[0]}{more} has images on both sides of a split of patients. The accuracy would measure memory; "
            "draw the "
            "splits anew."
        )


def _units(
    labels: NDArray[np.int64], groups: NDArray[np.str_], unit: SplitUnit
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the unit of each sample and the label of each unit."""
    if unit == "image":
        return np.arange(len(labels)), labels
    names, units = np.unique(groups, return_inverse=True)
    unit_labels = np.full(len(names), -1)
    unit_labels[units] = labels
    differing = np.flatnonzero(unit_labels[units] != labels)
    if differing.size:
        raise TrainingError(f"{groups[differing[0]]} carries two diagnoses in this data set. Make the data set anew.")
    return units, unit_labels


def _check_counts(unit_labels: NDArray[np.int64], unit: SplitUnit, class_names: Sequence[str] | None) -> None:
    classes = len(class_names) if class_names is not None else int(unit_labels.max(initial=0)) + 1
    counts = np.bincount(unit_labels, minlength=classes)
    for label, count in enumerate(counts):
        if count < 2:
            name = class_names[label] if class_names is not None else f"Class {label}"
            raise TrainingError(
                f"{name[0].upper()}{name[1:]} has {count} {unit}{'' if count == 1 else 's'} in this data set; a split "
                "needs at "
                f"least 2, one to train on and one to test. Import more cases, or label those that have no diagnosis."
            )


def _test_counts(counts: NDArray[np.int64], test_fraction: float) -> NDArray[np.int64]:
    """Share the test units out among the classes: largest remainders first, at least one on either side."""
    exact = counts * test_fraction
    shares = np.floor(exact).astype(np.int64)
    left = int(np.ceil(counts.sum() * test_fraction - 1e-9)) - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:left]] += 1
    return np.clip(shares, 1, counts - 1)


def _derive_seed(seed: int, repeat: int) -> int:
    """Return an independent seed for one split."""
    return int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0] >> (32 - _SEED_BITS))
