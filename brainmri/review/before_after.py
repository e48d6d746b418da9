"""What corrections changed: two linked experiments on the same patients, before and after, overall and case by case.

Both are measured by the corrected diagnoses, and on the verdicts that both have: the same network, repeat and case. A
case that was left out counts in neither, so that leaving out hard cases alone improves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_tests import McNemar, mcnemar
from brainmri.evaluation.loading import ExperimentPredictions, load_predictions
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import CorrectedPair, corrected_t
from brainmri.evaluation.verdicts import VerdictRule, Verdicts, verdicts_by_case
from brainmri.study import Study
from brainmri.training.experiments import read_experiment
from brainmri.training.settings import TrainingSettings

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """One case before and after.

    Parameters
    ----------
    case_id, diagnosis : str
        The corrected one.
    tested : int
        Verdicts that both experiments have of it.
    wrong_before, wrong_after : int
        Those that were wrong.
    """

    case_id: str
    diagnosis: str
    tested: int
    wrong_before: int
    wrong_after: int


@dataclass(frozen=True, kw_only=True)
class NetworkChange:
    """One architecture before and after.

    Parameters
    ----------
    architecture : str
    splits : CorrectedPair
        Corrected resampled t-test of the accuracy on cases, after − before, split by split.
    cases : McNemar
        On the cases: each once, by its probabilities averaged over the repeats.
    """

    architecture: str
    splits: CorrectedPair
    cases: McNemar


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """Two linked experiments.

    Parameters
    ----------
    before, after : str
        Experiments.
    networks : tuple of NetworkChange
    cases : tuple of CaseChange
        Those that changed most come first.
    """

    before: str
    after: str
    networks: tuple[NetworkChange, ...]
    cases: tuple[CaseChange, ...]


@dataclass(frozen=True)
class _Shared:
    """Verdicts that both have, as columns: network, repeat, case, truth, and for either its class and probabilities."""

    architectures: tuple[str, ...]
    classes: tuple[str, ...]
    network: NDArray[np.intp]
    repeat: NDArray[np.intp]
    case_ids: NDArray[np.str_]
    truth: NDArray[np.intp]
    right: dict[str, NDArray[np.bool_]]
    probabilities: dict[str, NDArray[np.floating[Any]]]


def read_before_after(study: Study, experiment_id: str, *, rule: VerdictRule = "mean") -> BeforeAfter:
    """Compare an experiment with the one that it repeats on corrected samples.

    Raises
    ------
    EvaluationError
        Where it repeats none, or the two share no verdict yet.
    """
    parent_id = read_experiment(study, experiment_id).parent_id
    if parent_id is None:
        raise EvaluationError(f"{experiment_id} does not repeat another experiment. Choose one made by 'retrain'.")
    settings = TrainingSettings.from_dict(read_experiment(study, experiment_id).settings)
    return compare_before_after(
        load_predictions(study, parent_id),
        load_predictions(study, experiment_id),
        names=(parent_id, experiment_id),
        test_fraction=settings.test_fraction,
        rule=rule,
    )


def compare_before_after(
    before: ExperimentPredictions,
    after: ExperimentPredictions,
    *,
    names: tuple[str, str],
    test_fraction: float,
    rule: VerdictRule = "mean",
) -> BeforeAfter:
    """Compare the verdicts that two experiments with the same splits of patients have in common.

    Raises
    ------
    EvaluationError
        Where they tell different diagnoses apart or share no verdict.
    """
    if before.classes != after.classes:
        raise EvaluationError(f"{names[0]} and {names[1]} tell different diagnoses apart: nothing can be compared.")
    shared = _share(verdicts_by_case(before, rule=rule), verdicts_by_case(after, rule=rule))
    if not shared.truth.size:
        raise EvaluationError(
            f"{names[0]} and {names[1]} have no verdict in common yet: wait for a run of {names[1]} to finish."
        )
    networks = tuple(
        NetworkChange(
            architecture=name,
            splits=_compare_splits(shared, number, test_fraction),
            cases=_compare_cases(shared, number),
        )
        for number, name in enumerate(shared.architectures)
        if (shared.network == number).any()
    )
    return BeforeAfter(before=names[0], after=names[1], networks=networks, cases=_case_changes(shared))


def _share(before: Verdicts, after: Verdicts) -> _Shared:
    """Find the verdicts that both have; the truth is that of the later one."""
    places = {key: row for row, key in enumerate(_keys(before))}
    pairs = [(places[key], row, key) for row, key in enumerate(_keys(after)) if key in places]
    old = np.array([pair[0] for pair in pairs], dtype=np.intp)
    new = np.array([pair[1] for pair in pairs], dtype=np.intp)
    architectures = tuple(dict.fromkeys(run.architecture for run in after.runs))
    truth = after.true_class[new]
    return _Shared(
        architectures,
        after.classes,
        np.array([architectures.index(key[0]) for *_rows, key in pairs], dtype=np.intp),
        np.array([key[1] for *_rows, key in pairs], dtype=np.intp),
        np.array([key[2] for *_rows, key in pairs], dtype=np.str_),
        truth,
        {BEFORE: before.predicted_class[old] == truth, AFTER: after.predicted_class[new] == truth},
        {BEFORE: before.probabilities[old], AFTER: after.probabilities[new]},
    )


def _keys(verdicts: Verdicts) -> list[tuple[str, int, str]]:
    runs = [(run.architecture, run.repeat) for run in verdicts.runs]
    return [(*runs[run], verdicts.case_ids[case]) for run, case in zip(verdicts.run, verdicts.case, strict=True)]


def _compare_splits(shared: _Shared, network: int, test_fraction: float) -> CorrectedPair:
    """Test the accuracies of the repeats in pairs."""
    own = shared.network == network
    repeats = np.unique(shared.repeat[own])
    columns = {
        side: [float(shared.right[side][own & (shared.repeat == repeat)].mean()) for repeat in repeats]
        for side in (AFTER, BEFORE)
    }
    return corrected_t(Repeats.of(columns), test_fraction=test_fraction)[0]


def _compare_cases(shared: _Shared, network: int) -> McNemar:
    """Test the cases in pairs, each by its mean probabilities."""
    own = shared.network == network
    names, first, place = np.unique(shared.case_ids[own], return_index=True, return_inverse=True)
    right = {}
    for side in (AFTER, BEFORE):
        sums = np.zeros((names.size, len(shared.classes)))
        np.add.at(sums, place, shared.probabilities[side][own])
        right[side] = sums.argmax(axis=1) == shared.truth[own][first]
    return mcnemar(right[AFTER], right[BEFORE], names=(AFTER, BEFORE))


def _case_changes(shared: _Shared) -> tuple[CaseChange, ...]:
    names, first, place = np.unique(shared.case_ids, return_index=True, return_inverse=True)
    tested = np.bincount(place)
    wrong = {side: np.bincount(place, ~shared.right[side]).astype(int) for side in (BEFORE, AFTER)}
    rows = [
        CaseChange(
            case_id=str(name),
            diagnosis=shared.classes[int(shared.truth[first[i]])],
            tested=int(tested[i]),
            wrong_before=int(wrong[BEFORE][i]),
            wrong_after=int(wrong[AFTER][i]),
        )
        for i, name in enumerate(names)
    ]
    return tuple(sorted(rows, key=lambda row: (-abs(row.wrong_before - row.wrong_after) / row.tested, row.case_id)))
