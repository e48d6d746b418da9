from __future__ import annotations

import pytest

from brainmri.errors import TrainingError
from brainmri.training.bench.profile import OperatorShare, ProfileReport, rank_operators
from brainmri.training.bench.report import describe_profile


def test_operators_are_ranked_by_their_own_time():
    ranked = rank_operators((("relu", 7, 0.25), ("convolution", 5, 1.5), ("copy", 90, 0.25), ("view", 3, 0.0)))
    assert ranked[0] == OperatorShare("convolution", 5, 0.75)
    assert [one.share for one in ranked] == pytest.approx([0.75, 0.125, 0.125, 0.0])


def test_only_the_longest_are_listed_and_shares_are_of_all():
    ranked = rank_operators(tuple((f"op{i}", 1, 1.0) for i in range(100)))
    assert len(ranked) == 15
    assert ranked[0].share == pytest.approx(0.01)


def test_a_profile_without_time_is_explained():
    with pytest.raises(TrainingError, match=r"recorded no time on this device.*--device cpu"):
        rank_operators((("launch", 3, 0.0),))


def test_people_read_a_table():
    report = ProfileReport(
        architecture="googlenet",
        device="cpu (test)",
        versions={},
        batch_size=32,
        size_px=224,
        operators=(OperatorShare("convolution", 57, 0.754), OperatorShare("relu", 1234, 0.1)),
        busy_share=0.98,
    )
    assert describe_profile(report).splitlines() == [
        "GoogLeNet on cpu (test), one pass of training with batches of 32 at 224 px:",
        "Operator     Calls  Share",
        "convolution     57  75.4%",
        "relu          1234  10.0%",
        "In operators 98% of the time.",
    ]
