"""What the tests take for granted, checked and put into words: normal repeats, equal scatter, independent repeats.

References
----------
Shapiro SS, Wilk MB. Biometrika 1965;52:591-611, doi:10.1093/biomet/52.3-4.591.
Levene's test around medians: Brown MB, Forsythe AB. Journal of the American Statistical Association 1974;69:364-367,
doi:10.1080/01621459.1974.10482955.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.repeats import is_constant
from brainmri.evaluation.wording import SIGNIFICANCE, format_p

_FEW: Final = 20
"""Repeats a model below which Shapiro-Wilk notices strong departures only."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Checks of the tests' assumptions.

    Parameters
    ----------
    shapiro_w, shapiro_p : float or None
        Shapiro-Wilk on what is left of all accuracies after their model's mean; None where it cannot be computed.
    shapiro_by_model : dict of str to float
        p of each model's own accuracies, where it has three or more that vary.
    levene_f, levene_p : float or None
        Levene's test around medians; None where it cannot be computed.
    sentences : tuple of str
        One on normality, one on equal scatter, one on independence.
    """

    shapiro_w: float | None
    shapiro_p: float | None
    levene_f: float | None
    levene_p: float | None
    sentences: tuple[str, ...]
    shapiro_by_model: dict[str, float] = field(default_factory=dict)

    @property
    def is_normal(self) -> bool | None:
        """Tell whether nothing speaks against normal repeats; None where that cannot be checked."""
        return None if self.shapiro_p is None else self.shapiro_p >= SIGNIFICANCE

    @property
    def is_equally_scattered(self) -> bool | None:
        """Tell whether nothing speaks against equal scatter; None where that cannot be checked."""
        return None if self.levene_p is None else self.levene_p >= SIGNIFICANCE

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {
            "shapiro_wilk": {"W": self.shapiro_w, "p": self.shapiro_p, "p_by_model": self.shapiro_by_model},
            "levene": {"F": self.levene_f, "p": self.levene_p},
            "sentences": list(self.sentences),
        }


def check_assumptions(groups: Mapping[str, NDArray[np.float64]], *, test_fraction: float) -> Assumptions:
    """Check what the tests take for granted.

    Parameters
    ----------
    groups : mapping of str to ndarray of float64
        Accuracies of each model, finite.
    test_fraction : float
        n_test / (n_train + n_test) of the splits.
    """
    shapiro, levene = _shapiro(groups), _levene(groups)
    return Assumptions(
        shapiro_w=shapiro[0],
        shapiro_p=shapiro[1],
        shapiro_by_model=_shapiro_by_model(groups),
        levene_f=levene[0],
        levene_p=levene[1],
        sentences=(
            _describe_normality(groups, shapiro[1]),
            _describe_scatter(groups, levene[1]),
            describe_overlap(test_fraction),
        ),
    )


def describe_overlap(test_fraction: float) -> str:
    """Say why repeats are not independent."""
    test, train = 100 * test_fraction, 100 * (1 - test_fraction)
    return (
        f"Independence: not given if the repeats are random splits of one data set. Two such splits test on the same "
        f"cases for about {test:.0f} % of each test set and train on the same cases for about {train:.0f} % of each "
        "training set, so that ten repeats tell less than ten new data sets would. ANOVA, Tukey, Welch, Games-Howell, "
        "Kruskal-Wallis, repeated-measures ANOVA and Friedman all take the repeats for independent; the corrected "
        "t-test and the Bayesian test allow for the overlap."
    )


def _shapiro(groups: Mapping[str, NDArray[np.float64]]) -> tuple[float | None, float | None]:
    residuals = [numbers - numbers.mean() for numbers in groups.values() if numbers.size > 1]
    left = np.concatenate(residuals) if residuals else np.empty(0)
    if left.size < 3 or all(is_constant(numbers) for numbers in groups.values()):
        return None, None
    from scipy.stats import shapiro  # noqa: PLC0415 - 0.6 s, and pages import this module

    found = shapiro(left / np.abs(left).max())
    return float(found.statistic), float(found.pvalue)


def _shapiro_by_model(groups: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    usable = {model: numbers for model, numbers in groups.items() if numbers.size > 2 and not is_constant(numbers)}
    if not usable:
        return {}
    from scipy.stats import shapiro  # noqa: PLC0415 - 0.6 s, and pages import this module

    return {model: float(shapiro(_standardize(numbers)).pvalue) for model, numbers in usable.items()}


def _standardize(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre and scale: the test is the same, and scipy has no reason to warn of a small range."""
    standard: NDArray[np.float64] = (numbers - numbers.mean()) / numbers.std()
    return standard


def _levene(groups: Mapping[str, NDArray[np.float64]]) -> tuple[float | None, float | None]:
    """Return F and p of Levene's test around medians: one-way analysis of variance of the absolute deviations."""
    if len(groups) < 2 or any(numbers.size < 2 for numbers in groups.values()):
        return None, None
    deviations = [np.abs(numbers - np.median(numbers)) for numbers in groups.values()]
    within = sum(float(np.square(one - one.mean()).sum()) for one in deviations)
    everything = np.concatenate(deviations)
    if within <= (1e-12 * float(everything.max())) ** 2:
        return None, None
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    grand = float(everything.mean())
    between = sum(one.size * (float(one.mean()) - grand) ** 2 for one in deviations)
    df_between, df_within = len(groups) - 1, everything.size - len(groups)
    f = (between / df_between) / (within / df_within)
    return f, float(special.fdtrc(df_between, df_within, f))


def _describe_normality(groups: Mapping[str, NDArray[np.float64]], p: float | None) -> str:
    if p is None:
        return "Normality: cannot be checked; it takes three or more repeats that vary."
    if p < SIGNIFICANCE:
        return (
            f"Normality: the repeats scatter around their model's mean otherwise than normally (Shapiro-Wilk, "
            f"{format_p(p)}). Read the tests by ranks beside the others."
        )
    few = min(numbers.size for numbers in groups.values()) < _FEW
    caveat = " With so few repeats only strong departures would be noticed." if few else ""
    return f"Normality: nothing speaks against it (Shapiro-Wilk, {format_p(p)}).{caveat}"


def _describe_scatter(groups: Mapping[str, NDArray[np.float64]], p: float | None) -> str:
    if p is None:
        return "Equal scatter: cannot be checked; it takes two models with three or more repeats that vary."
    scatter = {model: float(numbers.std(ddof=1)) for model, numbers in groups.items()}
    most, least = max(scatter, key=lambda m: scatter[m]), min(scatter, key=lambda m: scatter[m])
    if p < SIGNIFICANCE:
        return (
            f"Equal scatter: {most} scatters more between repeats than {least} (Levene, {format_p(p)}). Prefer Welch "
            "and Games-Howell to ANOVA and Tukey."
        )
    return f"Equal scatter: nothing speaks against it (Levene, {format_p(p)})."
