"""Figures of one network, asked for their traces."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from brainmri.evaluation.calibration import reliability
from brainmri.evaluation.confusion import Confusion
from brainmri.evaluation.curves import average_curves
from brainmri.evaluation.intervals import share_interval
from brainmri.evaluation.loading import load_predictions
from brainmri.evaluation.referral import referral_curves
from brainmri.evaluation.subgroups import Subgroup
from brainmri.figures.one_network import (
    draw_confusion,
    draw_curves,
    draw_referral,
    draw_reliability,
    draw_subgroups,
)
from brainmri.figures.palette import DIAGNOSIS_COLOURS
from tests.evaluation.finished_experiment import add_experiment


@pytest.fixture
def predictions(study):
    add_experiment(study, repeats=3)
    return load_predictions(study, "exp-001")


def test_cells_say_mean_and_scatter_and_name_themselves_when_clicked() -> None:
    counts = np.array([[[3, 1], [0, 2]], [[4, 0], [2, 0]]])
    confusion = Confusion(architecture="alexnet", classes=("glioblastoma", "PCNSL"), counts=counts)
    matrix, cells = draw_confusion(confusion).data
    assert list(cells.text[:2]) == ["87.5 ± 17.7 %", "12.5 ± 17.7 %"]
    assert list(matrix.z[0]) == [0.875, 0.125]
    assert len({cells.textfont.color[0], cells.textfont.color[1]}) == 2, "dark on pale, light on dark"
    assert list(draw_confusion(confusion, values="mean count").data[1].text[2:]) == ["1.0 ± 1.4", "1.0 ± 1.4"]
    assert [tuple(one) for one in cells.customdata] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [(x, y) for x, y in zip(cells.x, cells.y, strict=True)] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert cells.hovertext[1] == "Glioblastoma taken for PCNSL"


def test_one_run_has_no_scatter_and_a_class_never_tested_a_dash() -> None:
    counts = np.array([[[3, 1], [0, 0]]])
    matrix, cells = draw_confusion(Confusion(architecture="a", classes=("x", "y"), counts=counts)).data
    assert list(cells.text) == ["75.0 %", "25.0 %", "–", "–"]
    assert list(matrix.z[1]) == [None, None]


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
def test_curves_have_the_colours_of_their_diagnoses_and_bands(predictions, kind) -> None:
    bands = [average_curves(predictions, index, kind=kind)["alexnet"] for index in range(3)]
    figure = draw_curves(bands)
    lines = [
        trace for trace in figure.data if trace.mode == "lines" and trace.fill is None and trace.name != "Guessing"
    ]
    assert [trace.line.color for trace in lines] == [DIAGNOSIS_COLOURS[band.class_name] for band in bands]
    np.testing.assert_array_equal(lines[0].y, bands[0].mean)
    assert sum(trace.fill == "toself" for trace in figure.data) == 3
    assert f"{bands[0].mean_area:.3f} ± {bands[0].sd_area:.3f}" in lines[0].name


def test_reliability_draws_what_is_known_and_the_scaled_beside_it(predictions) -> None:
    found = reliability(predictions, "alexnet")
    drawn = draw_reliability(found, scaled=found).data
    known = [one for one in found.bins if one.mean_confidence is not None]
    assert [trace.name for trace in drawn] == ["As sure as right", "As it is", "Temperature scaled"]
    assert list(drawn[1].x) == [one.mean_confidence for one in known]
    assert list(drawn[1].y) == [one.right.share for one in known]
    ends = [share + above for share, above in zip(drawn[1].y, drawn[1].error_y.array, strict=True)]
    assert ends == pytest.approx([one.right.upper for one in known])


def test_the_referred_share_is_marked(predictions) -> None:
    curve = referral_curves(predictions)["alexnet"]
    figure = draw_referral(curve, at=0.3, counted="images")
    assert figure.layout.shapes[0].x0 == 0.3
    np.testing.assert_array_equal(figure.data[-1].y, curve.mean)
    assert "images" in figure.layout.xaxis.title.text


def test_few_cases_are_hollow() -> None:
    def group(name: str, note: str | None) -> Subgroup:
        return Subgroup(
            attribute="Sex",
            group=name,
            architecture="alexnet",
            cases=4,
            accuracy=share_interval(np.array([True, True, False, True])),
            note=note,
        )

    (trace,) = draw_subgroups([group("female", None), group("male", "4 cases only.")], overall=0.75).data
    assert isinstance(trace, go.Scatter)
    assert list(trace.marker.symbol) == ["circle", "circle-open"]
    assert list(trace.y) == ["Sex: female", "Sex: male"]
