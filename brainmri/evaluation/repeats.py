"""Accuracies of several models over repeats, side by side: a row is one split, shared by the models that ran on it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError

NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""What counts as a number in a table."""

ROUNDING: Final = 4 * float(np.finfo(np.float64).eps)
"""Values that differ by less than this share of the largest one differ by rounding only."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Repeats:
    """Accuracies by repeat and model.

    Parameters
    ----------
    models : tuple of str
    names : tuple of str
        Names of the repeats, usually ``1``, ``2``, ….
    values : ndarray of float64, shape (repeats, models)
        In the unit in which they came, shares (0 to 1) or per cent; not-a-number where a model has no such repeat.
    """

    models: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, accuracies: Mapping[str, Sequence[float]], *, names: Sequence[str] | None = None) -> Repeats:
        """Take sequences by model; the same place in two of them is the same split.

        Shorter sequences are taken to lack their last repeats.

        Raises
        ------
        EvaluationError
            Where there are names, and not one for each repeat.
        """
        rows = list(zip_longest(*accuracies.values(), fillvalue=math.nan))
        values = np.array(rows, dtype=np.float64).reshape(len(rows), len(accuracies))
        if names is not None and len(names) != len(rows):
            raise EvaluationError(f"There are {len(rows)} repeats and {len(names)} names for them; expected as many.")
        named = tuple(names) if names is not None else tuple(str(i) for i in range(1, len(rows) + 1))
        return cls(models=tuple(accuracies), names=named, values=values)

    @classmethod
    def align(cls, records: Iterable[tuple[str, str, float]]) -> Repeats:
        """Put records of model, repeat and accuracy side by side.

        Models come in the order of their first record, repeats by number where all are numbers (``1``, ``01`` and
        ``1.0`` are one repeat), in the order of their first record otherwise.
        """
        cells: dict[tuple[str, str], float] = {}
        models: dict[str, None] = {}
        names: dict[str, str] = {}
        for model, repeat, accuracy in records:
            key = repeat_key(repeat)
            models[model] = None
            names.setdefault(key, repeat)
            cells[key, model] = accuracy
        keys = list(names)
        if all(NUMBER.fullmatch(name) for name in names.values()):
            keys.sort(key=float)
        values = [[cells.get((key, model), math.nan) for model in models] for key in keys]
        return cls(
            models=tuple(models),
            names=tuple(names[key] for key in keys),
            values=np.array(values, dtype=np.float64).reshape(len(keys), len(models)),
        )

    @property
    def accuracies(self) -> dict[str, list[float]]:
        """Sequences by model, as long as one another."""
        return {model: self.values[:, place].tolist() for place, model in enumerate(self.models)}

    @property
    def groups(self) -> dict[str, NDArray[np.float64]]:
        """What each model has, without the missing repeats; models without any are left out."""
        columns = {model: self.values[:, place] for place, model in enumerate(self.models)}
        present = {model: column[~np.isnan(column)] for model, column in columns.items()}
        return {model: column for model, column in present.items() if column.size}

    @property
    def point(self) -> float:
        """One percentage point in the unit of the accuracies: 0.01 where none is above 1, else 1."""
        return 0.01 if np.abs(self.values[~np.isnan(self.values)]).max(initial=0.0) <= 1 else 1.0

    @property
    def negated(self) -> Repeats:
        """The same with all signs turned, for numbers of which the smaller are better."""
        return replace(self, values=-self.values)

    def shared(self, models: Sequence[str]) -> NDArray[np.float64]:
        """Return the repeats that all of these models have, shape (shared repeats, models)."""
        columns = self.values[:, [self.models.index(model) for model in models]]
        complete: NDArray[np.float64] = columns[~np.isnan(columns).any(axis=1)]
        return complete

    def left_out(self, models: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the repeats that some of these models have and others lack."""
        missing = np.isnan(self.values[:, [self.models.index(model) for model in models]])
        return tuple(name for name, row in zip(self.names, missing, strict=True) if row.any() and not row.all())

    def pairs(self) -> list[tuple[str, str]]:
        """Return every pair of models with accuracies, the earlier one first."""
        return list(combinations(self.groups, 2))


def repeat_key(repeat: str) -> str:
    """Return the same text for the same repeat written as 1, 01 or 1.0."""
    return repr(float(repeat)) if NUMBER.fullmatch(repeat) else repeat


def is_constant(numbers: NDArray[np.float64]) -> bool:
    """Tell whether numbers differ by rounding only."""
    return bool(np.ptp(numbers) <= ROUNDING * np.abs(numbers).max())


def without_rounding(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to twelve digits of the largest number, so that equal accuracies tie although computed on two ways."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if largest == 0.0:
        return numbers
    rounded: NDArray[np.float64] = np.round(numbers / largest, 12) * largest
    return rounded
