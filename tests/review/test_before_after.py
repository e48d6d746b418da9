"""Before and after a correction: worked out by hand, and against a published formula."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import ExperimentPredictions, PredictedRun
from brainmri.review.before_after import CaseChange, compare_before_after, read_before_after
from tests.evaluation.finished_experiment import add_experiment

CLASSES = ("glioblastoma", "PCNSL")
NAMES = ("exp-001", "exp-002")


def predictions_of(rows: list[tuple[int, str, int, float]]) -> ExperimentPredictions:
    """Return predictions of one network from rows of repeat, case, true class and probability of the first class."""
    cases = sorted({row[1] for row in rows})
    repeats = sorted({row[0] for row in rows})
    first = np.array([row[3] for row in rows])
    return ExperimentPredictions(
        classes=CLASSES,
        runs=tuple(PredictedRun(run_id=f"r{r}", architecture="resnet50", repeat=r) for r in repeats),
        case_ids=tuple(cases),
        run=np.array([repeats.index(row[0]) for row in rows]),
        case=np.array([cases.index(row[1]) for row in rows]),
        sample_index=np.arange(len(rows)),
        true_class=np.array([row[2] for row in rows]),
        predicted_class=(first < 0.5).astype(np.intp),
        probabilities=np.stack([first, 1 - first], axis=1),
    )


OLD = [
    (1, "a", 0, 0.4), (1, "b", 0, 0.2), (1, "gone", 1, 0.9),
    (2, "a", 0, 0.3), (2, "c", 1, 0.2), (2, "gone", 1, 0.9),
    (3, "b", 0, 0.3), (3, "c", 1, 0.6), (3, "gone", 1, 0.9),
]  # fmt: skip
NEW = [
    (1, "a", 0, 0.9), (1, "b", 1, 0.2),
    (2, "a", 0, 0.8), (2, "c", 1, 0.2),
    (3, "b", 1, 0.3), (3, "c", 1, 0.6),
]  # fmt: skip
"""Case b was relabelled, and its answers were right by the new label all along; the case 'gone' was left out."""


def test_both_are_measured_by_corrected_labels_on_shared_cases() -> None:
    found = compare_before_after(predictions_of(OLD), predictions_of(NEW), names=NAMES, test_fraction=0.3)
    assert found.cases == (
        CaseChange(case_id="a", diagnosis="glioblastoma", tested=2, wrong_before=2, wrong_after=0),
        CaseChange(case_id="b", diagnosis="PCNSL", tested=2, wrong_before=0, wrong_after=0),
        CaseChange(case_id="c", diagnosis="PCNSL", tested=2, wrong_before=1, wrong_after=1),
    )
    (network,) = found.networks
    differences = np.array([1.0 - 0.5, 1.0 - 0.5, 0.5 - 0.5])  # accuracy of each repeat
    assert network.splits.difference == pytest.approx(differences.mean())
    error = math.sqrt(differences.var(ddof=1) * (1 / 3 + 0.3 / 0.7))  # Nadeau and Bengio 2003
    assert network.splits.p == pytest.approx(2 * stats.t.sf(differences.mean() / error, 2))
    assert (network.cases.both_right, network.cases.only_a, network.cases.only_b, network.cases.both_wrong) == (
        2,
        1,
        0,
        0,
    )


def test_without_a_finished_repetition_there_is_nothing_to_compare() -> None:
    empty = replace(predictions_of(NEW[:1]), runs=(PredictedRun(run_id="x", architecture="alexnet", repeat=1),))
    with pytest.raises(EvaluationError, match="no verdict in common yet"):
        compare_before_after(predictions_of(OLD), empty, names=NAMES, test_fraction=0.3)


def test_other_diagnoses_cannot_be_compared() -> None:
    other = replace(predictions_of(NEW), classes=("glioblastoma", "meningioma"))
    with pytest.raises(EvaluationError, match="tell different diagnoses apart"):
        compare_before_after(predictions_of(OLD), other, names=NAMES, test_fraction=0.3)


def test_linked_experiments_are_read_from_the_study(study) -> None:
    from brainmri.training.records import Experiment

    add_experiment(study, repeats=4)
    add_experiment(study, repeats=4, experiment_id="exp-002")
    with pytest.raises(EvaluationError, match="exp-002 does not repeat another experiment"):
        read_before_after(study, "exp-002")
    with study.session() as session:
        session.get_one(Experiment, "exp-002").parent_id = "exp-001"
    found = read_before_after(study, "exp-002")
    assert (found.before, found.after, len(found.networks)) == ("exp-001", "exp-002", 3)
    assert all(one.wrong_before == one.wrong_after for one in found.cases)  # the same guesses in both
    assert {one.splits.difference for one in found.networks} == {0.0}
