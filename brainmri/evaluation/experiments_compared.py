"""Two or more experiments side by side: before and after a correction, or splits of images against splits of patients.

Experiments that used one data set and share splits are compared split by split, by the corrected resampled t-test for
each architecture; others as a whole, by Welch's method with the same correction for overlapping splits. Holm's
adjustment counts the architectures of a pair of experiments.

References
----------
Nadeau C, Bengio Y. Machine Learning 2003;52:239-281, doi:10.1023/A:1024068626366.
Holm S. Scandinavian Journal of Statistics 1979;6:65-70, https://www.jstor.org/stable/4615733.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.measured_experiments import MeasuredExperiment
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import corrected_t, holm
from brainmri.evaluation.resampled_unpaired import compare_unpaired

FEWEST_SHARED: Final = 2
"""Splits that two experiments share at least for a comparison split by split."""


@dataclass(frozen=True, kw_only=True)
class ArchitectureDifference:
    """One architecture in two experiments.

    Parameters
    ----------
    architecture : str
    mean_a, mean_b : float or None
        Over the repeats that are compared.
    n_a, n_b : int
        These repeats; equal where they are compared split by split.
    difference : float or None
        a − b.
    lower, upper : float or None
        95 % interval of this architecture alone.
    p, p_holm : float or None
        Two-sided; the second is adjusted for the number of architectures.
    note : str or None
        Why it could not be tested.
    """

    architecture: str
    mean_a: float | None
    mean_b: float | None
    n_a: int
    n_b: int
    difference: float | None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    p_holm: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class ExperimentPair:
    """Two experiments compared.

    Parameters
    ----------
    a, b : str
        Experiments.
    paired : bool
        Whether they are compared split by split.
    splits_shared : int
    how : str
        What they share, and how they are compared, in words.
    differences : tuple of ArchitectureDifference
        Of the architectures that both trained, in the order of the first.
    notes : tuple of str
        What is left out.
    """

    a: str
    b: str
    paired: bool
    splits_shared: int
    how: str
    differences: tuple[ArchitectureDifference, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {
            "a": self.a,
            "b": self.b,
            "paired": self.paired,
            "splits_shared": self.splits_shared,
            "how": self.how,
            "differences": [one.to_json() for one in self.differences],
            "notes": list(self.notes),
        }


def compare_experiments(experiments: Sequence[MeasuredExperiment]) -> tuple[ExperimentPair, ...]:
    """Compare every pair of experiments, the earlier one first.

    Parameters
    ----------
    experiments : sequence of MeasuredExperiment
        Two or more, measured alike.

    Raises
    ------
    EvaluationError
        Where there are fewer than two, or one comes twice.
    """
    names = [one.experiment_id for one in experiments]
    if len(names) < 2:
        raise EvaluationError("A comparison of experiments takes two or more of them; name another one.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise EvaluationError(f"The experiment {twice} is named twice; a comparison takes different ones.")
    return tuple(compare_pair(a, b) for a, b in combinations(experiments, 2))


def compare_pair(a: MeasuredExperiment, b: MeasuredExperiment) -> ExperimentPair:
    """Compare two experiments: each architecture that both trained."""
    shared = _shared_repeats(a, b)
    paired = len(shared) >= FEWEST_SHARED
    both = [architecture for architecture in a.values if architecture in b.values]
    differences = [
        _compare_splits(architecture, a, b, shared) if paired else _compare_wholes(architecture, a, b)
        for architecture in both
    ]
    adjusted = holm([one.p for one in differences])
    return ExperimentPair(
        a=a.experiment_id,
        b=b.experiment_id,
        paired=paired,
        splits_shared=len(shared),
        how=_explain_pairing(a, b, len(shared)),
        differences=tuple(replace(one, p_holm=p) for one, p in zip(differences, adjusted, strict=True)),
        notes=_notes(a, b, both, len(shared) if paired else None),
    )


def _compare_splits(
    architecture: str, a: MeasuredExperiment, b: MeasuredExperiment, shared: Sequence[tuple[int, int]]
) -> ArchitectureDifference:
    of_a, of_b = a.values[architecture], b.values[architecture]
    columns = [[of_a.get(first, math.nan) for first, _ in shared], [of_b.get(second, math.nan) for _, second in shared]]
    names = (a.experiment_id, b.experiment_id)
    repeats = Repeats.of(dict(zip(names, columns, strict=True)))
    pairs = corrected_t(repeats, test_fraction=a.test_fraction)
    if not pairs:
        note = f"{architecture} has no finished run on the shared splits in one of them: no paired test of it."
        return _without_test(architecture, columns, note)
    means = repeats.shared(names)
    pair = pairs[0]
    return ArchitectureDifference(
        architecture=architecture,
        mean_a=float(means[:, 0].mean()) if pair.n else None,
        mean_b=float(means[:, 1].mean()) if pair.n else None,
        n_a=pair.n,
        n_b=pair.n,
        difference=pair.difference,
        lower=pair.lower,
        upper=pair.upper,
        p=pair.p,
        note=pair.note,
    )


def _compare_wholes(architecture: str, a: MeasuredExperiment, b: MeasuredExperiment) -> ArchitectureDifference:
    columns = [_array(one.values[architecture].values()) for one in (a, b)]
    found = compare_unpaired(columns[0], columns[1], test_fractions=(a.test_fraction, b.test_fraction))
    bare = _without_test(architecture, columns, found.note)
    return replace(bare, difference=found.difference, lower=found.lower, upper=found.upper, p=found.p)


def _without_test(architecture: str, columns: Sequence[Iterable[float]], note: str | None) -> ArchitectureDifference:
    present = [_array(value for value in column if not math.isnan(value)) for column in columns]
    means = [float(values.mean()) if values.size else None for values in present]
    return ArchitectureDifference(
        architecture=architecture,
        mean_a=means[0],
        mean_b=means[1],
        n_a=present[0].size,
        n_b=present[1].size,
        difference=None,
        note=note,
    )


def _shared_repeats(a: MeasuredExperiment, b: MeasuredExperiment) -> list[tuple[int, int]]:
    """Return the repeats of both that divided one data set in the same way."""
    if a.dataset_hash != b.dataset_hash:
        return []
    of_b = {digest: repeat for repeat, digest in b.splits.items()}
    return [(repeat, of_b[digest]) for repeat, digest in sorted(a.splits.items()) if digest in of_b]


def _explain_pairing(a: MeasuredExperiment, b: MeasuredExperiment, shared: int) -> str:
    names = f"{a.experiment_id} and {b.experiment_id}"
    if shared >= FEWEST_SHARED:
        return (
            f"{names} used the same data set and share {shared} splits: they are compared split by split, by the "
            "corrected resampled t-test."
        )
    if a.dataset_hash != b.dataset_hash:
        reason = f"{names} used different data sets"
    elif a.split_by != b.split_by:
        reason = f"{a.experiment_id} divided {a.split_by}s and {b.experiment_id} {b.split_by}s"
    else:
        reason = f"{names} used the same data set and share {'one split only' if shared else 'no split'}"
    return (
        f"{reason}: they are compared as wholes, not in pairs, by the scatter between the repeats of either, with the "
        "correction for overlapping splits."
    )


def _notes(
    a: MeasuredExperiment, b: MeasuredExperiment, both: Sequence[str], paired_splits: int | None
) -> tuple[str, ...]:
    notes = []
    if a.split_by != b.split_by:
        notes.append("Where images are divided, slices of one patient stand on both sides: that accuracy is no skill.")
    if a.classes != b.classes:
        notes.append(f"They tell different diagnoses apart: {', '.join(a.classes)} and {', '.join(b.classes)}.")
    for one, other in ((a, b), (b, a)):
        alone = [name for name in one.values if name not in other.values]
        if alone:
            notes.append(f"Only {one.experiment_id} has finished runs of {', '.join(alone)}.")
        left_out = len(one.splits) - paired_splits if paired_splits is not None else 0
        if left_out:
            notes.append(f"Left out: {left_out} of the {len(one.splits)} splits of {one.experiment_id}, not shared.")
    if not both:
        notes.append("They share no network: train one of them in both.")
    return tuple(notes)


def _array(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array(list(values), dtype=np.float64)
