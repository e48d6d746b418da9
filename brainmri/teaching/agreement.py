"""How far readers agree beyond chance, among themselves (Fleiss) and with the network (Cohen).

Missing answers: the share of agreeing pairs is averaged over the cases with two answers or more; the frequencies of the
diagnoses, over all cases with an answer, each case counting once. Without missing answers this is Fleiss' kappa.

References
----------
Fleiss JL. Psychol Bull 1971;76:378-382, doi:10.1037/h0031619.
Missing answers and the standard error: Gwet KL. Handbook of Inter-Rater Reliability, 4th ed. Advanced Analytics 2014,
chapters 2 and 5 (ISBN 978-0970806284).
Cohen's kappa and its standard error: see `brainmri.review.agreement`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.review.agreement import FEWEST_CASES, Agreement, measure_agreement
from brainmri.teaching.answers import UNANSWERED, ReadAnswers, Step

_NO_SCATTER: Final = 1e-9
"""A smaller standard error is rounding."""
_NETWORK: Final = "the network"
_READER: Final = "the reader"


@dataclass(frozen=True, kw_only=True)
class ReaderAgreement:
    """Agreement of the readers of a session among themselves.

    Parameters
    ----------
    step : {'alone', 'with network'}
    readers : int
        Readers who answered.
    cases : int
        Cases with two answers or more.
    answers : int
    unanimous : int
        Of these cases, those with one diagnosis only.
    agreement : float or None
        Share of pairs of answers on one case that are the same.
    kappa, standard_error, lower, upper : float or None
        Fleiss' kappa; 1 full agreement, 0 as by chance. The interval is cut at 1.
    note : str or None
        Why there is no kappa, or no interval.
    """

    step: Step
    readers: int
    cases: int
    answers: int
    unanimous: int
    agreement: float | None = None
    kappa: float | None = None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str | None = None


def agree_among_readers(answers: ReadAnswers, *, step: Step = "alone") -> ReaderAgreement:
    """Measure how far the readers agree, by Fleiss' kappa."""
    chosen = answers.chosen(step)
    counts = (chosen[:, :, None] == np.arange(len(answers.classes))).sum(axis=0)  # (C, K)
    counts = counts[counts.sum(axis=1) > 0].astype(np.float64)
    several = counts[counts.sum(axis=1) > 1]
    found = ReaderAgreement(
        step=step,
        readers=int((chosen != UNANSWERED).any(axis=1).sum()),
        cases=len(several),
        answers=int(counts.sum()),
        unanimous=int(((several > 0).sum(axis=1) == 1).sum()),
    )
    if found.readers < 2:
        return replace(found, note="Fewer than two readers have answered: there is nobody to agree with.")
    if found.cases < FEWEST_CASES:
        return replace(found, note=f"Fewer than {FEWEST_CASES} cases have two answers: there is no kappa.")
    return _measure(found, counts)


def agree_with_network(answers: ReadAnswers, *, step: Step = "alone") -> dict[str, Agreement]:
    """Measure how far each reader agrees with the network, by Cohen's kappa on the cases that both answered.

    Returns
    -------
    dict of str to Agreement
        By reader; in each the reviewers are "the reader" and "the network".
    """
    network = answers.network_answers()
    return {
        reader: _with_network(chosen, network, answers)
        for reader, chosen in zip(answers.readers, answers.chosen(step), strict=True)
    }


def _with_network(chosen: NDArray[np.intp], network: NDArray[np.intp], answers: ReadAnswers) -> Agreement:
    both = np.flatnonzero((chosen != UNANSWERED) & (network != UNANSWERED))
    if both.size < FEWEST_CASES:
        note = f"The reader and the network answered {both.size} cases in common: a kappa needs {FEWEST_CASES}."
        agreed = int((chosen[both] == network[both]).sum())
        return Agreement(reviewers=(_READER, _NETWORK), cases=both.size, agreed=agreed, note=note)
    ratings = {
        answers.cases[case]: {_READER: answers.classes[chosen[case]], _NETWORK: answers.classes[network[case]]}
        for case in both
    }
    return measure_agreement(ratings)[0]


def _measure(found: ReaderAgreement, counts: NDArray[np.float64]) -> ReaderAgreement:
    """Add the kappa of a table of cases with an answer and classes, (C, K)."""
    cases, given = len(counts), counts.sum(axis=1)
    several = given > 1
    pairs = np.zeros(cases)
    pairs[several] = (counts * (counts - 1)).sum(axis=1)[several] / (given * (given - 1))[several]
    agreement = float(pairs[several].mean())
    frequency = (counts / given[:, None]).mean(axis=0)
    chance = float((frequency**2).sum())
    found = replace(found, agreement=agreement)
    if math.isclose(chance, 1):
        return replace(
            found, note="All answers are the same diagnosis: a kappa is not defined, as chance agrees as well."
        )
    kappa = (agreement - chance) / (1 - chance)
    if found.unanimous == found.cases:
        return replace(found, kappa=kappa, note="Without any disagreement cases do not scatter: no interval.")
    of_case = cases / several.sum() * np.where(several, pairs - chance, 0.0) / (1 - chance)
    chance_of_case = (counts * frequency).sum(axis=1) / given
    linear = of_case - 2 * (1 - kappa) * (chance_of_case - chance) / (1 - chance)
    error = math.sqrt(float(((linear - kappa) ** 2).sum()) / (cases * (cases - 1)))
    if math.isclose(error, 0, abs_tol=_NO_SCATTER):
        return replace(
            found, kappa=kappa, note="Readers disagree alike on every case: cases do not scatter, no interval."
        )
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    reach = float(special.stdtrit(cases - 1, (1 + CONFIDENCE) / 2)) * error
    return replace(
        found, kappa=kappa, standard_error=error, lower=max(kappa - reach, -1.0), upper=min(kappa + reach, 1.0)
    )
