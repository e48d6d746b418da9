"""The heat map of hard cases."""

from __future__ import annotations

from brainmri.evaluation.difficulty import tabulate_cases
from brainmri.figures.cases import MOST_CASES, SUSPECTED, TRUTH, draw_hard_cases
from brainmri.figures.palette import diagnosis_colour
from tests.evaluation.drawn_predictions import draw_predictions, predictions_of

WRONG, RIGHT = [0.1, 0.9, 0.0], [0.9, 0.1, 0.0]


def test_a_cell_is_the_share_of_runs_that_were_wrong_and_empty_where_none_tested() -> None:
    rows = tabulate_cases(
        predictions_of(
            [(0, 0, 0, WRONG), (1, 0, 0, RIGHT), (2, 0, 0, WRONG), (0, 1, 0, RIGHT), (1, 1, 0, RIGHT)],
            runs=("alexnet", "alexnet", "resnet50"),
        )
    )
    figure = draw_hard_cases(rows)
    heat, cells = figure.data[0], figure.data[1]
    assert list(figure.layout.xaxis.ticktext) == ["A", "B"]
    ticks = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert ticks == {TRUTH: 0, "AlexNet": 2, "ResNet50": 1}
    assert [list(row) for row in heat.z] == [[1.0, None], [0.5, 0.0]]  # from the bottom
    said = {(x, y): data for x, y, data in zip(cells.x, cells.y, cells.customdata, strict=True)}
    assert (said[0, 2][2], said[0, 2][5]) == ("wrong in 1 of 2 runs (50 %)", "AlexNet")
    assert (said[1, 1][2], said[1, 1][5]) == ("no run tested it", "ResNet50")
    assert list(cells.customdata[0][:2]) == ["A", rows[0].example_run_id]


def test_the_hardest_cases_stand_first_with_their_diagnosis_and_suspicions() -> None:
    rows = tabulate_cases(draw_predictions(cases=60, tested=0.9, skill=0.5))
    assert len(rows) > MOST_CASES
    figure = draw_hard_cases(rows, suspected={rows[3].case_id, rows[-1].case_id})
    shown = [row.case_id for row in rows[:MOST_CASES]]
    assert list(figure.layout.xaxis.ticktext) == shown
    bands = {trace.name: trace for trace in figure.data if trace.name}
    assert set(bands) == {"Glioblastoma", "PCNSL", "Meningioma", SUSPECTED}
    assert bands["PCNSL"].marker.color == diagnosis_colour("PCNSL")
    assert set(bands["PCNSL"].y) == {0}
    assert all(rows[place].diagnosis == "PCNSL" for place in bands["PCNSL"].x)
    assert sorted(x for name, trace in bands.items() if name != SUSPECTED for x in trace.x) == list(range(MOST_CASES))
    assert list(bands[SUSPECTED].x) == [3]


def test_no_case_is_an_empty_figure() -> None:
    assert draw_hard_cases([]).data == ()
