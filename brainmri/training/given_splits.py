"""Splits that are not drawn but given: those of an earlier experiment, carried over to corrected samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import TrainingError
from brainmri.training.settings import TrainingSettings
from brainmri.training.splits import SplitIndices, check_no_leak
from brainmri.vocabulary import display_diagnosis

Place = tuple[str, int]
"""Case and slice of a sample."""

_SIDES = ("train", "test", "validation")


@dataclass(frozen=True, kw_only=True)
class Ancestor:
    """Where an earlier experiment put its samples.

    Parameters
    ----------
    samples : sequence of (str, int)
        Case and slice of each sample of its data set.
    splits : sequence of SplitIndices
        One a repeat.
    """

    samples: Sequence[Place]
    splits: Sequence[SplitIndices]


def carry_over(ancestors: Sequence[Ancestor], samples: Sequence[Place]) -> list[SplitIndices]:
    """Put every sample on the side on which an earlier experiment had it.

    A slice that was not there takes the side of the nearest slice of its case (the lower one of two), which under a
    split of patients is that of all of them. A case that the nearest ancestor left out takes its side in an older one.

    Parameters
    ----------
    ancestors : sequence of Ancestor
        The parent first, then its parent, and so on.
    samples : sequence of (str, int)
        Case and slice of each new sample.

    Returns
    -------
    list of SplitIndices
        The repeats and seeds of the first ancestor.

    Raises
    ------
    TrainingError
        Where no ancestor had a case.
    """
    slices = [_slices_by_case(ancestor) for ancestor in ancestors]
    sources = [_find_source(slices, place) for place in samples]
    carried = []
    for split in ancestors[0].splits:
        sides = [_sides(ancestor, split.repeat) for ancestor in ancestors]
        found = np.array([sides[index][sample] for index, sample in sources])
        train, test, validation = (np.flatnonzero(found == side) for side in range(len(_SIDES)))
        carried.append(SplitIndices(split.repeat, split.seed, train=train, test=test, validation=validation))
    return carried


def check_given_splits(
    splits: Sequence[SplitIndices],
    labels: Sequence[int],
    groups: Sequence[str],
    *,
    settings: TrainingSettings,
    class_names: Sequence[str],
) -> None:
    """Refuse splits that do not fit the samples or the settings.

    Raises
    ------
    LeakError
        Where a sample, or under a split of patients a case, stands on two sides.
    TrainingError
        Where repeats are missing, a sample is not divided, or a class is missing on a side.
    """
    if [split.repeat for split in splits] != list(range(1, settings.repeats + 1)):
        raise TrainingError(
            f"There are splits for the repeats {', '.join(str(split.repeat) for split in splits) or 'none'}; the "
            f"protocol has {settings.repeats} repeats, numbered from 1."
        )
    for split in splits:
        for one, other in ((split.train, split.test), (split.validation, split.test), (split.train, split.validation)):
            check_no_leak(groups, one, other, unit=settings.split_by)
        if not np.array_equal(np.sort(np.concatenate([_side(split, s) for s in _SIDES])), np.arange(len(labels))):
            raise TrainingError(
                f"The split of repeat {split.repeat} does not divide the {len(labels)} samples once each."
            )
        wanted = _SIDES if settings.validation_fraction else _SIDES[:2]
        for side in wanted:
            _check_classes(split, side, np.asarray(labels), class_names)


def _check_classes(split: SplitIndices, side: str, labels: NDArray[np.int64], class_names: Sequence[str]) -> None:
    present = set(labels[_side(split, side)].tolist())
    missing = [display_diagnosis(name) for index, name in enumerate(class_names) if index not in present]
    if missing:
        raise TrainingError(
            f"Repeat {split.repeat} has no {side} image of {' and '.join(missing)} left. The corrections took the last "
            "case of it from this side: draw new splits by making a new experiment."
        )


def _side(split: SplitIndices, side: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = getattr(split, side)
    return found


def _sides(ancestor: Ancestor, repeat: int) -> NDArray[np.int64]:
    """Return the index into `_SIDES` of each sample of an ancestor; −1 where it is on none."""
    sides = np.full(len(ancestor.samples), -1, dtype=np.int64)
    for split in ancestor.splits:
        if split.repeat == repeat:
            for side, name in enumerate(_SIDES):
                sides[_side(split, name)] = side
    return sides


def _slices_by_case(ancestor: Ancestor) -> dict[str, list[tuple[int, int]]]:
    """Return slice and index of the samples of each case."""
    found = defaultdict[str, list[tuple[int, int]]](list)
    for index, (case_id, slice_index) in enumerate(ancestor.samples):
        found[case_id].append((slice_index, index))
    return dict(found)


def _find_source(slices: Sequence[dict[str, list[tuple[int, int]]]], place: Place) -> tuple[int, int]:
    """Return the ancestor, and its sample, whose side a new sample takes."""
    case_id, slice_index = place
    for number, by_case in enumerate(slices):
        if case_id in by_case:
            return number, min((abs(at - slice_index), at, index) for at, index in by_case[case_id])[2]
    raise TrainingError(
        f"No earlier experiment had {case_id}, so that it has no side in its splits. Make a new experiment in place of "
        "repeating one."
    )
