"""Figures of the evaluation stage, asked for their traces."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from brainmri.evaluation.comparison import TukeyPair, compare
from brainmri.evaluation.published import PUBLISHED_ACCURACIES
from brainmri.evaluation.reading import FinishedRun
from brainmri.figures.comparison import (
    PUBLISHED_LABEL,
    draw_distribution,
    draw_tukey_intervals,
)
from brainmri.figures.palette import ACCENT, ARCHITECTURE_COLOURS, MUTED

ACCURACIES = {"alexnet": [0.95, 0.96, 0.97, 0.93], "googlenet": [0.92, 0.94, 0.93], "resnet50": [0.9]}


def make_runs() -> list[FinishedRun]:
    return [
        FinishedRun(
            run_id=f"exp-001-{architecture}-{repeat:02d}",
            architecture=architecture,
            repeat=repeat,
            split_seed=None if repeat == 3 else 40 + repeat,
            accuracy=accuracy,
            seconds=10.0,
            images_per_second=100.0,
            device="cpu",
        )
        for architecture, values in ACCURACIES.items()
        for repeat, accuracy in enumerate(values, 1)
    ]


def traces(figure: go.Figure, kind: type) -> list:
    return [trace for trace in figure.data if isinstance(trace, kind)]


def test_boxes_hold_the_quartiles_of_the_table() -> None:
    descriptive = compare(ACCURACIES).descriptive
    boxes = traces(draw_distribution(descriptive, make_runs()), go.Box)
    assert [box.name for box in boxes] == ["AlexNet", "GoogLeNet", "ResNet50"]
    for box, row in zip(boxes, descriptive, strict=True):
        assert (box.q1[0], box.median[0], box.q3[0]) == (row.q1, row.median, row.q3)
        assert (box.lowerfence[0], box.upperfence[0]) == (row.whisker_low, row.whisker_high)
        assert box.line.color == ARCHITECTURE_COLOURS[row.model]


def test_every_repeat_is_a_point_that_names_its_run_and_split() -> None:
    figure = draw_distribution(compare(ACCURACIES).descriptive, make_runs())
    points = traces(figure, go.Scatter)
    assert [list(trace.y) for trace in points] == list(ACCURACIES.values())
    assert [list(one) for one in points[0].customdata][:3] == [
        ["exp-001-alexnet-01", 1, 41],
        ["exp-001-alexnet-02", 2, 42],
        ["exp-001-alexnet-03", 3, "–"],
    ]
    box = traces(figure, go.Box)[0]
    assert max(points[0].x) < box.x[0] - box.width / 2  # beside the box, not over it


def test_published_medians_are_laid_over_only_when_asked_for() -> None:
    descriptive = compare(ACCURACIES).descriptive
    plain = draw_distribution(descriptive, make_runs())
    assert PUBLISHED_LABEL not in [trace.name for trace in plain.data]
    figure = draw_distribution(descriptive, make_runs(), published=PUBLISHED_ACCURACIES)
    overlay = next(trace for trace in figure.data if trace.name == PUBLISHED_LABEL)
    assert list(overlay.y) == [0.962, 0.925, 0.904]
    assert list(overlay.error_y.array) == pytest.approx([0.007, 0.009, 0.007])
    assert list(overlay.error_y.arrayminus) == pytest.approx([0.009, 0.003, 0.004])
    assert figure.layout.showlegend


def test_published_medians_stand_only_beside_networks_that_are_shown() -> None:
    descriptive = compare({"resnet50": [0.9, 0.91]}).descriptive
    figure = draw_distribution(descriptive, make_runs(), published=PUBLISHED_ACCURACIES)
    overlay = next(trace for trace in figure.data if trace.name == PUBLISHED_LABEL)
    assert list(overlay.y) == [0.904]
    assert 0 < overlay.x[0] < 1


def test_axes_say_what_is_counted_and_in_which_unit() -> None:
    descriptive = compare(ACCURACIES).descriptive
    figure = draw_distribution(descriptive, make_runs(), level="case")
    assert figure.layout.yaxis.title.text == "Accuracy on held-out cases (%)"
    assert figure.layout.yaxis.tickformat == ".0%"
    assert list(figure.layout.xaxis.ticktext) == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert figure.layout.uirevision != draw_distribution(descriptive, make_runs()).layout.uirevision


def test_tukey_intervals_are_in_percentage_points_around_a_zero_line() -> None:
    pairs = (
        TukeyPair(a="alexnet", b="googlenet", difference=0.037, lower=0.02, upper=0.054, p=0.0001),
        TukeyPair(a="alexnet", b="resnet50", difference=-0.01, lower=-0.03, upper=0.01, p=0.4),
    )
    figure = draw_tukey_intervals(pairs)
    clear, unclear = figure.data
    assert (clear.marker.color, unclear.marker.color) == (ACCENT, MUTED)
    assert list(clear.y) == ["AlexNet − GoogLeNet"]
    assert clear.x[0] == pytest.approx(3.7)
    assert (clear.error_x.arrayminus[0], clear.error_x.array[0]) == pytest.approx((1.7, 1.7))
    assert list(unclear.customdata[0]) == ["−1.0", "−3.0", "+1.0", "p = 0.400", "No clear difference"]
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 0
    assert figure.layout.xaxis.title.text == "Difference (percentage points)"


def test_a_pair_that_was_not_tested_is_a_hollow_point_without_interval() -> None:
    pair = TukeyPair(a="alexnet", b="vgg16", difference=0.02, lower=None, upper=None, p=None)
    (trace,) = draw_tukey_intervals([pair]).data
    assert list(trace.marker.symbol) == ["circle-open"]
    assert (trace.error_x.array[0], trace.error_x.arrayminus[0]) == (0, 0)
    assert list(trace.customdata[0]) == ["+2.0", "–", "–", "–", "Not tested"]
