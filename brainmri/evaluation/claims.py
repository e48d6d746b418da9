"""Which tests claim a difference at 5 %, for many studies at once: the tests of this package as array formulas."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.bayesian import DECISION, EQUIVALENCE_POINTS
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.rank_tests import best_first_ranks, critical_difference, friedman_statistics
from brainmri.evaluation.repeated_measures import f_statistics, greenhouse_geisser
from brainmri.evaluation.resampled import correction
from brainmri.evaluation.wording import SIGNIFICANCE

Studies = NDArray[np.float64]
"""Accuracies, shape (studies, repeats, models)."""

Claimed = NDArray[np.bool_]
"""Shape (studies,)."""

CLAIMS: Final = {
    "anova": "one-way ANOVA",
    "tukey": "Tukey's HSD, any pair",
    "welch": "Welch's ANOVA",
    "kruskal": "Kruskal-Wallis",
    "repeated_measures": "repeated-measures ANOVA",
    "repeated_measures_gg": "repeated-measures ANOVA, Greenhouse-Geisser",
    "friedman": "Friedman",
    "nemenyi": "Nemenyi, any pair",
    "paired_t": "paired t-test with Holm's adjustment, any pair",
    "corrected_t": "corrected resampled t-test with Holm's adjustment, any pair",
    "bayesian": "Bayesian correlated t-test, some model better by 1 point or more with 95 %",
}
"""What each test is called in the table of `simulate-type1`."""


def claim_differences(studies: Studies, *, test_fraction: float) -> dict[str, Claimed]:
    """Return which studies each test claims a difference in.

    Studies in which a test cannot be computed (no scatter) count as without a claim.

    Parameters
    ----------
    studies : ndarray of float64, shape (studies, repeats, models)
        Shares from 0 to 1 without missing repeats; two repeats and two models or more.
    test_fraction : float
        n_test / (n_train + n_test) of the splits.

    Returns
    -------
    dict of str to ndarray of bool, shape (studies,)
        By the keys of `CLAIMS`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "anova": _anova(studies),
            "tukey": _tukey(studies),
            "welch": _welch(studies),
            "kruskal": _kruskal(studies),
            "repeated_measures": _repeated_measures(studies),
            "repeated_measures_gg": _repeated_measures_gg(studies),
            "friedman": _friedman(studies),
            "nemenyi": _nemenyi(studies),
            "paired_t": _paired(studies, 1 / studies.shape[1]),
            "corrected_t": _paired(studies, correction(studies.shape[1], test_fraction)),
            "bayesian": _bayesian(studies, correction(studies.shape[1], test_fraction)),
        }
    return found


def _anova(studies: Studies) -> Claimed:
    repeats, models = studies.shape[1:]
    return _f_claims(
        _ratio(repeats * studies.mean(axis=1).var(axis=-1, ddof=1), _within(studies)),
        models - 1,
        models * (repeats - 1),
    )


def _tukey(studies: Studies) -> Claimed:
    from scipy.stats import studentized_range  # noqa: PLC0415 - 0.6 s

    repeats, models = studies.shape[1:]
    critical = studentized_range.ppf(CONFIDENCE, models, models * (repeats - 1))
    means = studies.mean(axis=1)
    claimed: Claimed = _ratio(np.ptp(means, axis=-1), np.sqrt(_within(studies) / repeats)) > critical
    return claimed


def _welch(studies: Studies) -> Claimed:
    repeats, models = studies.shape[1:]
    means = studies.mean(axis=1)
    weights = _ratio(repeats, studies.var(axis=1, ddof=1))
    shares = weights / weights.sum(axis=-1, keepdims=True)
    centre = (shares * means).sum(axis=-1, keepdims=True)
    between = (weights * np.square(means - centre)).sum(axis=-1) / (models - 1)
    spread = (np.square(1 - shares) / (repeats - 1)).sum(axis=-1)
    f = between / (1 + 2 * (models - 2) / (models**2 - 1) * spread)
    return _f_claims(f, models - 1, (models**2 - 1) / (3 * spread))


def _kruskal(studies: Studies) -> Claimed:
    from scipy import special  # noqa: PLC0415
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.6 s

    repeats, models = studies.shape[1:]
    ranks = rankdata(studies.reshape(len(studies), -1), axis=-1).reshape(studies.shape)
    between = repeats * np.square(ranks.mean(axis=1) - (repeats * models + 1) / 2).sum(axis=-1)
    statistic = _ratio(between, ranks.reshape(len(studies), -1).var(axis=-1, ddof=1))
    claimed: Claimed = special.chdtrc(models - 1, statistic) < SIGNIFICANCE
    return claimed


def _repeated_measures(studies: Studies) -> Claimed:
    repeats, models = studies.shape[1:]
    return _f_claims(f_statistics(studies), models - 1, (models - 1) * (repeats - 1))


def _repeated_measures_gg(studies: Studies) -> Claimed:
    repeats, models = studies.shape[1:]
    epsilon = np.array([greenhouse_geisser(study) for study in studies])
    return _f_claims(f_statistics(studies), epsilon * (models - 1), epsilon * (models - 1) * (repeats - 1))


def _friedman(studies: Studies) -> Claimed:
    from scipy import special  # noqa: PLC0415

    claimed: Claimed = special.chdtrc(studies.shape[-1] - 1, friedman_statistics(studies)) < SIGNIFICANCE
    return claimed


def _nemenyi(studies: Studies) -> Claimed:
    repeats, models = studies.shape[1:]
    claimed: Claimed = np.ptp(best_first_ranks(studies).mean(axis=1), axis=-1) > critical_difference(models, repeats)
    return claimed


def _paired(studies: Studies, factor: float) -> Claimed:
    """Holm's adjustment rejects some pair where the smallest p, times the number of pairs, is below 5 %."""
    from scipy import special  # noqa: PLC0415

    differences = _differences(studies)
    t = np.abs(_ratio(differences.mean(axis=1), np.sqrt(factor * differences.var(axis=1, ddof=1))))
    pairs = differences.shape[-1]
    claimed: Claimed = (2 * special.stdtr(studies.shape[1] - 1, -t) * pairs < SIGNIFICANCE).any(axis=-1)
    return claimed


def _bayesian(studies: Studies, factor: float) -> Claimed:
    from scipy import special  # noqa: PLC0415

    differences = _differences(studies)
    beyond = np.abs(differences.mean(axis=1)) - EQUIVALENCE_POINTS / 100
    t = _ratio(beyond, np.sqrt(factor * differences.var(axis=1, ddof=1)))
    claimed: Claimed = (special.stdtr(studies.shape[1] - 1, t) > DECISION).any(axis=-1)
    return claimed


def _differences(studies: Studies) -> NDArray[np.float64]:
    """Return differences of every pair of models, shape (studies, repeats, pairs)."""
    return np.stack([studies[..., i] - studies[..., j] for i, j in combinations(range(studies.shape[-1]), 2)], axis=-1)


def _within(studies: Studies) -> NDArray[np.float64]:
    """Return the mean square within models, shape (studies,)."""
    mean: NDArray[np.float64] = studies.var(axis=1, ddof=1).mean(axis=-1)
    return mean


def _f_claims(
    f: NDArray[np.float64], numerator: NDArray[np.float64] | float, denominator: NDArray[np.float64] | float
) -> Claimed:
    from scipy import special  # noqa: PLC0415

    claimed: Claimed = special.fdtrc(numerator, denominator, f) < SIGNIFICANCE
    return claimed


def _ratio(numerator: NDArray[np.float64] | float, denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; not-a-number, and so no claim, where there is no scatter but rounding."""
    quotient: NDArray[np.float64] = np.where(denominator > 1e-12, numerator / denominator, np.nan)
    return quotient
