"""Choose the cases of a reading session, and for each the network whose answer is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import select

from brainmri.errors import TeachingError
from brainmri.evaluation.case_verdicts import CaseVerdict, verdicts_on_case
from brainmri.evaluation.loading import load_predictions
from brainmri.evaluation.verdicts import Verdicts, verdicts_by_case
from brainmri.intake.records import Case
from brainmri.review.filters import Filter
from brainmri.review.worklist import read_worklist
from brainmri.study import Study
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis

ANY: Final = Filter()


@dataclass(frozen=True, kw_only=True)
class ChosenCase:
    """A case for a session.

    Parameters
    ----------
    case_id, diagnosis : str
    run_id : str or None
        A run that tested the case; None where the session has no experiment.
    network_right : bool or None
        Whether that run is right; None without a run.
    note : str
        To be said with the pathology.
    """

    case_id: str
    diagnosis: str
    run_id: str | None = None
    network_right: bool | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What cases are wanted.

    Parameters
    ----------
    count : int
        How many.
    chosen : Filter
        Of the worklist; only with an experiment.
    diagnoses : tuple of str
        Only of these.
    only_errors : bool
        Only cases that at least one run took for something else; the network shown is one that was wrong.
    balanced : bool
        As many of each diagnosis as there can be.
    seed : int
        Of the draw.
    """

    count: int
    chosen: Filter = ANY
    diagnoses: tuple[str, ...] = TRAINED_DIAGNOSES
    only_errors: bool = False
    balanced: bool = False
    seed: int = 0


def choose_cases(study: Study, experiment_id: str | None, wish: Wish) -> tuple[ChosenCase, ...]:
    """Draw cases by chance among those that fit a wish.

    Parameters
    ----------
    study : Study
    experiment_id : str or None
        Whose networks tested the cases; None: no network, and all labelled cases that are not left out of the study.
    wish : Wish

    Returns
    -------
    tuple of ChosenCase
        Shuffled. As many as there are where there are fewer than wanted.

    Raises
    ------
    TeachingError
        Where no case fits, or the wish needs an experiment.
    """
    if wish.count < 1:
        raise TeachingError(f"A session has one case or more; found {wish.count}.")
    diagnoses, verdicts = _candidates(study, experiment_id, wish)
    if not diagnoses:
        raise TeachingError("No case fits what was chosen. Loosen the choice.")
    draw = np.random.default_rng(wish.seed)
    names = _draw(diagnoses, wish, draw)
    return tuple(_with_network(name, diagnoses[name], verdicts, wish.only_errors, draw) for name in names)


def take_cases(
    study: Study, experiment_id: str | None, case_ids: Sequence[str], *, seed: int = 0
) -> tuple[ChosenCase, ...]:
    """Take cases by hand, in the order given.

    Raises
    ------
    TeachingError
        Where a case does not exist, has no label, is named twice, or was tested by no run of the experiment.
    """
    with study.session() as session:
        labels = {case.case_id: case.diagnosis for case in session.scalars(select(Case))}
    twice = sorted({name for name in case_ids if list(case_ids).count(name) > 1})
    if twice:
        raise TeachingError(f"{', '.join(twice)} was named twice. A session shows a case once.")
    verdicts = _read_verdicts(study, experiment_id)
    draw = np.random.default_rng(seed)
    taken = []
    for name in case_ids:
        label = labels.get(name)
        if label is None:
            what = "has no diagnosis" if name in labels else "is no case of this study"
            raise TeachingError(f"{name} {what}. Take it out of the list.")
        if verdicts is not None and name not in verdicts.case_ids:
            raise TeachingError(f"No network of {experiment_id} was tested on {name}. Take it out of the list.")
        taken.append(_with_network(name, label, verdicts, False, draw))
    return tuple(taken)


def describe_choice(cases: Sequence[ChosenCase]) -> str:
    """Return for example ``12 cases: 4 Glioblastoma, 4 PCNSL, 4 Meningioma; the network is wrong in 5``."""
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.diagnosis] = counts.get(case.diagnosis, 0) + 1
    listed = ", ".join(f"{number} {display_diagnosis(name)}" for name, number in sorted(counts.items()))
    wrong = sum(case.network_right is False for case in cases)
    network = f"; the network is wrong in {wrong}" if any(case.run_id for case in cases) else ""
    return f"{len(cases)} case{'s' if len(cases) != 1 else ''}: {listed}{network}"


def _candidates(study: Study, experiment_id: str | None, wish: Wish) -> tuple[dict[str, str], Verdicts | None]:
    """Return the diagnoses of the cases that fit, by case, and the verdicts of all runs."""
    if experiment_id is None:
        if wish.only_errors or wish.chosen != ANY:
            raise TeachingError("The network's errors, and the worklist, need an experiment. Choose one.")
        with study.session() as session:
            rows = session.scalars(select(Case).where(Case.excluded.is_(False)).order_by(Case.case_id))
            return {row.case_id: row.diagnosis for row in rows if row.diagnosis in wish.diagnoses}, None
    rows_of_work = read_worklist(study, experiment_id).select(wish.chosen).rows
    fitting = {
        row.case_id: row.diagnosis
        for row in rows_of_work
        if row.diagnosis in wish.diagnoses and (row.wrong or not wish.only_errors)
    }
    return fitting, _read_verdicts(study, experiment_id)


def _read_verdicts(study: Study, experiment_id: str | None) -> Verdicts | None:
    return None if experiment_id is None else verdicts_by_case(load_predictions(study, experiment_id))


def _draw(diagnoses: Mapping[str, str], wish: Wish, draw: np.random.Generator) -> list[str]:
    """Return as many cases as wanted, shuffled."""
    names = [str(name) for name in draw.permutation(sorted(diagnoses))]
    if wish.balanced:
        queues = {label: [name for name in names if diagnoses[name] == label] for label in set(diagnoses.values())}
        names = [queue[turn] for turn in range(len(names)) for queue in queues.values() if turn < len(queue)]
    return [str(name) for name in draw.permutation(names[: wish.count])]


def _with_network(
    case_id: str, diagnosis: str, verdicts: Verdicts | None, only_errors: bool, draw: np.random.Generator
) -> ChosenCase:
    """Return a case with a run that tested it, drawn by chance: neither the best nor the worst one."""
    if verdicts is None:
        return ChosenCase(case_id=case_id, diagnosis=diagnosis)
    runs: Sequence[CaseVerdict] = verdicts_on_case(verdicts, case_id).verdicts
    fitting = [one for one in runs if not (only_errors and one.is_right)]
    run = fitting[int(draw.integers(len(fitting)))]
    return ChosenCase(case_id=case_id, diagnosis=diagnosis, run_id=run.run_id, network_right=run.is_right)
