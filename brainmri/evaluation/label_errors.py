"""Suspected label errors by confident learning: cases whose diagnosis is worth a second look.

For each class the networks' mean probability of it over the cases that carry its label is a threshold: how sure they
usually are where the label says so. A case counts for the class, among those whose threshold its probability reaches,
that is likeliest. Where this is not the class of its label, the label is suspected. Probabilities are out of sample:
means over the runs that tested the case and had not trained on it. A suspicion says that the networks, together, see
another diagnosis; they may be wrong, and the label stays as it is.

References
----------
Confident learning, thresholds in equation 2, the confident joint and its off-diagonals (method 2): Northcutt CG, Jiang
L, Chuang IL. J Artif Intell Res 2021;70:1373-1411, doi:10.1613/jair.1.12125.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.loading import ExperimentPredictions
from brainmri.evaluation.verdicts import verdicts_by_case

TOLERANCE: Final = 1e-6
"""By how much a probability may miss a threshold: networks compute in single precision."""

FEW_CASES: Final = 10
"""Below this number of tested cases of a class, its threshold hangs on single cases: a note says so."""

SECOND_LOOK: Final = "worth a second look"
"""What pages call a suspected label: never wrong."""


@dataclass(frozen=True, kw_only=True)
class CaseLabel:
    """The label of one case, as the networks that tested it see it.

    Parameters
    ----------
    case_id : str
    given : str
        Diagnosis that the case carries.
    suggested : str or None
        Another diagnosis that the networks are confident of; None where the label is not suspected.
    self_confidence : float
        Mean probability of the given diagnosis over the runs, 0 to 1.
    suggested_confidence : float or None
        That of the suggested one.
    runs : int
        Runs that tested the case.
    """

    case_id: str
    given: str
    suggested: str | None
    self_confidence: float
    suggested_confidence: float | None
    runs: int

    @property
    def suspected(self) -> bool:
        """Whether the label is worth a second look."""
        return self.suggested is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelErrors:
    """What confident learning finds among the tested cases.

    Parameters
    ----------
    cases : tuple of CaseLabel
        Suspected ones first, then by self-confidence, the lowest first.
    thresholds : dict of str to float
        By class, without those of which no case was tested.
    confident_joint : ndarray, shape (K, K), int
        Cases by given class (row) and the class that they count for (column).
    notes : tuple of str
    """

    cases: tuple[CaseLabel, ...]
    thresholds: dict[str, float]
    confident_joint: NDArray[np.intp]
    notes: tuple[str, ...] = ()

    @property
    def suspected(self) -> tuple[CaseLabel, ...]:
        """The cases whose label is worth a second look, that of the lowest self-confidence first."""
        return tuple(case for case in self.cases if case.suspected)


def find_label_errors(predictions: ExperimentPredictions, *, out_of_sample: bool = True) -> LabelErrors:
    """Look for cases whose label the networks confidently contradict.

    Parameters
    ----------
    predictions : ExperimentPredictions
        Of test images.
    out_of_sample : bool
        False where the splits divided images, so that networks had seen other slices of a case with its label: a note
        says what follows.
    """
    verdicts = verdicts_by_case(predictions)
    tested, column = np.unique(verdicts.case, return_inverse=True)
    runs = np.bincount(column, minlength=tested.size)
    sums = np.zeros((tested.size, len(predictions.classes)))
    np.add.at(sums, column, verdicts.probabilities)
    probabilities = sums / runs[:, None]
    given = np.zeros(tested.size, dtype=np.intp)
    given[column] = verdicts.true_class
    thresholds = class_thresholds(probabilities, given)
    confident = confident_classes(probabilities, thresholds)
    counted = confident >= 0
    joint = np.zeros((len(predictions.classes),) * 2, dtype=np.intp)
    np.add.at(joint, (given[counted], confident[counted]), 1)
    order = np.lexsort((probabilities[np.arange(tested.size), given], ~(counted & (confident != given))))
    return LabelErrors(
        cases=tuple(
            _label(predictions, int(tested[at]), int(given[at]), int(confident[at]), probabilities[at], int(runs[at]))
            for at in order
        ),
        thresholds={
            name: float(threshold)
            for name, threshold in zip(predictions.classes, thresholds, strict=True)
            if np.isfinite(threshold)
        },
        confident_joint=joint,
        notes=_notes(predictions.classes, np.bincount(given, minlength=len(predictions.classes)), out_of_sample),
    )


def class_thresholds(probabilities: NDArray[np.float64], given: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return for each class the mean probability of it over the cases with its label.

    Parameters
    ----------
    probabilities : ndarray, shape (N, K), float64
    given : ndarray, shape (N,), int

    Returns
    -------
    ndarray, shape (K,), float64
        Infinite where no case has the label: nothing is counted for that class.
    """
    classes = probabilities.shape[1]
    counts = np.bincount(given, minlength=classes)
    sums = np.bincount(given, weights=probabilities[np.arange(given.size), given], minlength=classes)
    return np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)


def confident_classes(probabilities: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the class that each case counts for: the likeliest whose threshold it reaches, −1 for none."""
    reached = probabilities >= thresholds - TOLERANCE
    likeliest = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), likeliest, -1).astype(np.intp)


def _label(
    predictions: ExperimentPredictions,
    case: int,
    given: int,
    confident: int,
    probabilities: NDArray[np.float64],
    runs: int,
) -> CaseLabel:
    suspected = confident not in (-1, given)
    return CaseLabel(
        case_id=predictions.case_ids[case],
        given=predictions.classes[given],
        suggested=predictions.classes[confident] if suspected else None,
        self_confidence=float(probabilities[given]),
        suggested_confidence=float(probabilities[confident]) if suspected else None,
        runs=runs,
    )


def _notes(classes: Sequence[str], counts: NDArray[np.intp], out_of_sample: bool) -> tuple[str, ...]:
    notes = []
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    few = [f"{name} ({count})" for name, count in zip(classes, counts, strict=True) if 0 < count < FEW_CASES]
    if absent:
        notes.append(f"No case of {', '.join(absent)} was tested: no label is suspected to be one of them.")
    if few:
        notes.append(f"Few tested cases of {', '.join(few)}: what counts as sure for them hangs on single cases.")
    if not out_of_sample:
        notes.append(
            "The splits divided images: the networks had learnt the label of a case from its other slices, and so "
            "hardly contradict a wrong one. Look for label errors with splits of patients."
        )
    return tuple(notes)
