"""Confusion matrices over repeats, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from brainmri.evaluation.confusion import Confusion, count_confusions, list_cells
from brainmri.evaluation.verdicts import score, verdicts_by_case
from tests.evaluation.drawn_predictions import CLASSES, draw_predictions, predictions_of

ROWS = [
    # alexnet: two images of A (glioblastoma) say PCNSL, one says glioblastoma clearly; B (PCNSL) is right
    (0, 0, 0, [0.45, 0.55, 0.00]),
    (0, 0, 0, [0.45, 0.55, 0.00]),
    (0, 0, 0, [0.90, 0.10, 0.00]),
    (0, 1, 1, [0.10, 0.80, 0.10]),
    # resnet50: A is taken for meningioma but for one image, B for glioblastoma
    (1, 0, 0, [0.20, 0.10, 0.70]),
    (1, 0, 0, [0.30, 0.10, 0.60]),
    (1, 0, 0, [0.40, 0.30, 0.30]),
    (1, 1, 1, [0.50, 0.40, 0.10]),
]


def of_counts(*counts) -> Confusion:
    return Confusion(architecture="alexnet", classes=("a", "b"), counts=np.array(counts))


def test_counts_have_the_true_class_in_rows() -> None:
    predictions = predictions_of(ROWS, runs=("alexnet", "resnet50"))
    images = count_confusions(predictions)
    assert images["alexnet"].counts.tolist() == [[[1, 2, 0], [0, 1, 0], [0, 0, 0]]]
    assert images["resnet50"].counts.tolist() == [[[1, 0, 2], [1, 0, 0], [0, 0, 0]]]
    cases = count_confusions(predictions, level="case")
    assert cases["alexnet"].counts.tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 0]]]
    assert cases["resnet50"].counts.tolist() == [[[0, 0, 1], [1, 0, 0], [0, 0, 0]]]
    by_vote = count_confusions(predictions, level="case", rule="vote")
    assert by_vote["alexnet"].counts.tolist() == [[[0, 1, 0], [0, 1, 0], [0, 0, 0]]]


@pytest.mark.parametrize("level", ["image", "case"])
def test_counts_agree_with_scikit_learn(level: str) -> None:
    predictions = draw_predictions(repeats=3)
    scored = score(predictions, level=level)
    found = count_confusions(predictions, level=level)
    for place, run in enumerate(predictions.runs):
        rows = scored.run == place
        expected = confusion_matrix(scored.true_class[rows], scored.predicted_class[rows], labels=[0, 1, 2])
        np.testing.assert_array_equal(found[run.architecture].counts[run.repeat - 1], expected)


def test_mean_and_scatter_are_over_repeats() -> None:
    confusion = of_counts([[8, 2], [1, 9]], [[6, 4], [3, 7]], [[10, 0], [2, 8]])
    np.testing.assert_allclose(confusion.mean_counts, [[8, 2], [2, 8]])
    np.testing.assert_allclose(confusion.sd_counts, [[2, 2], [1, 1]])
    np.testing.assert_allclose(confusion.mean_row_shares, [[0.8, 0.2], [0.2, 0.8]])
    np.testing.assert_allclose(confusion.sd_row_shares, [[0.2, 0.2], [0.1, 0.1]])


def test_pooled_row_shares_weigh_runs_by_their_images() -> None:
    confusion = of_counts([[1, 1], [0, 1]], [[8, 0], [0, 1]])
    np.testing.assert_allclose(confusion.row_shares[0], [0.9, 0.1])
    np.testing.assert_allclose(confusion.mean_row_shares[0], [0.75, 0.25])


def test_a_class_that_some_runs_did_not_test_is_averaged_over_the_others() -> None:
    confusion = of_counts([[4, 0], [0, 0]], [[2, 2], [1, 3]], [[4, 0], [3, 1]])
    np.testing.assert_allclose(confusion.mean_row_shares[1], [0.5, 0.5])
    np.testing.assert_allclose(confusion.sd_row_shares[1], [np.sqrt(0.125)] * 2)


def test_a_class_that_was_never_tested_is_blank() -> None:
    confusion = of_counts([[4, 0], [0, 0]], [[2, 2], [0, 0]])
    for shares in (confusion.row_shares, confusion.mean_row_shares, confusion.sd_row_shares):
        assert np.isnan(shares[1]).all()
        assert np.isfinite(shares[0]).all()


def test_one_repeat_has_no_scatter() -> None:
    confusion = of_counts([[8, 2], [1, 9]])
    assert confusion.sd_counts is None
    assert confusion.sd_row_shares is None


def test_each_cell_names_its_cases_and_their_runs() -> None:
    predictions = predictions_of(
        [(0, 0, 0, [0.1, 0.9, 0]), (0, 0, 0, [0.2, 0.8, 0]), (0, 1, 0, [0.3, 0.7, 0]), (1, 0, 0, [0.4, 0.6, 0])],
        runs=("alexnet", "alexnet"),
    )
    cell = list_cells(predictions, "alexnet")[0, 1]
    assert (cell.true, cell.predicted, cell.times) == ("glioblastoma", "PCNSL", 4)
    assert [(case.case_id, case.times, case.run_ids) for case in cell.cases] == [
        ("A", 3, ("alexnet-1", "alexnet-2")),
        ("B", 1, ("alexnet-1",)),
    ]
    of_verdicts = list_cells(verdicts_by_case(predictions), "alexnet")[0, 1]
    assert [(case.case_id, case.times) for case in of_verdicts.cases] == [("A", 2), ("B", 1)]


def test_the_cells_hold_what_the_matrix_counts() -> None:
    predictions = draw_predictions(repeats=3)
    pooled = count_confusions(predictions)["resnet50"].counts.sum(axis=0)
    cells = list_cells(predictions, "resnet50")
    assert {place: cell.times for place, cell in cells.items()} == dict(np.ndenumerate(pooled))


def test_an_architecture_without_predictions_has_empty_cells() -> None:
    cells = list_cells(draw_predictions(), "vgg16")
    assert len(cells) == 9
    assert all(cell.cases == () for cell in cells.values())
    empty = count_confusions(predictions_of([]))["alexnet"]
    assert empty.counts.shape == (1, len(CLASSES), len(CLASSES))
    assert empty.counts.sum() == 0
