"""Which cases are hard: in how many of the runs that tested a case its verdict was wrong, and for which networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.loading import ExperimentPredictions
from brainmri.evaluation.verdicts import VerdictRule, Verdicts, verdicts_by_case

Difficulty = Literal["always wrong", "network-specific", "split-dependent", "always right"]

DIFFICULTIES: Final[dict[Difficulty, str]] = {
    "always wrong": "Wrong in every run that tested the case: look for an unusual tumour, a wrong label or bad images.",
    "network-specific": "One network is wrong much more often than another: their shares of wrong runs differ by more "
    "than a half.",
    "split-dependent": "Networks are wrong about equally often, in some runs only: it matters what was trained on.",
    "always right": "Right in every run that tested the case.",
}
"""Kinds of cases in one sentence each, the hardest first."""

NETWORK_CONTRAST: Final = 0.5
"""A case is network-specific where the shares of wrong runs of two networks differ by more than this."""


@dataclass(frozen=True, kw_only=True)
class CaseErrors:
    """In how many of the runs that tested a case one architecture's verdict was wrong."""

    architecture: str
    tested: int
    wrong: int

    @property
    def share(self) -> float | None:
        """Wrong verdicts as a share of the runs that tested the case."""
        return self.wrong / self.tested if self.tested else None


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One case over all runs that tested it.

    Parameters
    ----------
    case_id : str
    diagnosis : str
        True class.
    tested, wrong : int
        Runs that tested the case, and those whose verdict was wrong.
    mean_true_probability : float
        Mean over these runs of the probability that the verdict gives to the true class.
    taken_for : str or None
        The wrong class that it was taken for most often.
    by_architecture : tuple of CaseErrors
        One an architecture, in the order of the experiment.
    example_run_id : str
        A run to look at: the wrong one that was surest, else the right one that was least sure.
    """

    case_id: str
    diagnosis: str
    tested: int
    wrong: int
    mean_true_probability: float
    taken_for: str | None
    by_architecture: tuple[CaseErrors, ...]
    example_run_id: str

    @property
    def wrong_share(self) -> float:
        """Wrong verdicts as a share of the runs that tested the case."""
        return self.wrong / self.tested

    @property
    def difficulty(self) -> Difficulty:
        """The kind of case, see `DIFFICULTIES` and `NETWORK_CONTRAST`."""
        if self.wrong in (0, self.tested):
            return "always wrong" if self.wrong else "always right"
        shares = [part.share for part in self.by_architecture if part.share is not None]
        return "network-specific" if max(shares) - min(shares) > NETWORK_CONTRAST else "split-dependent"


def tabulate_cases(predictions: ExperimentPredictions, *, rule: VerdictRule = "mean") -> tuple[CaseRow, ...]:
    """List every tested case, the hardest first: by share of wrong verdicts, then by probability of the true class.

    Parameters
    ----------
    predictions : ExperimentPredictions
    rule : {'mean', 'vote', 'maximum'}
        Of the verdicts.
    """
    verdicts = verdicts_by_case(predictions, rule=rule)
    order = np.argsort(verdicts.case, kind="stable")
    starts = np.flatnonzero(np.diff(verdicts.case[order], prepend=-1))
    rows = [
        _case_row(verdicts, places, predictions.architectures) for places in np.split(order, starts[1:]) if len(places)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.wrong_share, row.mean_true_probability, row.case_id)))


def count_difficulties(rows: Sequence[CaseRow]) -> dict[Difficulty, int]:
    """Return how many cases are of each kind, the hardest kind first."""
    found = Counter(row.difficulty for row in rows)
    return {kind: found[kind] for kind in DIFFICULTIES}


def _case_row(verdicts: Verdicts, rows: NDArray[np.intp], architectures: Sequence[str]) -> CaseRow:
    true_class = int(verdicts.true_class[rows[0]])
    predicted = verdicts.predicted_class[rows]
    wrong = predicted != true_class
    certainty = verdicts.probabilities[rows, true_class]
    named = [verdicts.runs[run].architecture for run in verdicts.run[rows]]
    tested, failed = Counter(named), Counter(name for name, bad in zip(named, wrong, strict=True) if bad)
    mistaken = Counter(predicted[wrong].tolist()).most_common(1)
    return CaseRow(
        case_id=verdicts.case_ids[int(verdicts.case[rows[0]])],
        diagnosis=verdicts.classes[true_class],
        tested=int(rows.size),
        wrong=int(wrong.sum()),
        mean_true_probability=float(certainty.mean()),
        taken_for=verdicts.classes[mistaken[0][0]] if mistaken else None,
        by_architecture=tuple(CaseErrors(architecture=a, tested=tested[a], wrong=failed[a]) for a in architectures),
        # A wrong verdict can hold a higher probability of the truth than a right one where classes are many.
        example_run_id=verdicts.runs[int(verdicts.run[rows[np.lexsort((certainty, ~wrong))[0]]])].run_id,
    )
