"""The case table: how often each case was wrong, with which network, and what kind of case that makes it."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.difficulty import CaseErrors, CaseRow, count_difficulties, tabulate_cases
from brainmri.evaluation.metrics import case_accuracies
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of
from tests.evaluation.test_confusion import ROWS


def row(**wrong_of_tested: tuple[int, int]) -> CaseRow:
    """Return a case of which each network was wrong in some of its runs."""
    parts = tuple(CaseErrors(architecture=name, wrong=w, tested=n) for name, (w, n) in wrong_of_tested.items())
    return CaseRow(
        case_id="A",
        diagnosis="PCNSL",
        tested=sum(part.tested for part in parts),
        wrong=sum(part.wrong for part in parts),
        mean_true_probability=0.5,
        taken_for=None,
        by_architecture=parts,
        example_run_id="alexnet-1",
    )


def test_the_hardest_case_comes_first() -> None:
    table = tabulate_cases(predictions_of(ROWS, runs=("alexnet", "resnet50")))
    assert [case.case_id for case in table] == ["A", "B"]  # both wrong in one of two runs; A's truth gets 0.45, B's 0.6
    case = table[0]
    assert (case.diagnosis, case.tested, case.wrong, case.taken_for) == ("glioblastoma", 2, 1, "meningioma")
    assert case.mean_true_probability == pytest.approx((0.6 + 0.3) / 2)
    assert [(part.architecture, part.tested, part.wrong) for part in case.by_architecture] == [
        ("alexnet", 1, 0),
        ("resnet50", 1, 1),
    ]


def test_the_example_to_look_at_is_a_wrong_run() -> None:
    table = tabulate_cases(predictions_of(ROWS, runs=("alexnet", "resnet50")))
    assert [case.example_run_id for case in table] == ["resnet50-1", "resnet50-1"]


def test_another_rule_makes_other_verdicts_wrong() -> None:
    table = tabulate_cases(predictions_of(ROWS, runs=("alexnet", "resnet50")), rule="vote")
    assert [(case.case_id, case.wrong) for case in table] == [("A", 2), ("B", 1)]
    assert table[0].taken_for in ("PCNSL", "meningioma")
    assert table[0].difficulty == "always wrong"


def test_counts_agree_with_a_loop_over_verdicts() -> None:
    predictions = draw_predictions(repeats=5)
    verdicts = verdicts_by_case(predictions)
    table = {case.case_id: case for case in tabulate_cases(predictions)}
    assert sum(case.tested for case in table.values()) == verdicts.case.size
    for index in np.unique(verdicts.case):
        rows = np.flatnonzero(verdicts.case == index)
        case = table[predictions.case_ids[index]]
        assert case.wrong == sum(verdicts.true_class[r] != verdicts.predicted_class[r] for r in rows)
        assert case.mean_true_probability == pytest.approx(
            verdicts.probabilities[rows, verdicts.true_class[rows]].mean()
        )
        for part in case.by_architecture:
            mine = [r for r in rows if verdicts.runs[verdicts.run[r]].architecture == part.architecture]
            assert part.tested == len(mine)
            assert part.wrong == sum(verdicts.true_class[r] != verdicts.predicted_class[r] for r in mine)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (row(alexnet=(3, 3), resnet50=(2, 2)), "always wrong"),
        (row(alexnet=(0, 3), resnet50=(0, 2)), "always right"),
        (row(alexnet=(3, 3), resnet50=(0, 3)), "network-specific"),
        (row(alexnet=(2, 3), resnet50=(0, 3)), "network-specific"),
        (row(alexnet=(1, 3), resnet50=(0, 3)), "split-dependent"),
        (row(alexnet=(1, 2), resnet50=(0, 2)), "split-dependent"),  # exactly a half is not above a half
        (row(alexnet=(2, 4), resnet50=(2, 4)), "split-dependent"),
        (row(alexnet=(1, 1), resnet50=(0, 1)), "network-specific"),
        (row(alexnet=(1, 3)), "split-dependent"),
        (row(alexnet=(1, 3), resnet50=(0, 0)), "split-dependent"),  # a network that never tested the case says nothing
    ],
)
def test_a_case_is_of_one_kind(case: CaseRow, kind: str) -> None:
    assert case.difficulty == kind


def test_kinds_are_counted_the_hardest_first() -> None:
    rows = [row(alexnet=(0, 3)), row(alexnet=(3, 3)), row(alexnet=(0, 2))]
    assert list(count_difficulties(rows).items()) == [
        ("always wrong", 1),
        ("network-specific", 0),
        ("split-dependent", 0),
        ("always right", 2),
    ]


def test_accuracy_of_cases_is_by_run() -> None:
    predictions = predictions_of(ROWS, runs=("alexnet", "resnet50"))
    assert case_accuracies(predictions) == {"alexnet-1": 1.0, "resnet50-1": 0.0}
    assert case_accuracies(predictions, rule="vote") == {"alexnet-1": 0.5, "resnet50-1": 0.0}


def test_no_prediction_gives_empty_tables() -> None:
    assert tabulate_cases(predictions_of([])) == ()
    assert case_accuracies(predictions_of([])) == {}
    assert set(count_difficulties(()).values()) == {0}
