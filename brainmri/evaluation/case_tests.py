"""Tests of two or more architectures on the same cases: McNemar's for pairs, Cochran's Q for all of them together.

Each case counts once, by the consensus of each architecture over the repeats (`brainmri.evaluation.consensus`), so that
cases are independent where accuracies of repeats are not.

References
----------
McNemar Q. Psychometrika 1947;12:153-157, doi:10.1007/BF02295996.
Mid-p version: Fagerland MW, Lydersen S, Laake P. BMC Med Res Methodol 2013;13:91, doi:10.1186/1471-2288-13-91.
Interval of the difference: Newcombe RG. Stat Med 1998;17:2635-2650, method 10,
doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.
Cochran WG. Biometrika 1950;37:256-266, doi:10.1093/biomet/37.3-4.256.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.consensus import Consensus
from brainmri.evaluation.intervals import wilson_interval
from brainmri.evaluation.resampled import holm

FEW_DIFFERENCES: Final = 10
"""Below this number of cases on which architectures differ, Cochran's Q is far from its chi-square distribution."""


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """McNemar's test of two architectures on the same cases.

    Parameters
    ----------
    a, b : str
    cases : int
    both_right, only_a, only_b, both_wrong : int
        Cases that both, only a, only b, and neither got right.
    difference : float or None
        Accuracy of a − b; None without cases.
    lower, upper : float or None
        Interval of the difference for paired shares.
    p_exact, p_mid : float or None
        Two-sided, from the binomial distribution: exact (never too small), and mid-p (less cautious, seldom too small).
        None where the two do not differ on any case.
    p_holm : float or None
        The mid-p value adjusted for the number of pairs.
    note : str or None
        Why there is no test.
    """

    a: str
    b: str
    cases: int
    both_right: int
    only_a: int
    only_b: int
    both_wrong: int
    difference: float | None
    lower: float | None = None
    upper: float | None = None
    p_exact: float | None = None
    p_mid: float | None = None
    p_holm: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class CochranQ:
    """Cochran's Q of several architectures on the same cases.

    Parameters
    ----------
    architectures : tuple of str
    cases : int
    differing : int
        Cases that some got right and others wrong: only they bear on the test.
    q : float or None
    df : int
    p : float or None
        From the chi-square distribution.
    note : str or None
        Why there is no test, or how far to trust it.
    """

    architectures: tuple[str, ...]
    cases: int
    differing: int
    q: float | None
    df: int
    p: float | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaseTests:
    """Cochran's Q of all architectures, and McNemar's test of every pair."""

    cochran: CochranQ
    pairs: tuple[McNemar, ...]


def compare_on_cases(consensus: Consensus) -> CaseTests:
    """Test all architectures together and in pairs.

    Raises
    ------
    EvaluationError
        Where there is one architecture only.
    """
    names = consensus.architectures
    if len(names) < 2:
        raise EvaluationError(f"There is {names[0]} only: a comparison on cases needs two architectures or more.")
    right = dict(zip(names, consensus.right, strict=True))
    pairs = [mcnemar(right[a], right[b], names=(a, b)) for a, b in combinations(names, 2)]
    adjusted = holm([pair.p_mid for pair in pairs])
    return CaseTests(
        cochran=cochran_q(consensus.right.T, names=names),
        pairs=tuple(replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)),
    )


def mcnemar(right_a: ArrayLike, right_b: ArrayLike, *, names: tuple[str, str] = ("a", "b")) -> McNemar:
    """Test whether two architectures are right on equally many of the same cases.

    Parameters
    ----------
    right_a, right_b : array_like, shape (n,), bool
        Whether each got each case right.
    names : tuple of str
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    found = McNemar(
        a=names[0],
        b=names[1],
        cases=a.size,
        both_right=int((a & b).sum()),
        only_a=only_a,
        only_b=only_b,
        both_wrong=int((~a & ~b).sum()),
        difference=(only_a - only_b) / a.size if a.size else None,
    )
    if not a.size:
        return replace(found, note=f"{names[0]} and {names[1]} share no case: there is nothing to test.")
    lower, upper = _paired_interval(found)
    found = replace(found, lower=lower, upper=upper)
    if only_a + only_b == 0:
        return replace(found, note=f"{names[0]} and {names[1]} are right on the same cases: there is nothing to test.")
    exact, mid = _binomial_p(min(only_a, only_b), only_a + only_b)
    return replace(found, p_exact=exact, p_mid=mid)


def cochran_q(right: ArrayLike, *, names: tuple[str, ...] | None = None) -> CochranQ:
    """Test whether several architectures are right on equally many of the same cases.

    Parameters
    ----------
    right : array_like, shape (n, A), bool
        A row a case, a column an architecture.
    names : tuple of str, optional

    Raises
    ------
    EvaluationError
        Where there are fewer than two columns.
    """
    table = np.asarray(right, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise EvaluationError(f"Cochran's Q needs a row a case and two columns or more; found the shape {table.shape}.")
    columns, rows = table.sum(axis=0), table.sum(axis=1)
    count = table.shape[1]
    differing = int(((rows > 0) & (rows < count)).sum())
    found = CochranQ(
        architectures=names or tuple(str(i + 1) for i in range(count)),
        cases=len(table),
        differing=differing,
        q=None,
        df=count - 1,
        p=None,
    )
    if differing == 0:
        return replace(found, note="All are right on the same cases: there is nothing to test.")
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    total = float(rows.sum())
    q = (count - 1) * (count * float((columns**2).sum()) - total**2) / (count * total - float((rows**2).sum()))
    counted = "one case" if differing == 1 else f"{differing} cases"
    few = f"They differ on {counted} only: take the p-value as a rough guide, and McNemar's exact ones."
    note = few if differing < FEW_DIFFERENCES else None
    return replace(found, q=q, p=float(special.chdtrc(count - 1, q)), note=note)


def _binomial_p(fewer: int, differing: int) -> tuple[float, float]:
    """Return the exact and the mid-p value, two-sided, of ``fewer`` of ``differing`` under equal chances."""
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    ways = special.gammaln(differing + 1) - special.gammaln(fewer + 1) - special.gammaln(differing - fewer + 1)
    point = math.exp(ways - differing * math.log(2))
    if 2 * fewer == differing:
        return 1.0, 1.0 - point / 2
    tail = float(special.bdtr(fewer, differing, 0.5))
    return 2 * tail, 2 * tail - point


def _paired_interval(found: McNemar) -> tuple[float, float]:
    """Return Newcombe's interval of the difference of two paired shares (his method 10)."""
    n = found.cases
    share_a, share_b = (found.both_right + found.only_a) / n, (found.both_right + found.only_b) / n
    low_a, high_a = wilson_interval(share_a * n, n, confidence=CONFIDENCE)
    low_b, high_b = wilson_interval(share_b * n, n, confidence=CONFIDENCE)
    product = float(found.both_right * found.both_wrong - found.only_a * found.only_b)
    if product > 0:
        product = max(product - n / 2, 0.0)  # continuity correction
    margins = (share_a * n) * (n - share_a * n) * (share_b * n) * (n - share_b * n)
    phi = product / math.sqrt(margins) if margins > 0 else 0.0
    difference = share_a - share_b
    below, above = share_a - low_a, high_b - share_b
    lower = difference - math.sqrt(max(below**2 - 2 * phi * below * above + above**2, 0.0))
    below, above = share_b - low_b, high_a - share_a
    upper = difference + math.sqrt(max(above**2 - 2 * phi * above * below + below**2, 0.0))
    return lower, upper
