"""ROC and precision-recall curves of one class against the rest, averaged over repeats, with bands.

Curves of several runs are averaged vertically: on a common grid of false positive rates the mean true positive rate, on
a common grid of recalls the mean precision. A ROC curve is straight between its points; a precision-recall curve is not
(Davis and Goadrich), and is taken as steps, whose area is the average precision.

References
----------
Vertical averaging: Fawcett T. Pattern Recognition Letters 2006;27:861-874, doi:10.1016/j.patrec.2005.10.010.
Davis J, Goadrich M. ICML 2006, doi:10.1145/1143844.1143874.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.verdicts import Scored

CurveKind = Literal["roc", "precision_recall"]

GRID_POINTS: Final = 201
"""Points of the common grid: every half per cent."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveBand:
    """Curves of one architecture and one class on a common grid.

    Parameters
    ----------
    kind : {'roc', 'precision_recall'}
    architecture, class_name : str
    grid : ndarray, shape (G,), float64
        False positive rate (ROC) or recall (precision-recall), 0 to 1.
    curves : ndarray, shape (R, G), float64
        True positive rate or precision of each run that has the curve.
    run_ids : tuple of str, length R
    areas : tuple of float, length R
        Area under the ROC curve, or average precision.
    prevalence : float or None
        Mean share of the class among what the runs tested: the precision of guessing.
    note : str or None
        Which runs have no curve.
    """

    kind: CurveKind
    architecture: str
    class_name: str
    grid: NDArray[np.float64]
    curves: NDArray[np.float64]
    run_ids: tuple[str, ...]
    areas: tuple[float, ...]
    prevalence: float | None
    note: str | None = None

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """Mean over the runs, shape (G,); None without a run."""
        return np.asarray(self.curves.mean(axis=0)) if len(self.curves) else None

    @property
    def band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Mean minus and plus one standard deviation over the runs (n − 1), between 0 and 1; None below two runs."""
        if self.mean is None or len(self.curves) < 2:
            return None
        scatter = self.curves.std(axis=0, ddof=1)
        return np.clip(self.mean - scatter, 0, 1), np.clip(self.mean + scatter, 0, 1)

    @property
    def mean_area(self) -> float | None:
        """Mean of the runs' areas, which is not quite the area under the mean curve."""
        return float(np.mean(self.areas)) if self.areas else None

    @property
    def sd_area(self) -> float | None:
        """Standard deviation of the runs' areas (n − 1); None below two runs."""
        return float(np.std(self.areas, ddof=1)) if len(self.areas) > 1 else None


def average_curves(
    scored: Scored, class_index: int, *, kind: CurveKind = "roc", points: int = GRID_POINTS
) -> dict[str, CurveBand]:
    """Average the curves of each architecture over its runs.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    class_index : int
    kind : {'roc', 'precision_recall'}
    points : int
        Of the grid.

    Returns
    -------
    dict of str to CurveBand
        By architecture, in the order of the runs.

    Raises
    ------
    EvaluationError
        Where there is no such class or kind.
    """
    if not 0 <= class_index < len(scored.classes) or kind not in ("roc", "precision_recall"):
        raise EvaluationError(
            f"There is no curve '{kind}' of class {class_index}: choose roc or precision_recall, and one of the "
            f"{len(scored.classes)} classes, counted from 0."
        )
    grid = np.linspace(0, 1, points)
    positive = scored.true_class == class_index
    scores = scored.probabilities[:, class_index]
    found: dict[str, list[tuple[str, NDArray[np.float64], float, float] | None]] = {}
    for place, run in enumerate(scored.runs):
        rows = scored.run == place
        found.setdefault(run.architecture, []).append(_curve(run.run_id, positive[rows], scores[rows], kind, grid))
    return {
        architecture: _band(kind, architecture, scored.classes[class_index], grid, curves)
        for architecture, curves in found.items()
    }


def roc_points(
    positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates, from (0, 0) to (1, 1), one point for each distinct score.

    Parameters
    ----------
    positive : ndarray, shape (n,), bool
        With at least one positive and one negative.
    scores : ndarray, shape (n,)
        A higher one speaks for a positive.
    """
    hits, alarms = _cumulate(positive, scores)
    return np.append(0.0, alarms / alarms[-1]), np.append(0.0, hits / hits[-1])


def precision_recall_points(
    positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall, one point for each distinct score, from the highest.

    Parameters
    ----------
    positive : ndarray, shape (n,), bool
        With at least one positive.
    scores : ndarray, shape (n,)
    """
    hits, alarms = _cumulate(positive, scores)
    return hits / (hits + alarms), hits / hits[-1]


def _cumulate(
    positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many positives and negatives score as high as each distinct score, from the highest."""
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), scores.size - 1)
    hits = np.cumsum(positive[order])[last_of_equals].astype(np.float64)
    return hits, last_of_equals + 1.0 - hits


def _curve(
    run_id: str,
    positive: NDArray[np.bool_],
    scores: NDArray[np.floating[Any]],
    kind: CurveKind,
    grid: NDArray[np.float64],
) -> tuple[str, NDArray[np.float64], float, float] | None:
    """Return a run's curve on the grid, its area and the share of positives; None where it has no curve."""
    if not positive.any() or (kind == "roc" and positive.all()):
        return None
    prevalence = float(positive.mean())
    if kind == "roc":
        x, y = roc_points(positive, scores)
        return run_id, _on_grid(x, y, grid), float(np.trapezoid(y, x)), prevalence
    precision, recall = precision_recall_points(positive, scores)
    # the step that holds at a recall is the first score that reaches it
    place = np.searchsorted(recall, np.maximum(grid - _ROUNDING, _ROUNDING))
    average_precision = float((np.diff(recall, prepend=0.0) * precision).sum())
    return run_id, precision[place], average_precision, prevalence


def _on_grid(x: NDArray[np.float64], y: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a rising curve on the grid: straight between its points, and its upper end where it rises upright."""
    before = np.searchsorted(x, grid + _ROUNDING, side="right") - 1
    after = np.minimum(before + 1, x.size - 1)
    width = x[after] - x[before]
    share = np.divide(grid - x[before], width, out=np.zeros_like(grid), where=width > 0)
    return np.asarray(y[before] + np.clip(share, 0, 1) * (y[after] - y[before]))


def _band(
    kind: CurveKind,
    architecture: str,
    class_name: str,
    grid: NDArray[np.float64],
    curves: list[tuple[str, NDArray[np.float64], float, float] | None],
) -> CurveBand:
    present = [curve for curve in curves if curve is not None]
    missing = len(curves) - len(present)
    lack = f"no {class_name}" if kind == "precision_recall" else f"no {class_name}, or nothing else"
    return CurveBand(
        kind=kind,
        architecture=architecture,
        class_name=class_name,
        grid=grid,
        curves=np.array([curve[1] for curve in present]).reshape(len(present), grid.size),
        run_ids=tuple(curve[0] for curve in present),
        areas=tuple(curve[2] for curve in present),
        prevalence=float(np.mean([curve[3] for curve in present])) if present else None,
        note=f"{missing} of {len(curves)} runs have no curve: they tested {lack}." if missing else None,
    )
