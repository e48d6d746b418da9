"""Figures of reading sessions, asked for their traces."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go
import pytest

from brainmri.figures import teaching
from brainmri.figures.palette import DIAGNOSIS_COLOURS
from brainmri.teaching.against_network import compare_with_network
from brainmri.teaching.board import answers_on_case
from brainmri.teaching.items import analyse_items
from brainmri.teaching.learning import SessionResult, learn
from brainmri.teaching.multireader import compare_alone_with_network
from brainmri.teaching.scores import score_reader, score_readers
from tests.teaching.drawn_answers import draw_answers


def by_name(figure: go.Figure, name: str):
    return next(trace for trace in figure.data if trace.name is not None and trace.name.startswith(name))


@pytest.fixture(scope="module")
def answers():
    return draw_answers(readers=5, cases=60)


def test_readers_stand_alone_and_with_the_network_beside_the_network_itself(answers):
    scores = score_readers(answers)
    network = compare_with_network(answers).network
    figure = teaching.draw_reader_accuracies(scores, network=network)
    alone, assisted = by_name(figure, "Alone"), by_name(figure, "With the network")
    assert list(alone.x) == [score.alone.accuracy.share for score in scores]
    assert list(assisted.x) == [score.assisted.accuracy.share for score in scores]
    assert alone.marker.symbol != assisted.marker.symbol, "told apart without colour"
    assert alone.x[0] - alone.error_x.arrayminus[0] == pytest.approx(scores[0].alone.accuracy.lower)
    assert alone.x[0] + alone.error_x.array[0] == pytest.approx(scores[0].alone.accuracy.upper)
    assert list(by_name(figure, "Network alone").x) == [network.share] * 2
    assert list(figure.layout.yaxis.ticktext) == list(answers.readers)


def test_names_can_be_hidden_and_cannot_be_markup(answers):
    figure = teaching.draw_reader_accuracies(score_readers(answers), names=["Vega", "<b>", "Mira", "Sirius", "Deneb"])
    assert list(figure.layout.yaxis.ticktext)[:2] == ["Vega", "&lt;b&gt;"]
    assert "reader 1" not in figure.to_json()


def test_a_reader_without_answers_has_a_row_without_marks():
    answers = draw_answers(readers=2, cases=9)
    alone = answers.alone.copy()
    alone[0] = -1
    figure = teaching.draw_reader_accuracies(score_readers(replace(answers, alone=alone)))
    assert len(by_name(figure, "Alone").x) == 1
    assert len(by_name(figure, "With the network").x) == 2
    assert len(figure.layout.yaxis.ticktext) == 2


def test_the_confusion_matrix_writes_counts_and_colours_shares(answers):
    score = score_reader(answers, "reader 1").alone
    figure = teaching.draw_reader_confusion(score)
    assert [note.text for note in figure.layout.annotations] == [str(count) for count in score.confusion.ravel()]
    np.testing.assert_allclose(figure.data[0].z[1], score.confusion[1] / score.confusion[1].sum())


def test_a_diagnosis_that_was_never_shown_has_no_colour():
    answers = draw_answers(readers=1, cases=9)
    score = score_reader(replace(answers, truth=np.zeros(9, dtype=int)), "reader 1").alone
    assert list(teaching.draw_reader_confusion(score).data[0].z[2]) == [None, None, None]


def test_calibration_shows_both_steps_against_the_line(answers):
    score = score_reader(answers, "reader 1")
    calibrations = {"alone": score.alone.calibration, "with network": score.assisted.calibration}
    figure = teaching.draw_calibration(calibrations)
    found = [one for one in score.alone.calibration.bins if one.right.n]
    assert list(by_name(figure, "Alone").y) == [one.right.share for one in found]
    assert list(by_name(figure, "Alone").x) == [one.mean_confidence for one in found]
    assert list(by_name(figure, "As sure as right").y) == [0, 1]


def test_the_groups_answers_do_not_tell_the_pathology_before_it_is_revealed(answers):
    found = answers_on_case(answers, "case-001", salt="s")
    hidden = teaching.draw_case_answers(found)
    other = replace(found, truth="meningioma", right=0)
    assert hidden.to_json() == teaching.draw_case_answers(other).to_json()
    assert list(hidden.data[0].x) == list(found.counts.values())
    revealed = teaching.draw_case_answers(found, reveal=True)
    assert list(revealed.data[0].y) == ["Glioblastoma · pathology", "PCNSL", "Meningioma"]
    assert list(revealed.data[0].marker.line.width) == [3, 0, 0]


def test_items_have_the_colour_of_their_pathology_and_negative_ones_a_cross(answers):
    items = analyse_items(answers)
    figure = teaching.draw_items(items)
    trace = by_name(figure, "PCNSL")
    mine = [item for item in items.items if item.truth == "PCNSL" and item.discrimination is not None]
    assert sorted(trace.y) == sorted(item.discrimination for item in mine)
    assert trace.marker.color == DIAGNOSIS_COLOURS["PCNSL"]
    assert [symbol == "x" for symbol in trace.marker.symbol] == [value < 0 for value in trace.y]


def test_the_hardest_case_is_on_top(answers):
    figure = teaching.draw_difficulty(analyse_items(answers))
    assert list(figure.data[0].x) == sorted(figure.data[0].x)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first row is on top"


def test_learning_shows_sessions_in_order():
    results = [
        SessionResult(session_id=f"ses-{i}", title=f"<i>{i}", date=datetime(2026, 1, i, tzinfo=UTC), right=5 + i, n=10)
        for i in (2, 1, 3)
    ]
    trace = teaching.draw_learning(learn(results)).data[0]
    assert list(trace.y) == [0.6, 0.7, 0.8]
    assert trace.text[0] == "&lt;i&gt;1"


def test_curves_of_readers_are_thin_and_their_means_thick(answers):
    found = compare_alone_with_network(answers)
    figure = teaching.draw_multireader(found)
    assert sum(trace.line.width == 1 and trace.showlegend is False for trace in figure.data) == 10
    mean = by_name(figure, "With the network")
    np.testing.assert_allclose(mean.y, found.curves[1].mean(axis=0))
    assert f"{found.analysis.means[1].auc:.3f}" in mean.name
    assert figure.layout.annotations[0].text.startswith(f"Difference +{found.analysis.change.difference:.3f}, 95 %")


def test_nothing_to_show_is_drawn_as_an_empty_figure():
    nobody = draw_answers(readers=2, cases=6, missing=1.0)
    score = score_reader(nobody, "reader 1")
    figures = [
        teaching.draw_reader_accuracies([]),
        teaching.draw_reader_accuracies(score_readers(nobody)),
        teaching.draw_reader_confusion(score.alone),
        teaching.draw_calibration({"alone": score.alone.calibration}),
        teaching.draw_case_answers(answers_on_case(nobody, "case-001", salt="s")),
        teaching.draw_items(analyse_items(nobody)),
        teaching.draw_difficulty(analyse_items(nobody)),
        teaching.draw_learning(learn([])),
        teaching.draw_multireader(compare_alone_with_network(nobody)),
    ]
    assert all(figure.to_json() for figure in figures)


def test_one_reader_has_an_interval_of_its_own_difference():
    figure = teaching.draw_multireader(compare_alone_with_network(draw_answers(readers=1, cases=60)))
    assert "95 % interval" in figure.layout.annotations[0].text
