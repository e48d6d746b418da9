"""The score of one reader: alone, with the network, and what the network's help did.

Answers of one reader on different cases are taken as independent; each case counts once a step.

References
----------
Wilson EB. J Am Stat Assoc 1927;22:209-212, doi:10.1080/01621459.1927.10502953.
McNemar Q. Psychometrika 1947;12:153-157, doi:10.1007/BF02295996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_tests import McNemar, mcnemar
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.evaluation.wording import SIGNIFICANCE, format_p
from brainmri.teaching.answers import UNANSWERED, ReadAnswers, Step
from brainmri.teaching.confidence import (
    Calibration,
    ConfidenceAreas,
    chosen_confidence,
    measure_areas,
    measure_calibration,
)
from brainmri.teaching.reliance import Reliance, measure_reliance

SURE: Final = 0.8
"""Confidence from which on a wrong answer is one to talk about first."""

UNSURE: Final = 0.5
"""Confidence below which a right answer deserves a second look."""


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Sensitivity and specificity of a reader for one diagnosis against the rest, with Wilson intervals.

    Parameters
    ----------
    name : str
    sensitivity : ShareInterval
        Of the cases of this diagnosis, those called so; share None where none was answered.
    specificity : ShareInterval
        Of the other cases, those not called so.
    note : str or None
        Which of them is missing, and why.
    """

    name: str
    sensitivity: ShareInterval
    specificity: ShareInterval
    note: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class StepScore:
    """What a reader scored at one step.

    Parameters
    ----------
    step : {'alone', 'with network'}
    accuracy : ShareInterval
    classes : tuple of ClassScore
    confusion : ndarray, shape (K, K), int
        Row: pathology, column: answer.
    calibration : Calibration
    areas : ConfidenceAreas
    note : str or None
        Where nothing was answered.
    """

    step: Step
    accuracy: ShareInterval
    classes: tuple[ClassScore, ...]
    confusion: NDArray[np.intp]
    calibration: Calibration
    areas: ConfidenceAreas
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Help:
    """What seeing the network's answer changed.

    Parameters
    ----------
    cases : int
        Answered alone and with the network.
    helped, harmed : int
        Wrong alone and right with the network; right alone and wrong with it.
    changed : int
        Answers changed at all, from a wrong one to another wrong one included.
    test : McNemar
        With the network against alone; its exact p-value, and the interval of the difference.
    sentence : str
    """

    cases: int
    helped: int
    harmed: int
    changed: int
    test: McNemar
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CaseToSee:
    """A case that the reader should look at again, and why; the most instructive first."""

    case_id: str
    reason: str
    truth: str
    alone: str | None
    assisted: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ReaderScore:
    """All that a session says about one reader.

    Parameters
    ----------
    reader : str
    cases, answered : int
        Cases of the session, and those that the reader answered.
    alone, assisted : StepScore
    help : Help
    reliance : Reliance
    seconds : tuple of float or None
        Lower quartile, median and upper quartile of the time of a case.
    look_again : tuple of CaseToSee
    """

    reader: str
    cases: int
    answered: int
    alone: StepScore
    assisted: StepScore
    help: Help
    reliance: Reliance
    seconds: tuple[float, float, float] | None
    look_again: tuple[CaseToSee, ...]


def score_readers(answers: ReadAnswers) -> tuple[ReaderScore, ...]:
    """Return the score of every reader, in their order."""
    return tuple(score_reader(answers, reader) for reader in answers.readers)


def score_reader(answers: ReadAnswers, reader: str) -> ReaderScore:
    """Return the score of one reader.

    Raises
    ------
    EvaluationError
        When nobody of that name reads in the session.
    """
    row = answers.reader_index(reader)
    times = answers.seconds[row][~np.isnan(answers.seconds[row])]
    quartiles = tuple(float(q) for q in np.quantile(times, (0.25, 0.5, 0.75))) if times.size else None
    return ReaderScore(
        reader=reader,
        cases=len(answers.cases),
        answered=int((answers.alone[row] != UNANSWERED).sum()),
        alone=_score_step(answers, row, "alone"),
        assisted=_score_step(answers, row, "with network"),
        help=measure_help(answers.alone[row], answers.assisted[row], answers.truth),
        reliance=measure_reliance(answers.alone[row], answers.assisted[row], answers.network_answers(), answers.truth),
        seconds=(quartiles[0], quartiles[1], quartiles[2]) if quartiles else None,
        look_again=_cases_to_see(answers, row),
    )


def measure_help(alone: NDArray[np.intp], assisted: NDArray[np.intp], truth: NDArray[np.intp]) -> Help:
    """Count what changed when the network's answer was shown.

    Parameters
    ----------
    alone, assisted : ndarray, shape (n,), int
        Answers; -1 where not answered. Only cases answered twice count.
    truth : ndarray, shape (n,), int
    """
    both = (alone != UNANSWERED) & (assisted != UNANSWERED)
    first, second, true = alone[both], assisted[both], truth[both]
    test = mcnemar(second == true, first == true, names=("with the network", "alone"))
    return Help(
        cases=test.cases,
        helped=test.only_a,
        harmed=test.only_b,
        changed=int((first != second).sum()),
        test=test,
        sentence=_describe_help(test),
    )


def _score_step(answers: ReadAnswers, row: int, step: Step) -> StepScore:
    chosen, confidence, classes = answers.chosen(step)[row], answers.confidence(step)[row], answers.classes
    here = chosen != UNANSWERED
    confusion = np.zeros((len(classes), len(classes)), dtype=np.intp)
    np.add.at(confusion, (answers.truth[here], chosen[here]), 1)
    return StepScore(
        step=step,
        accuracy=share_interval(chosen[here] == answers.truth[here]),
        classes=tuple(_score_class(name, confusion, index) for index, name in enumerate(classes)),
        confusion=confusion,
        calibration=measure_calibration(chosen, confidence, answers.truth),
        areas=measure_areas(chosen, confidence, answers.truth, classes),
        note=None if here.any() else f"No case was answered {step if step == 'alone' else 'with the network'}.",
    )


def _score_class(name: str, confusion: NDArray[np.intp], index: int) -> ClassScore:
    of_class = int(confusion[index].sum())
    of_others = int(confusion.sum()) - of_class
    hits = int(confusion[index, index])
    alarms = int(confusion[:, index].sum()) - hits
    missing = []
    if not of_class:
        missing.append(f"No case of {name} was answered: there is no sensitivity.")
    if not of_others:
        missing.append(f"No case of another diagnosis than {name} was answered: there is no specificity.")
    return ClassScore(
        name=name,
        sensitivity=share_interval(np.arange(of_class) < hits),
        specificity=share_interval(np.arange(of_others) < of_others - alarms),
        note=" ".join(missing) or None,
    )


def _describe_help(test: McNemar) -> str:
    if not test.cases:
        return "No case was answered both alone and with the network: its help cannot be counted."
    counts = f"Of {test.cases} cases, the network helped in {test.only_a} and harmed in {test.only_b}"
    if test.p_exact is None:
        return f"{counts}: the same cases are right either way."
    beyond = "more than chance explains" if test.p_exact < SIGNIFICANCE else "no more than chance may explain"
    return f"{counts}: {beyond} (McNemar's exact test, {format_p(test.p_exact)})."


def _cases_to_see(answers: ReadAnswers, row: int) -> tuple[CaseToSee, ...]:
    alone, assisted, truth = answers.alone[row], answers.assisted[row], answers.truth
    sure = chosen_confidence(alone, answers.alone_confidence[row])
    found: list[tuple[int, int, str]] = []
    for case in np.flatnonzero(alone != UNANSWERED):
        first = bool(alone[case] == truth[case])
        second = first if assisted[case] == UNANSWERED else bool(assisted[case] == truth[case])
        rank_and_reason = _reason(first, second, float(sure[case]))
        if rank_and_reason is not None:
            found.append((rank_and_reason[0], int(case), rank_and_reason[1]))

    def name(place: int) -> str | None:
        return None if place == UNANSWERED else answers.classes[place]

    return tuple(
        CaseToSee(
            case_id=answers.cases[case],
            reason=reason,
            truth=answers.classes[truth[case]],
            alone=name(int(alone[case])),
            assisted=name(int(assisted[case])),
        )
        for _, case, reason in sorted(found)
    )


def _reason(first: bool, second: bool, sure: float) -> tuple[int, str] | None:
    """Return how urgent it is to look again and why; None where the answer was right and sure. ``sure`` may be nan."""
    if first and not second:
        return 0, "right alone, then changed to a wrong answer with the network"
    if not second:
        return (1, f"wrong with a confidence of {100 * sure:.0f} %") if sure >= SURE else (2, "wrong")
    if not first:
        return 3, "wrong alone, right with the network"
    return (4, f"right with a confidence of {100 * sure:.0f} % only") if sure < UNSURE else None
