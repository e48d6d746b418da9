"""Shapley values against games whose values are known, and how they are kept."""

from itertools import permutations

import numpy as np
import pytest

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.contributions import (
    Baseline,
    RunContributions,
    contributions_file,
    read_contributions,
    shapley_values,
    write_contributions,
)

RUN = "exp-001-alexnet-01"
CLASSES = ("glioblastoma", "PCNSL", "meningioma")


def test_the_glove_game():
    # Players 1 and 2 hold a left glove, player 3 a right one; a pair is worth 1. Known values 1/6, 1/6, 4/6.
    # (Shapley & Shubik 1969; https://en.wikipedia.org/wiki/Shapley_value#Glove_game)
    worth = [0, 0, 0, 0, 0, 1, 1, 1]  # none, 1, 2, 12, 3, 13, 23, 123
    np.testing.assert_allclose(shapley_values(worth), [1 / 6, 1 / 6, 4 / 6])


def test_a_game_worked_out_by_hand():
    # v(1) = 10, v(2) = 20, v(3) = 30, v(12) = 50, v(13) = 60, v(23) = 90, v(123) = 120, v(none) = 0.
    # Orders 123, 132, 213, 231, 312, 321 give player 1: 10, 10, 30, 30, 30, 30; player 2: 40, 60, 20, 20, 60, 60;
    # player 3: 70, 50, 70, 70, 30, 30.
    np.testing.assert_allclose(shapley_values([0, 10, 20, 50, 30, 60, 90, 120]), [140 / 6, 260 / 6, 320 / 6])


def by_orders(game, players):
    """Average what each player adds over all orders of joining: the definition."""
    added = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        present = 0
        for player in order:
            added[player] += game[present | 1 << player] - game[present]
            present |= 1 << player
    return added / len(orders)


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_values_are_those_of_all_orders_of_joining(players):
    games = np.random.default_rng(players).normal(size=(4, 2**players))
    found = shapley_values(games)
    np.testing.assert_allclose(found, [by_orders(game, players) for game in games])
    np.testing.assert_allclose(found.sum(axis=1), games[:, -1] - games[:, 0])


def test_a_number_of_coalitions_that_no_game_has_is_refused():
    with pytest.raises(ExplanationError, match="found 6 values"):
        shapley_values(np.zeros(6))


@pytest.fixture
def found():
    logits = np.random.default_rng(1).normal(size=(4, 2, 8, 3)).astype(np.float32)
    return RunContributions(
        classes=CLASSES,
        baseline=Baseline(name="other-patient", draws=2, seed=5),
        made_from=f"{RUN} then",
        sample_index=np.array([3, 5, 8, 9]),
        logits=logits,
    )


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_contributions_add_up_to_the_difference_of_the_scores(found, score):
    scores = found.logits.astype(float) if score == "logit" else softmax(found.logits.astype(float))
    for place, sample in enumerate(found.sample_index):
        for class_index in range(3):
            one = found.of(sample, class_index, score)
            full, empty = scores[place, :, 7, class_index].mean(), scores[place, :, 0, class_index].mean()
            assert (one.full, one.empty) == pytest.approx((full, empty))
            assert sum(one.values) == pytest.approx(full - empty, abs=1e-9)
            assert one.total == pytest.approx(full - empty, abs=1e-9)


def test_contributions_of_a_case_are_the_mean_over_its_slices(found):
    slices = [found.of(sample, 1) for sample in (3, 8, 9)]
    case = found.of((3, 8, 9), 1)
    np.testing.assert_allclose(case.values, np.mean([one.values for one in slices], axis=0))
    assert case.total == pytest.approx(np.mean([one.total for one in slices]))


@pytest.mark.parametrize(("sequence", "left"), [("T1", 6), ("T2", 5), ("T1c", 3)])
def test_a_missing_sequence_is_the_game_of_the_other_two(found, sequence, left):
    missing = found.without(5, sequence)
    expected = softmax(found.logits[1].astype(float)).mean(axis=0)
    np.testing.assert_allclose(missing.probabilities, expected[left])
    assert missing.predicted == CLASSES[expected[left].argmax()]
    assert missing.predicted_with_all == CLASSES[expected[7].argmax()]
    assert missing.changes_the_answer == (expected[left].argmax() != expected[7].argmax())


def test_what_is_not_there_is_refused(found):
    with pytest.raises(ExplanationError, match="did not test the sample 4"):
        found.of(4, 0)
    with pytest.raises(ExplanationError, match=r"did not test the sample \(none was named\)"):
        found.of([], 0)
    with pytest.raises(ExplanationError, match="no class 3"):
        found.of(3, 3)
    with pytest.raises(UsageError, match="no sequence 'FLAIR'; expected one of T1, T2, T1c"):
        found.without(3, "FLAIR")
    assert found.tested([3, 9])
    assert not found.tested([3, 4])


def test_contributions_in_every_image_are_those_of_each(found):
    np.testing.assert_allclose(found.every(2), [found.of(sample, 2).values for sample in found.sample_index])


def test_games_come_back_as_they_were_written(study, found):
    assert read_contributions(study, RUN, "other-patient") is None
    write_contributions(study, RUN, found)
    again = read_contributions(study, RUN, "other-patient")
    assert (again.classes, again.baseline, again.made_from) == (found.classes, found.baseline, found.made_from)
    np.testing.assert_array_equal(again.logits, found.logits)
    np.testing.assert_array_equal(again.sample_index, found.sample_index)
    assert read_contributions(study, RUN, "blurred") is None


def test_a_damaged_file_is_reported(study, found):
    write_contributions(study, RUN, found)
    path = study.run_folder(RUN) / contributions_file("other-patient")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ExplanationError, match=f"explain-all {RUN} --again"):
        read_contributions(study, RUN, "other-patient")


def test_a_record_says_what_it_means(found):
    text = found.of(3, 1).describe()
    assert "the score for PCNSL, in percentage points of probability" in text
    assert "the score for Glioblastoma" in found.of(3, 0).describe()
    assert "the mean over 2 drawn at random" in text
    assert "units of the logit" in found.of(3, 1, "logit").describe()
    assert Baseline(name="blurred", sigma_px=6.4).describe().endswith("(Gaussian, σ = 6.4 px)")
