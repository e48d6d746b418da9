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
    validation: NDArray[np.int64]
    """Sample indices set aside to choose by, none of which is in ``train``; ascending, often empty."""


def make_splits(
    labels: ArrayLike,
    groups: Sequence[str],
    *,
    unit: SplitUnit,
    repeats: int,
    test_fraction: float,
    seed: int,
    class_names: Sequence[str] | None = None,
    validation_fraction: float = 0.0,
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
    validation_fraction : float
        Share of the training units set aside as an inner split; the test units are the same with and without one.

    Raises
    ------
    TrainingError
        Where a class has fewer than two units, or a case carries two labels.
    """
    labels = np.asarray(labels, dtype=np.int64)
    units, unit_labels = _units(labels, np.asarray(groups), unit)
    fewest = 3 if validation_fraction else 2
    _check_counts(unit_labels, unit, class_names, fewest)
    splits = []
    for repeat in range(1, repeats + 1):
        split_seed = _derive_seed(seed, repeat)
        rng = np.random.default_rng(split_seed)
        test_units = _hold_out(np.arange(len(unit_labels)), unit_labels, test_fraction, rng, keep=fewest - 1)
        rest = np.setdiff1d(np.arange(len(unit_labels)), test_units)
        validation_units = _hold_out(rest, unit_labels, validation_fraction, rng) if validation_fraction else rest[:0]
        is_test, is_validation = np.isin(units, test_units), np.isin(units, validation_units)
        split = SplitIndices(
            repeat,
            split_seed,
            train=np.flatnonzero(~is_test & ~is_validation),
            test=np.flatnonzero(is_test),
            validation=np.flatnonzero(is_validation),
        )
        check_no_leak(groups, split.train, split.test, unit=unit)
        check_no_leak(groups, split.validation, split.test, unit=unit)
        check_no_leak(groups, split.train, split.validation, unit=unit)
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
            "draw the splits anew."
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


def _check_counts(
    unit_labels: NDArray[np.int64], unit: SplitUnit, class_names: Sequence[str] | None, fewest: int
) -> None:
    classes = len(class_names) if class_names is not None else int(unit_labels.max(initial=0)) + 1
    counts = np.bincount(unit_labels, minlength=classes)
    parts = "one to train on and one to test" if fewest == 2 else "one to train on, one to choose by and one to test"
    for label, count in enumerate(counts):
        if count < fewest:
            name = class_names[label] if class_names is not None else f"Class {label}"
            raise TrainingError(
                f"{name[0].upper()}{name[1:]} has {count} {unit}{'' if count == 1 else 's'} in this data set; a split "
                f"needs at least {fewest}, {parts}. Import more cases, or label those that have no diagnosis."
            )


def _hold_out(
    units: NDArray[np.int64],
    unit_labels: NDArray[np.int64],
    fraction: float,
    rng: np.random.Generator,
    *,
    keep: int = 1,
) -> NDArray[np.int64]:
    """Draw the held-out units from ``units``, in each class its share: at least one, and ``keep`` stay."""
    labels = unit_labels[units]
    takes = _shares(np.bincount(labels, minlength=int(unit_labels.max()) + 1), fraction, keep)
    return np.concatenate([rng.permutation(units[labels == label])[:take] for label, take in enumerate(takes)])


def _shares(counts: NDArray[np.int64], fraction: float, keep: int) -> NDArray[np.int64]:
    """Share the held-out units out among the classes: largest remainders first, at least one on either side."""
    exact = counts * fraction
    shares = np.floor(exact).astype(np.int64)
    left = int(np.ceil(counts.sum() * fraction - 1e-9)) - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:left]] += 1
    return np.clip(shares, 1, counts - keep)


def _derive_seed(seed: int, repeat: int) -> int:
    """Return an independent seed for one split."""
    return int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0] >> (32 - _SEED_BITS))
