"""Referral: how accurate the network is on the cases it keeps, when the ones it is least sure of go to a human.

References
----------
Risk-coverage curves and their area: El-Yaniv R, Wiener Y. JMLR 2010;11:1605-1641; Geifman Y, El-Yaniv R. NeurIPS 2017,
arXiv:1705.08500.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_tally import confidences
from brainmri.evaluation.verdicts import Scored

GRID_POINTS: Final = 100
"""Shares of referred cases on the common grid: every per cent from 0 to 99."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferralCurve:
    """Accuracy of one architecture on what it keeps, against the share that is referred.

    Parameters
    ----------
    architecture : str
    referred : ndarray, shape (G,), float64
        Share of cases (or images) that go to a human, from 0 up to below 1.
    accuracies : ndarray, shape (R, G), float64
        Of each run on the rest.
    run_ids : tuple of str, length R
    areas : tuple of float, length R
        Area under the risk-coverage curve (AURC): mean error over all numbers of cases kept. Lower is better; a network
        that is not surer of right cases than of wrong ones has its plain error.
    best_areas : tuple of float, length R
        AURC of the same errors if all wrong cases were referred first.
    note : str or None
        Which runs have no curve.
    """

    architecture: str
    referred: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    run_ids: tuple[str, ...]
    areas: tuple[float, ...]
    best_areas: tuple[float, ...]
    note: str | None = None

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """Mean accuracy over the runs, shape (G,); None without a run."""
        return np.asarray(self.accuracies.mean(axis=0)) if len(self.accuracies) else None

    @property
    def band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Mean minus and plus one standard deviation over the runs (n − 1), between 0 and 1; None below two runs."""
        if self.mean is None or len(self.accuracies) < 2:
            return None
        scatter = self.accuracies.std(axis=0, ddof=1)
        return np.clip(self.mean - scatter, 0, 1), np.clip(self.mean + scatter, 0, 1)

    @property
    def mean_area(self) -> float | None:
        """Mean of the runs' areas."""
        return float(np.mean(self.areas)) if self.areas else None

    def share_to_refer(self, accuracy: float) -> float | None:
        """Return the smallest share to refer for a mean accuracy on the rest; None where none reaches it.

        It is read from the test cases themselves, and so is hopeful for others.
        """
        reached = np.flatnonzero(self.mean >= accuracy) if self.mean is not None else np.empty(0, dtype=np.intp)
        return float(self.referred[reached[0]]) if reached.size else None


def referral_curves(scored: Scored, *, points: int = GRID_POINTS) -> dict[str, ReferralCurve]:
    """Return the referral curve of each architecture, by architecture in the order of the runs.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
        Cases are referred where these are verdicts.
    points : int
        Of the grid.

    Notes
    -----
    The probability of the predicted class decides who is referred first. Equally sure cases are taken in random order:
    what is given is the expected accuracy over that order.
    """
    referred = np.arange(points) / points
    right = scored.true_class == scored.predicted_class
    sure = confidences(scored)
    runs: dict[str, list[int]] = {}
    for place, run in enumerate(scored.runs):
        runs.setdefault(run.architecture, []).append(place)
    curves = {}
    for architecture, places in runs.items():
        tested = [place for place in places if (scored.run == place).any()]
        kept = [kept_accuracies(sure[scored.run == place], right[scored.run == place]) for place in tested]
        best = [kept_accuracies(right[scored.run == place] * 1.0, right[scored.run == place]) for place in tested]
        empty = len(places) - len(tested)
        curves[architecture] = ReferralCurve(
            architecture=architecture,
            referred=referred,
            accuracies=np.array([_on_grid(one, referred) for one in kept]).reshape(len(kept), points),
            run_ids=tuple(scored.runs[place].run_id for place in tested),
            areas=tuple(float(1 - one.mean()) for one in kept),
            best_areas=tuple(float(1 - one.mean()) for one in best),
            note=f"{empty} of {len(places)} runs tested nothing and have no curve." if empty else None,
        )
    return curves


def kept_accuracies(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the accuracy on the 1, 2, …, n surest cases.

    Parameters
    ----------
    sure : ndarray, shape (n,)
    right : ndarray, shape (n,), bool

    Returns
    -------
    ndarray, shape (n,), float64
        Equally sure cases count with their mean: the expectation over their order.
    """
    _, level = np.unique(-sure, return_inverse=True)
    expected = np.bincount(level, weights=right) / np.bincount(level)
    return np.asarray(np.cumsum(expected[np.sort(level)]) / np.arange(1, sure.size + 1))


def _on_grid(accuracies: NDArray[np.float64], referred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the accuracy where a share is referred: at least so many cases, and never all."""
    n = accuracies.size
    kept = np.maximum(np.floor(n * (1 - referred) + 1e-9).astype(np.intp), 1)
    return np.asarray(accuracies[kept - 1])
