"""Bayesian correlated t-test: how probable it is that one of two models is better, or that they are practically equal.

Differences over splits are taken as normal with the same correlation ρ = n_test / (n_train + n_test) between any two.
The posterior of their mean is then a t distribution with k − 1 degrees of freedom around the mean difference, whose
squared scale is s² (1/k + ρ / (1 − ρ)): the numbers of Nadeau and Bengio's corrected test, read as probabilities.

References
----------
Corani G, Benavoli A. Machine Learning 2015;100:285-304, doi:10.1007/s10994-015-5486-z.
Benavoli A, Corani G, Demšar J, Zaffalon M. Journal of Machine Learning Research 2017;18(77):1-36.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from brainmri.errors import EvaluationError
from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import TEST_FRACTION, paired_differences

EQUIVALENCE_POINTS: Final = 1.0
"""Half the width of the region of practical equivalence in percentage points, where the user sets none."""

DECISION: Final = 0.95
"""A statement whose posterior probability is above this counts as shown (Benavoli et al. 2017, section 4)."""


@dataclass(frozen=True, kw_only=True)
class BayesianPair:
    """Posterior of the difference of two models.

    Parameters
    ----------
    a, b : str
    n : int
        Splits that both have.
    difference : float or None
        Mean of a − b over these splits, in the unit of the accuracies.
    lower, upper : float or None
        95 % credible interval.
    equivalence : float
        Differences from −equivalence to +equivalence count as none, in the unit of the accuracies.
    p_a_better, p_equivalent, p_b_better : float or None
        Posterior probabilities; they add up to 1.
    note : str or None
        Why there is no posterior.
    """

    a: str
    b: str
    n: int
    difference: float | None
    equivalence: float
    lower: float | None = None
    upper: float | None = None
    p_a_better: float | None = None
    p_equivalent: float | None = None
    p_b_better: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON can hold it."""
        keys = ("a", "b", "difference", "lower", "upper", "equivalence", "p_a_better", "p_equivalent", "p_b_better")
        return {key: getattr(self, key) for key in keys}


def bayesian_correlated_t(
    repeats: Repeats, *, equivalence: float, test_fraction: float = TEST_FRACTION, higher_is_better: bool = True
) -> tuple[BayesianPair, ...]:
    """Return the posterior of every pair of models over the splits that they share.

    Parameters
    ----------
    repeats : Repeats
    equivalence : float
        Half the width of the region of practical equivalence, in the unit of the accuracies; 0 for none.
    test_fraction : float
        n_test / (n_train + n_test), between 0 and 1.
    higher_is_better : bool
        Whether the model with the larger numbers is the better one.

    Raises
    ------
    EvaluationError
        Where the fraction is not between 0 and 1, or the region is below zero or no number.
    """
    if not 0 <= equivalence < float("inf"):
        raise EvaluationError(
            f"The region of practical equivalence is ±{equivalence:g}; expected zero or more, for example 1 percentage "
            "point."
        )
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    pairs = []
    for paired in paired_differences(repeats, test_fraction=test_fraction):
        pair = BayesianPair(
            a=paired.a,
            b=paired.b,
            n=paired.n,
            difference=paired.difference,
            equivalence=equivalence,
            note=paired.note,
        )
        if paired.difference is not None and paired.error is not None:
            df, centre, scale = paired.n - 1, paired.difference, paired.error
            above = float(special.stdtr(df, (centre - equivalence) / scale))
            below = float(special.stdtr(df, (-equivalence - centre) / scale))
            equal = float(special.stdtr(df, (equivalence - centre) / scale)) - below
            reach = float(special.stdtrit(df, (1 + CONFIDENCE) / 2)) * scale
            pair = replace(
                pair,
                lower=centre - reach,
                upper=centre + reach,
                p_a_better=above if higher_is_better else below,
                p_equivalent=equal,
                p_b_better=below if higher_is_better else above,
            )
        pairs.append(pair)
    return tuple(pairs)
