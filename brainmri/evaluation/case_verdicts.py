"""What every run that tested one case says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import ExperimentPredictions
from brainmri.evaluation.verdicts import VerdictRule, Verdicts, verdicts_by_case


@dataclass(frozen=True, kw_only=True)
class CaseVerdict:
    """One run's verdict on the case.

    Parameters
    ----------
    run_id, architecture : str
    repeat : int
        From 1.
    diagnosis : str
        What the run takes the case for.
    probability : float
        That it gives to this diagnosis, 0 to 1.
    is_right : bool
    """

    run_id: str
    architecture: str
    repeat: int
    diagnosis: str
    probability: float
    is_right: bool


@dataclass(frozen=True, kw_only=True)
class CaseVerdicts:
    """The verdicts of all runs that tested a case.

    Parameters
    ----------
    case_id : str
    diagnosis : str
        The pathology.
    architectures : tuple of str
    repeats : tuple of int
        Of all finished runs, also of those that trained on the case.
    verdicts : tuple of CaseVerdict
        By architecture and repeat.
    """

    case_id: str
    diagnosis: str
    architectures: tuple[str, ...]
    repeats: tuple[int, ...]
    verdicts: tuple[CaseVerdict, ...]

    def describe(self) -> str:
        """Return ``Wrong in 12 of the 30 runs that tested it``."""
        wrong, tested = sum(not one.is_right for one in self.verdicts), len(self.verdicts)
        if tested == 1:
            return f"{'Right' if not wrong else 'Wrong'} in the one run that tested it."
        if wrong in (0, tested):
            return f"{'Wrong' if wrong else 'Right'} in all {tested} runs that tested it."
        return f"Wrong in {wrong} of the {tested} runs that tested it."


def verdicts_on_case(
    predictions: ExperimentPredictions | Verdicts, case_id: str, *, rule: VerdictRule = "mean"
) -> CaseVerdicts:
    """Return what every run that tested a case says of it.

    Parameters
    ----------
    predictions : ExperimentPredictions or Verdicts
        Verdicts save the work of making them for every case that is opened.
    case_id : str
    rule : {'mean', 'vote', 'maximum'}
        For predictions.

    Raises
    ------
    EvaluationError
        Where no finished run tested the case.
    """
    verdicts = predictions if isinstance(predictions, Verdicts) else verdicts_by_case(predictions, rule=rule)
    place = verdicts.case_ids.index(case_id) if case_id in verdicts.case_ids else -1
    rows = np.flatnonzero(verdicts.case == place)
    if not len(rows):
        raise EvaluationError(f"No finished run tested {case_id}: it was trained on in all, or is not in the data set.")
    true_class = int(verdicts.true_class[rows[0]])
    return CaseVerdicts(
        case_id=case_id,
        diagnosis=verdicts.classes[true_class],
        architectures=tuple(dict.fromkeys(run.architecture for run in verdicts.runs)),
        repeats=tuple(sorted({run.repeat for run in verdicts.runs})),
        verdicts=tuple(_verdict(verdicts, int(row), true_class) for row in rows),
    )


def _verdict(verdicts: Verdicts, row: int, true_class: int) -> CaseVerdict:
    run, predicted = verdicts.runs[verdicts.run[row]], int(verdicts.predicted_class[row])
    return CaseVerdict(
        run_id=run.run_id,
        architecture=run.architecture,
        repeat=run.repeat,
        diagnosis=verdicts.classes[predicted],
        probability=float(verdicts.probabilities[row, predicted]),
        is_right=predicted == true_class,
    )
