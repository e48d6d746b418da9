"""Do probabilities mean what they say? Reliability diagrams of the predicted class, or of one class.

Scaling by a temperature is in `brainmri.evaluation.temperature`.

References
----------
Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017, arXiv:1706.04599.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tally import CALIBRATION_BINS, bin_of, confidences
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.evaluation.verdicts import Scored


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Rows of about one confidence.

    Parameters
    ----------
    lower, upper : float
        Bounds of the confidence; the upper one belongs to the bin.
    mean_confidence : float or None
        None where the bin is empty.
    right : ShareInterval
        How many were right, with an interval that counts patients, not images.
    patients : int
    """

    lower: float
    upper: float
    mean_confidence: float | None
    right: ShareInterval
    patients: int


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Reliability diagram of one architecture, all runs pooled.

    Parameters
    ----------
    architecture : str
    class_name : str or None
        None: confidence in the predicted class; else: probability of this class.
    bins : tuple of ReliabilityBin
    n : int
        Images (or cases), all runs together.
    calibration_error : float or None
        Mean distance of confidence and share of right ones, weighted by the bins, all runs pooled.
    """

    architecture: str
    class_name: str | None
    bins: tuple[ReliabilityBin, ...]
    n: int
    calibration_error: float | None


def reliability(
    scored: Scored, architecture: str, *, class_index: int | None = None, bins: int = CALIBRATION_BINS
) -> Reliability:
    """Return the reliability diagram of an architecture, all runs pooled.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    architecture : str
    class_index : int, optional
        Of one class's probability in place of the confidence in the predicted class.
    bins : int
        Of equal width.

    Raises
    ------
    EvaluationError
        Where there is no such class.
    """
    if class_index is not None and not 0 <= class_index < len(scored.classes):
        raise EvaluationError(f"There is no class {class_index}: there are {len(scored.classes)}, counted from 0.")
    mine = np.array([run.architecture == architecture for run in scored.runs], dtype=bool)
    rows = np.flatnonzero(mine[scored.run])
    if class_index is None:
        sure, right = confidences(scored)[rows], (scored.predicted_class == scored.true_class)[rows]
    else:
        sure = scored.probabilities[rows, class_index].astype(np.float64)
        right = scored.true_class[rows] == class_index
    place = bin_of(sure, bins)
    edges = np.linspace(0, 1, bins + 1)
    found = tuple(
        _bin(float(edges[index]), float(edges[index + 1]), sure[here], right[here], scored.case[rows[here]])
        for index, here in enumerate(place == index for index in range(bins))
    )
    gaps = [
        one.right.n * abs(one.right.share - one.mean_confidence)
        for one in found
        if one.right.share is not None and one.mean_confidence is not None
    ]
    return Reliability(
        architecture=architecture,
        class_name=None if class_index is None else scored.classes[class_index],
        bins=found,
        n=int(rows.size),
        calibration_error=sum(gaps) / rows.size if rows.size else None,
    )


def _bin(
    lower: float, upper: float, sure: NDArray[np.float64], right: NDArray[np.bool_], case: NDArray[np.intp]
) -> ReliabilityBin:
    return ReliabilityBin(
        lower=lower,
        upper=upper,
        mean_confidence=float(sure.mean()) if sure.size else None,
        right=share_interval(right, case),
        patients=int(np.unique(case).size),
    )
