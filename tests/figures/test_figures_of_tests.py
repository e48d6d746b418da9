"""Figures of tests of models, over repeats and on the same cases, asked for their traces."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.bootstrap import bootstrap_metric
from brainmri.evaluation.consensus import find_consensus
from brainmri.evaluation.delong import compare_areas, compare_consensus_areas
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.rank_tests import Friedman
from brainmri.evaluation.rows_of_tests import pair_intervals
from brainmri.figures.palette import ARCHITECTURE_COLOURS
from brainmri.figures.tests_of_models import draw_hedges_g, draw_mean_ranks, draw_pair_intervals, draw_posterior
from brainmri.figures.tests_on_cases import draw_areas, draw_patient_differences, draw_patient_intervals
from tests.evaluation.drawn_predictions import draw_predictions

NOISE = np.random.default_rng(8).normal(0, 0.01, (3, 10))
NAMES = ("alexnet", "googlenet", "resnet50")


@pytest.fixture(scope="module")
def found() -> Findings:
    """One network far ahead, two at a distance that only the plain tests take for shown."""
    return analyse(dict(zip(NAMES, (0.96 + NOISE[0], 0.92 + NOISE[1], 0.905 + NOISE[2]), strict=True)))


def named(figure: go.Figure, name: str) -> go.Scatter | go.Bar:
    """Return the trace of this name that has something to draw."""
    return next(trace for trace in figure.data if trace.name == name and trace.x[0] is not None)


def test_every_pair_has_a_row_with_one_mark_for_each_test(found: Findings) -> None:
    figure = draw_pair_intervals(pair_intervals(found), found.measure)
    assert list(figure.layout.yaxis.ticktext) == ["AlexNet − GoogLeNet", "AlexNet − ResNet50", "GoogLeNet − ResNet50"]
    heights = [named(figure, name).y for name in ("Tukey", "Games-Howell", "Corrected t")]
    for row, together in zip((0, -1, -2), zip(*heights, strict=True), strict=True):
        assert len(set(together)) == 3
        assert all(abs(height - row) < 0.4 for height in together)
    tukey = named(figure, "Tukey")
    pair = found.comparison.tukey[0]
    assert tukey.x[0] == pytest.approx(100 * pair.difference)
    assert tukey.x[0] - tukey.error_x.arrayminus[0] == pytest.approx(100 * pair.lower)
    assert [shape.x0 for shape in figure.layout.shapes] == [0]


def test_a_filled_mark_is_a_pair_that_the_test_tells_apart(found: Findings) -> None:
    figure = draw_pair_intervals(pair_intervals(found), found.measure)
    assert list(named(figure, "Tukey").marker.symbol) == ["circle", "circle", "circle"]
    assert list(named(figure, "Corrected t").marker.symbol) == ["diamond", "diamond", "diamond-open"]
    hovers = [one[5] for one in named(figure, "Corrected t").customdata]
    assert hovers == ["AlexNet higher", "AlexNet higher", "not told apart"]
    assert "of this pair alone" in named(figure, "Corrected t").hovertemplate
    assert "for all pairs at once" in named(figure, "Tukey").hovertemplate


def test_a_pair_without_an_interval_is_a_mark_without_bars() -> None:
    single = analyse({"alexnet": [0.9], "resnet50": [0.8]})
    trace = named(draw_pair_intervals(pair_intervals(single), single.measure), "Tukey")
    assert list(trace.error_x.array) == [None]
    assert list(trace.marker.symbol) == ["circle-open"]
    assert trace.customdata[0][5] == "not tested"


def test_probabilities_fill_each_row_from_0_to_1_in_the_colours_of_the_networks(found: Findings) -> None:
    figure = draw_posterior(found.bayesian)
    spans: dict[float, list[tuple[float, float]]] = {}
    for trace in figure.data:
        for height, base, width in zip(trace.y, trace.base, trace.x, strict=True):
            spans.setdefault(height, []).append((base, base + width))
    assert sorted(spans) == [-2, -1, 0]
    for row in spans.values():
        ends = sorted(row)
        assert ends[0][0] == 0
        assert ends[-1][1] == pytest.approx(1)
        assert all(left[1] == pytest.approx(right[0]) for left, right in pairwise(ends))
    first = found.bayesian[0]
    alexnet = named(figure, "AlexNet better")
    assert alexnet.marker.color == ARCHITECTURE_COLOURS["alexnet"]
    assert (alexnet.base[0], alexnet.x[0]) == (0, first.p_a_better)
    resnet = named(figure, "ResNet50 better")
    assert [1 - base for base in resnet.base] == pytest.approx([pair.p_b_better for pair in found.bayesian[1:]])


def test_hedges_g_is_drawn_with_its_interval(found: Findings) -> None:
    trace = draw_hedges_g(found.effect_sizes.hedges_g).data[0]
    pair = found.effect_sizes.hedges_g[2]
    assert trace.x[2] == pair.g
    assert trace.x[2] + trace.error_x.array[2] == pytest.approx(pair.upper)
    clear = [one.lower > 0 or one.upper < 0 for one in found.effect_sizes.hedges_g]
    assert [symbol == "circle" for symbol in trace.marker.symbol] == clear


def test_mean_ranks_are_joined_where_they_are_not_told_apart() -> None:
    ranks = {"alexnet": 3.143, "googlenet": 2.0, "resnet50": 2.893, "densenet121": 1.964}
    result = Friedman(statistic=9.28, df=3, p=0.026, n=14, mean_ranks=ranks, critical_difference=1.12)
    figure = draw_mean_ranks(result)
    joined = [trace for trace in figure.data if "Not told apart" in (trace.hovertemplate or "")]
    assert [trace.hovertemplate.removesuffix("<extra></extra>") for trace in joined] == [
        "Not told apart: DenseNet121, GoogLeNet, ResNet50",
        "Not told apart: ResNet50, AlexNet",
    ]
    assert joined[0].x[0] < 1.964 < 2.893 < joined[0].x[-1]
    names = [trace.text[-1] for trace in figure.data if trace.text and "  " in str(trace.text[-1])]
    assert names == ["DenseNet121  1.96", "GoogLeNet  2.00", "ResNet50  2.89", "AlexNet  3.14"]
    yardstick = next(trace for trace in figure.data if "Critical difference 1.12" in (trace.text or ()))
    assert (yardstick.x[0], yardstick.x[-1]) == (1, pytest.approx(2.12))


def test_the_yardstick_stays_in_sight_however_few_the_splits() -> None:
    result = Friedman(
        statistic=2.0, df=1, p=0.16, n=2, mean_ranks={"alexnet": 1.0, "resnet50": 2.0}, critical_difference=4.0
    )
    assert draw_mean_ranks(result).layout.xaxis.range[1] > 5


def test_areas_and_metrics_over_patients_keep_the_colours_of_the_networks() -> None:
    predictions = draw_predictions(cases=40)
    areas = compare_consensus_areas(find_consensus(predictions), 0)
    bootstrap = bootstrap_metric(predictions, Metric("accuracy"), seed=1, resamples=200)
    for figure in (draw_areas(areas), draw_patient_intervals(bootstrap, "Accuracy (%)")):
        colours = [trace.marker.color for trace in figure.data]
        assert colours == [ARCHITECTURE_COLOURS["alexnet"], ARCHITECTURE_COLOURS["resnet50"]]
    point = draw_patient_intervals(bootstrap, "Accuracy (%)").data[0]
    one = bootstrap.architectures[0]
    assert point.x[0] == pytest.approx(100 * one.value)
    assert point.x[0] - point.error_x.arrayminus[0] == pytest.approx(100 * one.lower)


def test_differences_over_patients_have_a_line_at_zero_and_their_unit() -> None:
    predictions = draw_predictions(cases=40)
    points = draw_patient_differences(bootstrap_metric(predictions, Metric("accuracy"), seed=1, resamples=200))
    assert points.layout.xaxis.title.text == "Difference (percentage points)"
    assert [shape.x0 for shape in points.layout.shapes] == [0]
    brier = bootstrap_metric(predictions, Metric("brier"), seed=1, resamples=200)
    plain = draw_patient_differences(brier)
    assert plain.layout.xaxis.title.text == "Difference"
    assert plain.data[0].x[0] == brier.differences[0].difference


def test_an_area_without_an_interval_is_hollow_and_one_without_an_area_is_left_out() -> None:
    perfect = compare_areas([0, 0, 1, 1], [[1, 2, 3, 4], [1, 3, 2, 4]], names=("alexnet", "resnet50"))
    figure = draw_areas(perfect)
    assert [trace.marker.symbol for trace in figure.data] == ["circle-open", "circle"]
    assert "no interval" in figure.data[0].hovertemplate
    assert not draw_areas(compare_areas([0, 0], [[1, 2]], names=("alexnet",))).data


def test_every_figure_is_plain_json(found: Findings) -> None:
    for figure in (
        draw_pair_intervals(pair_intervals(found), found.measure),
        draw_posterior(found.bayesian),
        draw_hedges_g(found.effect_sizes.hedges_g),
        draw_mean_ranks(found.friedman),
    ):
        assert json.loads(figure.to_json())["data"]
