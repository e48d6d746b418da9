"""Comparison of models over repeats, as published: a descriptive table, one-way ANOVA and Tukey's honest differences.

Accuracies are taken as they come, as shares (0 to 1) or in per cent; differences and intervals are in the same unit.
Both tests treat the repeats as independent samples. Overlapping random splits are not, so these tests find a difference
more often than they should.

References
----------
Tukey-Kramer intervals for unequal numbers of repeats: Kramer CY. Biometrics 1956;12:307-310, doi:10.2307/3001469.
Quartiles of type 7: Hyndman RJ, Fan Y. Am Stat 1996;50:361-365, doi:10.2307/2684934.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.repeats import is_constant
from brainmri.evaluation.studentized import critical_ranges, range_p_values

CONFIDENCE: Final = 0.95
"""Simultaneous confidence of the intervals of `TukeyPair`."""

WHISKER_REACH: Final = 1.5
"""Whiskers of a box end at the last value within this many interquartile ranges of the box."""


@dataclass(frozen=True, kw_only=True)
class Descriptive:
    """One model's accuracies in numbers; None where there are too few of them.

    Parameters
    ----------
    model : str
    n : int
        Repeats with a value.
    median, q1, q3 : float or None
        Quartiles of type 7, R's default.
    mean, sd : float or None
        Standard deviation with n − 1; None for one repeat.
    minimum, maximum : float or None
    whisker_low, whisker_high : float or None
        Ends of the whiskers of a box plot, see `WHISKER_REACH`.
    """

    model: str
    n: int
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    mean: float | None = None
    sd: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    whisker_low: float | None = None
    whisker_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Anova:
    """One-way analysis of variance; F and p are None where it cannot be computed, and a note says why."""

    f: float | None
    df_between: int
    df_within: int
    p: float | None


@dataclass(frozen=True, kw_only=True)
class TukeyPair:
    """Difference of two means, mean(a) − mean(b), with its simultaneous 95 % interval and adjusted p."""

    a: str
    b: str
    difference: float
    lower: float | None
    upper: float | None
    p: float | None

    @property
    def is_clear(self) -> bool:
        """Tell whether the interval leaves zero out."""
        return self.lower is not None and self.upper is not None and (self.lower > 0 or self.upper < 0)

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        return {key: getattr(self, key) for key in ("a", "b", "difference", "lower", "upper", "p")}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    descriptive : tuple of Descriptive
        One a model, in the order in which the models came.
    anova : Anova
    tukey : tuple of TukeyPair
        Every pair of models, the earlier one first.
    notes : tuple of str
        Sentences about what could not be computed, or was left out, and why.
    """

    descriptive: tuple[Descriptive, ...]
    anova: Anova
    tukey: tuple[TukeyPair, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it, in full precision; what could not be computed is None."""
        return {
            "descriptive": {row.model: _descriptive_json(row) for row in self.descriptive},
            "anova": {
                "F": self.anova.f,
                "df_between": self.anova.df_between,
                "df_within": self.anova.df_within,
                "p": self.anova.p,
            },
            "tukey": [pair.to_json() for pair in self.tukey],
            "notes": list(self.notes),
        }


def compare(accuracies: Mapping[str, Sequence[float]], *, unit_known: bool = False) -> Comparison:
    """Compare models by their accuracies over repeats.

    Parameters
    ----------
    accuracies : mapping of str to sequence of float
        Accuracies of each model; not-a-number stands for a missing repeat and is left out with a note.
    unit_known : bool
        Whether all are in one unit for certain; otherwise a note says where shares and per cent seem to be mixed.

    Returns
    -------
    Comparison
        Tests that the numbers do not allow are left empty, with a note in words.

    Raises
    ------
    EvaluationError
        Where there is no number at all, or one is infinite.
    """
    values = {model: np.asarray(list(numbers), dtype=np.float64) for model, numbers in accuracies.items()}
    _refuse_unusable(values)
    notes = [_missing_note(model, numbers) for model, numbers in values.items() if np.isnan(numbers).any()]
    present = {model: numbers[~np.isnan(numbers)] for model, numbers in values.items()}
    descriptive = tuple(_describe(model, numbers) for model, numbers in present.items())
    groups = {model: numbers for model, numbers in present.items() if numbers.size}
    obstacle = _obstacle(groups)
    notes += [obstacle] if obstacle else _remarks(groups, unit_known=unit_known)
    anova = _untested_anova(groups) if obstacle else _anova(groups)
    return Comparison(
        descriptive=descriptive, anova=anova, tukey=_tukey(groups, tested=obstacle is None), notes=tuple(notes)
    )


def _descriptive_json(row: Descriptive) -> dict[str, float | int | None]:
    return {
        "n": row.n,
        "median": row.median,
        "q1": row.q1,
        "q3": row.q3,
        "mean": row.mean,
        "sd": row.sd,
        "min": row.minimum,
        "max": row.maximum,
    }


def _refuse_unusable(values: Mapping[str, NDArray[np.float64]]) -> None:
    for model, numbers in values.items():
        if np.isinf(numbers).any():
            raise EvaluationError(f"An accuracy of {model} is infinite; expected a share or per cent. Correct it.")
    if not any(np.isfinite(numbers).any() for numbers in values.values()):
        raise EvaluationError("There is no accuracy to compare: expected at least one number for one model.")


def _missing_note(model: str, numbers: NDArray[np.float64]) -> str:
    missing = int(np.isnan(numbers).sum())
    return f"{model}: {missing} of {numbers.size} repeats {'is' if missing == 1 else 'are'} missing and left out."


def _describe(model: str, numbers: NDArray[np.float64]) -> Descriptive:
    if numbers.size == 0:
        return Descriptive(model=model, n=0)
    q1, median, q3 = (float(value) for value in np.quantile(numbers, (0.25, 0.5, 0.75), method="linear"))
    reach = WHISKER_REACH * (q3 - q1)
    # Quartiles are interpolated: the last value within reach may lie inside the box, and the whisker then ends on it.
    inside = numbers[(numbers >= q1 - reach) & (numbers <= q3 + reach)]
    return Descriptive(
        model=model,
        n=int(numbers.size),
        median=median,
        q1=q1,
        q3=q3,
        mean=float(numbers.mean()),
        sd=float(numbers.std(ddof=1)) if numbers.size > 1 else None,
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
        whisker_low=min(float(inside.min()), q1) if inside.size else q1,
        whisker_high=max(float(inside.max()), q3) if inside.size else q3,
    )


def _obstacle(groups: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Say why the models cannot be tested against one another, or return None."""
    if len(groups) < 2:
        return f"There is only one model ({next(iter(groups))}) with results: nothing to test it against."
    if all(numbers.size == 1 for numbers in groups.values()):
        return (
            "Every model has one repeat only. ANOVA and Tukey's intervals need the spread between repeats: "
            "train two or more, better ten."
        )
    if all(is_constant(numbers) for numbers in groups.values()):
        if is_constant(np.concatenate(list(groups.values()))):
            return "All repeats have the same value: there is no difference and no spread to test it against."
        return (
            "No model varies between its repeats, so that ANOVA and Tukey's intervals have no spread "
            "to measure the differences by."
        )
    return None


def _remarks(groups: Mapping[str, NDArray[np.float64]], *, unit_known: bool) -> list[str]:
    """Return what a reader of the tests should know about the numbers."""
    remarks = []
    counts = {model: numbers.size for model, numbers in groups.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{model} {count}" for model, count in counts.items())
        remarks.append(f"Numbers of repeats differ ({listed}): Tukey's intervals are those of Tukey and Kramer.")
    largest = [float(np.abs(numbers).max()) for numbers in groups.values()]
    smallest = [float(np.abs(numbers).min()) for numbers in groups.values()]
    if not unit_known and min(largest) <= 1 < max(smallest):
        remarks.append("One model's accuracies are at most 1 and another's above 1: shares and per cent may be mixed.")
    return remarks


def _untested_anova(groups: Mapping[str, NDArray[np.float64]]) -> Anova:
    total = sum(numbers.size for numbers in groups.values())
    return Anova(f=None, df_between=len(groups) - 1, df_within=total - len(groups), p=None)


def _anova(groups: Mapping[str, NDArray[np.float64]]) -> Anova:
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    # Centred first: sums of squares of numbers such as 1e12 + 0.1 would lose all digits.
    everything = np.concatenate(list(groups.values()))
    centre = float(everything.mean())
    grand = float((everything - centre).mean())
    between = sum(numbers.size * (float((numbers - centre).mean()) - grand) ** 2 for numbers in groups.values())
    df_between, df_within = len(groups) - 1, everything.size - len(groups)
    f = (between / df_between) / _variance_within(groups)
    return Anova(f=f, df_between=df_between, df_within=df_within, p=float(special.fdtrc(df_between, df_within, f)))


def _variance_within(groups: Mapping[str, NDArray[np.float64]]) -> float:
    """Return the mean square within models."""
    total = sum(numbers.size for numbers in groups.values())
    squares = sum(float(np.square(numbers - numbers.mean()).sum()) for numbers in groups.values())
    return squares / (total - len(groups))


def _tukey(groups: Mapping[str, NDArray[np.float64]], *, tested: bool) -> tuple[TukeyPair, ...]:
    pairs = list(combinations(groups, 2))
    differences = [float(groups[a].mean() - groups[b].mean()) for a, b in pairs]
    if not tested:
        return tuple(
            TukeyPair(a=a, b=b, difference=difference, lower=None, upper=None, p=None)
            for (a, b), difference in zip(pairs, differences, strict=True)
        )
    k, df = len(groups), sum(numbers.size for numbers in groups.values()) - len(groups)
    variance = _variance_within(groups)
    errors = [math.sqrt(variance / 2 * (1 / groups[a].size + 1 / groups[b].size)) for a, b in pairs]
    ranges = np.abs(differences) / errors
    adjusted = range_p_values(ranges, k, df)
    critical = float(critical_ranges(CONFIDENCE, k, np.array([df]))[0])
    return tuple(
        TukeyPair(
            a=a,
            b=b,
            difference=difference,
            lower=difference - critical * error,
            upper=difference + critical * error,
            p=float(p),
        )
        for (a, b), difference, error, p in zip(pairs, differences, errors, adjusted, strict=True)
    )
