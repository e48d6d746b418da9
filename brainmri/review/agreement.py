"""How far reviewers agree in their verdicts, beyond chance.

References
----------
Cohen J. Educ Psychol Meas 1960;20:37-46, doi:10.1177/001316446002000104.
Standard error: Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327, doi:10.1037/h0028106.
Fleiss JL. Psychol Bull 1971;76:378-382, doi:10.1037/h0031619.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.review.records import Finding

FEWEST_CASES: Final = 2
"""Cases that reviewers share at least for a kappa."""

RESAMPLES: Final = 1000
_LEVELS: Final = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of two or more reviewers.

    Parameters
    ----------
    reviewers : tuple of str
    cases : int
        Cases that all of them judged.
    agreed : int
        Those of which all of them say the same.
    kappa : float or None
        Cohen's for two, Fleiss' for more: 1 full agreement, 0 as by chance.
    lower, upper : float or None
        95 % interval: from the asymptotic standard error (two reviewers), or percentiles of a bootstrap of cases.
    note : str or None
        Why there is no kappa, or no interval.
    """

    reviewers: tuple[str, ...]
    cases: int
    agreed: int
    kappa: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str | None = None


def collect_verdicts(findings: Iterable[Finding]) -> dict[str, dict[str, str]]:
    """Return the verdicts of findings by case and reviewer."""
    ratings: dict[str, dict[str, str]] = defaultdict(dict)
    for finding in findings:
        ratings[finding.case_id][finding.reviewer] = finding.verdict
    return dict(ratings)


def measure_agreement(ratings: Mapping[str, Mapping[str, str]], *, seed: int = 0) -> tuple[Agreement, ...]:
    """Measure agreement of every pair of reviewers and, where there are three or more, of all together first.

    Parameters
    ----------
    ratings : mapping of str to mapping of str to str
        Verdicts by case and reviewer.
    seed : int
        Of the bootstrap for three or more reviewers.

    Returns
    -------
    tuple of Agreement
        Empty with fewer than two reviewers.
    """
    reviewers = sorted({name for verdicts in ratings.values() for name in verdicts})
    groups = [(a, b) for a, b in combinations(reviewers, 2)]
    whole = [tuple(reviewers)] if len(reviewers) > 2 else []
    return tuple(_measure(ratings, group, seed) for group in [*whole, *groups])


def _measure(ratings: Mapping[str, Mapping[str, str]], reviewers: Sequence[str], seed: int) -> Agreement:
    table = [[verdicts[name] for name in reviewers] for verdicts in ratings.values() if set(reviewers) <= set(verdicts)]
    found = Agreement(
        reviewers=tuple(reviewers), cases=len(table), agreed=sum(len(set(verdicts)) == 1 for verdicts in table)
    )
    if len(table) < FEWEST_CASES:
        return replace(found, note="They judged fewer than two cases in common: there is no kappa.")
    words = sorted({word for verdicts in table for word in verdicts})
    if len(words) < 2:
        return replace(found, note="All verdicts are the same one: a kappa is not defined, as chance agrees as well.")
    codes = np.array([[words.index(word) for word in verdicts] for verdicts in table])
    return _cohen(found, codes, len(words)) if len(reviewers) == 2 else _fleiss(found, codes, len(words), seed)


def _cohen(found: Agreement, codes: NDArray[np.intp], words: int) -> Agreement:
    """Add Cohen's kappa of two columns of codes."""
    from statsmodels.stats.inter_rater import cohens_kappa  # noqa: PLC0415 - slow to import

    counts = np.zeros((words, words))
    np.add.at(counts, (codes[:, 0], codes[:, 1]), 1)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    if (rows > 0).sum() == 1 or (columns > 0).sum() == 1:
        note = "A reviewer who gives one verdict to all cases agrees no better than by chance: kappa is 0, no interval."
        return replace(found, kappa=0.0, note=note)
    if not rows @ columns:
        return replace(found, kappa=0.0, note="They have no verdict in common: kappa is 0, no interval.")
    result = cohens_kappa(counts)
    kappa = float(result.kappa)
    if found.agreed == found.cases:
        return replace(found, kappa=kappa, note="Without any disagreement the standard error is 0: no interval.")
    return replace(found, kappa=kappa, lower=float(result.kappa_low), upper=min(float(result.kappa_upp), 1.0))


def _fleiss(found: Agreement, codes: NDArray[np.intp], words: int, seed: int) -> Agreement:
    """Add Fleiss' kappa of three columns of codes or more."""
    from statsmodels.stats.inter_rater import fleiss_kappa  # noqa: PLC0415 - slow to import

    counts = (codes[:, :, None] == np.arange(words)).sum(axis=1)
    draws = np.random.default_rng(seed).integers(len(counts), size=(RESAMPLES, len(counts)))
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw with one verdict only has no kappa
        resampled = np.array([float(fleiss_kappa(counts[draw])) for draw in draws])
    usable = resampled[np.isfinite(resampled)]
    kappa = float(fleiss_kappa(counts))
    if found.agreed == found.cases or not usable.size:
        return replace(found, kappa=kappa, note="Without any disagreement cases do not scatter: no interval.")
    lower, upper = np.quantile(usable, _LEVELS)
    return replace(found, kappa=kappa, lower=float(lower), upper=float(upper))
