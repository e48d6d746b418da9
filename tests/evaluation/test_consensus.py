"""One answer of each architecture on each case, averaged over the repeats that all of them tested it in."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.consensus import find_consensus
from brainmri.evaluation.loading import select_runs
from brainmri.evaluation.verdicts import verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of


def test_probabilities_are_averaged_over_shared_repeats() -> None:
    rows = [
        (0, 0, 1, [0.6, 0.4, 0.0]),
        (1, 0, 1, [0.2, 0.8, 0.0]),
        (1, 1, 2, [0.2, 0.2, 0.6]),  # alexnet's second repeat alone tested case B
        (2, 0, 1, [0.1, 0.9, 0.0]),
        (3, 0, 1, [0.7, 0.3, 0.0]),
    ]
    predictions = predictions_of(rows, runs=("alexnet", "alexnet", "resnet50", "resnet50"))
    found = find_consensus(predictions)
    assert found.architectures == ("alexnet", "resnet50")
    assert found.case.tolist() == [0]
    assert found.repeats.tolist() == [2]
    np.testing.assert_allclose(found.probabilities, [[[0.4, 0.6, 0.0]], [[0.4, 0.6, 0.0]]], atol=1e-6)
    assert found.right.tolist() == [[True], [True]]
    alone = find_consensus(predictions, architectures=["alexnet"])
    assert alone.case.tolist() == [0, 1]
    assert alone.repeats.tolist() == [2, 1]


@pytest.mark.parametrize("level", ["image", "case"])
def test_the_consensus_agrees_with_a_loop(level: str) -> None:
    predictions = draw_predictions(repeats=4)
    found = find_consensus(predictions, level=level, rule="vote")
    scored = verdicts_by_case(predictions, rule="vote") if level == "case" else predictions
    units = scored.case if level == "case" else predictions.sample_index
    for place, unit in enumerate(np.unique(units)):
        for row, name in enumerate(found.architectures):
            mine = [i for i in np.flatnonzero(units == unit) if scored.runs[scored.run[i]].architecture == name]
            np.testing.assert_allclose(
                found.probabilities[row, place], scored.probabilities[mine].mean(axis=0), atol=1e-6
            )
            assert found.repeats[place] == len(mine)
            assert found.true_class[place] == scored.true_class[mine[0]]
            assert found.case[place] == scored.case[mine[0]]


def test_a_missing_run_takes_its_repeat_from_all() -> None:
    predictions = draw_predictions(repeats=3)
    whole = find_consensus(predictions)
    without = find_consensus(select_runs(predictions, [0, 1, 2, 3, 5]))
    times = dict(zip(whole.case.tolist(), whole.repeats.tolist(), strict=True))
    second = set(predictions.case[predictions.run == 1].tolist())
    expected = {case: count - (case in second) for case, count in times.items()}
    assert dict(zip(without.case.tolist(), without.repeats.tolist(), strict=True)) == {
        case: count for case, count in expected.items() if count
    }


def test_architectures_that_share_nothing_are_refused() -> None:
    predictions = draw_predictions(repeats=2)
    with pytest.raises(EvaluationError, match="No case was tested by alexnet and resnet50 in the same repeat"):
        find_consensus(select_runs(predictions, [0, 3]))
    with pytest.raises(EvaluationError, match="no finished runs of vgg16"):
        find_consensus(predictions, architectures=["alexnet", "vgg16"])
    with pytest.raises(EvaluationError, match="no finished runs of any architecture"):
        find_consensus(predictions_of([], runs=()))
