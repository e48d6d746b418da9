"""Figures of leakage, by their traces."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.near_duplicates import NearDuplicates, NearPair
from brainmri.evaluation.side_by_side import BY_IMAGE, BY_PATIENT, ComparedNetwork, NamedInterval, SideBySide
from brainmri.figures.leakage import draw_duplicates, draw_side_by_side
from brainmri.figures.pairs import pair_picture
from brainmri.figures.palette import architecture_colour


def network(name: str, first: float | None, second: float, lower: float | None = 0.02) -> ComparedNetwork:
    difference = None if first is None else first - second
    upper = None if lower is None else 0.09
    return ComparedNetwork(
        architecture=name,
        first=first,
        second=second,
        repeats_first=10,
        repeats_second=8,
        difference=difference,
        intervals=(
            NamedInterval(name="over patients", lower=lower, upper=upper),
            NamedInterval(name="over repeats", lower=None, upper=None),
        ),
    )


def test_means_and_differences_are_drawn_in_per_cent_and_points() -> None:
    compared = SideBySide(
        first=BY_IMAGE,
        second=BY_PATIENT,
        networks=(network("alexnet", 0.95, 0.9), network("resnet50", None, 0.7, None)),
    )
    figure = draw_side_by_side(compared, metric=Metric("accuracy"))
    traces = {trace.name: trace for trace in figure.data if trace.name}
    assert list(traces[BY_IMAGE].x) == [pytest.approx(95), None]
    assert list(traces[BY_PATIENT].x) == pytest.approx([90, 70])
    assert list(traces[BY_IMAGE].marker.color) == [architecture_colour("alexnet"), architecture_colour("resnet50")]
    inner = traces["over patients"]
    assert list(inner.x) == [pytest.approx(5), None]
    assert inner.error_x.array[0] == pytest.approx(4)
    assert inner.error_x.arrayminus[0] == pytest.approx(3)
    assert traces["over repeats"].error_x.array[0] == 0
    assert inner.customdata[0][2] == "+2.0 to +9.0"
    assert figure.layout.xaxis.title.text == "Accuracy on held-out images (%)"
    assert figure.layout.xaxis2.title.text == "Difference (percentage points)"


def test_a_loss_is_drawn_as_a_plain_number() -> None:
    compared = SideBySide(first="exp-001", second="exp-002", networks=(network("alexnet", 0.95, 0.9),))
    figure = draw_side_by_side(compared, metric=Metric("log_loss"), level="case")
    assert [trace.x[0] for trace in figure.data if trace.name == "exp-001"] == [0.95]
    assert figure.layout.xaxis.title.text == "Log loss on held-out cases (nats)"


def split(*distances: float) -> NearDuplicates:
    pairs = tuple(
        NearPair(test_sample=i, train_sample=9, test_case="A", train_case="A" if i else "B", distance=distance)
        for i, distance in enumerate(distances)
    )
    return NearDuplicates(limit=0.05, test_images=len(pairs), train_images=9, pairs=pairs)


def test_each_repeat_has_a_bar_with_its_count() -> None:
    found = {"exp-002": {1: split(0.01, 0.02, 0.9), 2: split(0.9)}, "exp-001": {1: split(), 3: split(0.1, 0.1)}}
    near = draw_duplicates(found)
    assert [list(bar.x) for bar in near.data] == [[1, 2], [3]]
    assert [list(bar.y) for bar in near.data] == [[2, 0], [0]]
    assert near.data[0].customdata[0][1] == "66.7%"
    assert near.layout.yaxis.dtick == 1
    assert [list(bar.y) for bar in draw_duplicates(found, counted="same case").data] == [[2, 0], [1]]


def test_a_pair_stands_side_by_side_with_its_t1c() -> None:
    samples = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    pair = NearPair(test_sample=1, train_sample=0, test_case="A", train_case="A", distance=0.0)
    picture = pair_picture(samples, pair)
    assert picture.shape == (4, 9)
    assert (picture[:, :4] == samples[1, 2]).all()
    assert (picture[:, 5:] == samples[0, 2]).all()
