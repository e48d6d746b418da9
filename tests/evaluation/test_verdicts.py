"""Verdicts on cases by each rule, on predictions small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.verdicts import score, verdicts_by_case
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of

# case A (glioblastoma): two images say PCNSL narrowly, one says glioblastoma clearly; case B (PCNSL): one image
ROWS = [
    (0, 0, 0, [0.45, 0.55, 0.00]),
    (0, 0, 0, [0.45, 0.55, 0.00]),
    (0, 0, 0, [0.90, 0.10, 0.00]),
    (0, 1, 1, [0.10, 0.80, 0.10]),
]


def test_by_mean_one_sure_image_outweighs_two_unsure_ones() -> None:
    verdicts = verdicts_by_case(predictions_of(ROWS))
    np.testing.assert_allclose(verdicts.probabilities, [[0.6, 0.4, 0.0], [0.1, 0.8, 0.1]], atol=1e-6)
    assert verdicts.predicted_class.tolist() == [0, 1]
    assert verdicts.images.tolist() == [3, 1]


def test_by_vote_two_unsure_images_outweigh_a_sure_one() -> None:
    verdicts = verdicts_by_case(predictions_of(ROWS), rule="vote")
    np.testing.assert_allclose(verdicts.probabilities, [[1 / 3, 2 / 3, 0], [0, 1, 0]], atol=1e-12)
    assert verdicts.predicted_class.tolist() == [1, 1]


def test_by_maximum_the_surest_image_speaks_for_the_case() -> None:
    verdicts = verdicts_by_case(predictions_of(ROWS), rule="maximum")
    np.testing.assert_allclose(verdicts.probabilities, [[0.9, 0.1, 0.0], [0.1, 0.8, 0.1]], atol=1e-6)
    assert verdicts.predicted_class.tolist() == [0, 1]


def test_the_mean_probability_decides_between_equal_votes() -> None:
    rows = [(0, 0, 2, [0.55, 0.45, 0.0]), (0, 0, 2, [0.1, 0.2, 0.7])]  # one vote each; the means are 0.325, 0.325, 0.35
    assert verdicts_by_case(predictions_of(rows), rule="vote").predicted_class.tolist() == [2]
    assert verdicts_by_case(predictions_of(rows[::-1]), rule="vote").predicted_class.tolist() == [2]


def test_the_mean_probability_decides_between_equally_sure_images() -> None:
    rows = [(0, 0, 1, [1.0, 0.0, 0.0]), (0, 0, 1, [0.0, 1.0, 0.0]), (0, 0, 1, [0.4, 0.5, 0.1])]
    assert verdicts_by_case(predictions_of(rows), rule="maximum").predicted_class.tolist() == [1]
    assert verdicts_by_case(predictions_of(rows[::-1]), rule="maximum").predicted_class.tolist() == [1]


@pytest.mark.parametrize("rule", ["mean", "vote", "maximum"])
def test_verdicts_agree_with_a_loop_over_runs_and_cases(rule: str) -> None:
    predictions = draw_predictions()
    verdicts = verdicts_by_case(predictions, rule=rule)
    pairs = sorted(set(zip(predictions.run.tolist(), predictions.case.tolist(), strict=True)))
    assert list(zip(verdicts.run.tolist(), verdicts.case.tolist(), strict=True)) == pairs
    for place, (run, case) in enumerate(pairs):
        images = predictions.probabilities[(predictions.run == run) & (predictions.case == case)].astype(float)
        expected = {
            "mean": images.mean(axis=0),
            "vote": np.bincount(images.argmax(axis=1), minlength=3) / len(images),
            "maximum": images[images.max(axis=1).argmax()],
        }[rule]
        np.testing.assert_allclose(verdicts.probabilities[place], expected, atol=1e-12)
        assert verdicts.images[place] == len(images)


def test_one_image_a_case_gives_the_same_verdict_by_every_rule() -> None:
    predictions = draw_predictions(slices=1)
    found = [verdicts_by_case(predictions, rule=rule).predicted_class for rule in ("mean", "vote", "maximum")]
    np.testing.assert_array_equal(found[0], predictions.predicted_class)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


@pytest.mark.parametrize("rule", ["mean", "vote", "maximum"])
def test_no_prediction_gives_no_verdict(rule: str) -> None:
    verdicts = verdicts_by_case(predictions_of([]), rule=rule)
    assert verdicts.predicted_class.shape == (0,)
    assert verdicts.probabilities.shape == (0, 3)


def test_an_unknown_rule_is_answered_with_those_that_exist() -> None:
    with pytest.raises(EvaluationError, match=r"no rule 'median' for verdicts\. Choose mean, vote, maximum"):
        verdicts_by_case(predictions_of(ROWS), rule="median")


def test_a_level_chooses_what_is_counted() -> None:
    predictions = predictions_of(ROWS)
    assert score(predictions) is predictions
    assert score(predictions, level="case", rule="vote").predicted_class.tolist() == [1, 1]
