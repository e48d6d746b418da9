"""Repeated-measures analysis of variance: every split is a block in which all models were trained and tested.

It takes out what makes a split easy or hard for all models. It still takes the blocks for independent of one another,
which overlapping splits are not, and so claims differences even more often than the one-way analysis.

References
----------
Greenhouse SW, Geisser S. Psychometrika 1959;24:95-112, doi:10.1007/BF02289823.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.repeats import ROUNDING, Repeats


@dataclass(frozen=True, kw_only=True)
class RepeatedMeasures:
    """Repeated-measures analysis of variance.

    Parameters
    ----------
    f, p : float or None
        None where they cannot be computed, and the note says why.
    df, df_error : int
    n : int
        Splits that all models have.
    epsilon : float or None
        Greenhouse and Geisser's estimate of how far from spherical the differences are: 1 is spherical,
        1 / (models − 1) the farthest.
    p_greenhouse_geisser : float or None
        With both degrees of freedom multiplied by epsilon.
    note : str or None
    """

    f: float | None
    df: int
    df_error: int
    p: float | None
    n: int
    epsilon: float | None = None
    p_greenhouse_geisser: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        keys = ("df", "df_error", "p", "n", "epsilon", "p_greenhouse_geisser")
        return {"F": self.f, **{key: getattr(self, key) for key in keys}}


def repeated_measures(repeats: Repeats) -> RepeatedMeasures:
    """Test whether mean accuracies differ within the splits that all models share."""
    models = list(repeats.groups)
    shared = repeats.shared(models) if models else np.empty((0, 0))
    n, df = len(shared), max(len(models) - 1, 0)
    empty = RepeatedMeasures(f=None, df=df, df_error=df * max(n - 1, 0), p=None, n=n)
    if len(models) < 2:
        return replace(empty, note="Repeated-measures analysis of variance needs two models or more.")
    if n < 2:
        found = {0: "is none", 1: "is one"}[n]
        return replace(
            empty,
            note="Repeated-measures analysis of variance needs two splits or more that all models share, better ten; "
            f"there {found}.",
        )
    centred = shared - shared.mean()
    residuals = centred - centred.mean(axis=0) - centred.mean(axis=1, keepdims=True)
    if np.abs(residuals).max() <= 2 * ROUNDING * np.abs(shared).max():
        return replace(
            empty,
            note="The models differ by the same amounts on every shared split: repeated-measures analysis of variance "
            "has no scatter to measure them by.",
        )
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    f, epsilon = float(f_statistics(centred)), greenhouse_geisser(shared)
    df_error = df * (n - 1)
    return RepeatedMeasures(
        f=f,
        df=df,
        df_error=df_error,
        p=float(special.fdtrc(df, df_error, f)),
        n=n,
        epsilon=epsilon,
        p_greenhouse_geisser=float(special.fdtrc(epsilon * df, epsilon * df_error, f)),
    )


def f_statistics(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F of repeated measures.

    Parameters
    ----------
    accuracies : ndarray of float64, shape (..., splits, models)
        With some scatter beside that of splits and models.

    Returns
    -------
    ndarray of float64, shape (...)
    """
    splits, models = accuracies.shape[-2:]
    centred = accuracies - accuracies.mean(axis=(-2, -1), keepdims=True)
    of_models, of_splits = centred.mean(axis=-2, keepdims=True), centred.mean(axis=-1, keepdims=True)
    between = splits * np.square(of_models).sum(axis=(-2, -1)) / (models - 1)
    error = np.square(centred - of_models - of_splits).sum(axis=(-2, -1)) / ((models - 1) * (splits - 1))
    f: NDArray[np.float64] = between / error
    return f


def greenhouse_geisser(shared: NDArray[np.float64]) -> float:
    """Return Greenhouse and Geisser's epsilon of accuracies of shape (splits, models)."""
    residuals = shared - shared.mean(axis=0)
    residuals = residuals - residuals.mean(axis=1, keepdims=True)
    covariance = residuals.T @ residuals
    return float(np.trace(covariance) ** 2 / ((shared.shape[1] - 1) * np.square(covariance).sum()))
