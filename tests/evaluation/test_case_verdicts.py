from __future__ import annotations

from dataclasses import replace

import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.case_verdicts import verdicts_on_case
from brainmri.evaluation.loading import load_predictions
from brainmri.evaluation.verdicts import verdicts_by_case
from brainmri.figures.explanation import draw_case_verdicts


@pytest.fixture
def predictions(study, make_experiment):
    make_experiment(repeats=4)
    return load_predictions(study, "exp-001")


def test_every_run_that_tested_the_case_has_one_verdict(predictions) -> None:
    verdicts = verdicts_by_case(predictions)
    found = verdicts_on_case(predictions, "case-0001")
    mine = [row for row in range(len(verdicts.case)) if verdicts.case_ids[verdicts.case[row]] == "case-0001"]
    assert [one.run_id for one in found.verdicts] == [verdicts.runs[verdicts.run[row]].run_id for row in mine]
    for one, row in zip(found.verdicts, mine, strict=True):
        assert one.diagnosis == verdicts.classes[verdicts.predicted_class[row]]
        assert one.is_right == (verdicts.predicted_class[row] == verdicts.true_class[row])
        assert one.probability == pytest.approx(verdicts.probabilities[row].max())
    assert (found.diagnosis, found.architectures, found.repeats) == (
        "glioblastoma",
        ("alexnet", "googlenet", "resnet50"),
        (1, 2, 3, 4),
    )
    assert verdicts_on_case(verdicts, "case-0001") == found


def test_it_is_said_how_often_the_case_was_wrong(predictions) -> None:
    found = verdicts_on_case(predictions, "case-0001")
    right, wrong = (replace(found.verdicts[0], is_right=value) for value in (True, False))
    texts = {
        (wrong, right, right): "Wrong in 1 of the 3 runs that tested it.",
        (right, right): "Right in all 2 runs that tested it.",
        (wrong, wrong): "Wrong in all 2 runs that tested it.",
        (wrong,): "Wrong in the one run that tested it.",
    }
    for verdicts, text in texts.items():
        assert replace(found, verdicts=verdicts).describe() == text


def test_a_case_that_nobody_tested_is_refused(predictions) -> None:
    with pytest.raises(EvaluationError, match="No finished run tested case-9999"):
        verdicts_on_case(predictions, "case-9999")


def test_the_figure_has_a_cell_for_each_run_and_frames_the_chosen_one(predictions) -> None:
    found = verdicts_on_case(predictions, "case-0001")
    chosen = found.verdicts[1].run_id
    figure = draw_case_verdicts(found, chosen_run=chosen)
    cells = {
        data[0]: (x, y, sign, width)
        for trace in figure.data
        for data, x, y, sign, width in zip(
            trace.customdata, trace.x, trace.y, trace.text, trace.marker.line.width, strict=True
        )
    }
    assert set(cells) == {one.run_id for one in found.verdicts}
    for one in found.verdicts:
        repeat, _network, sign, width = cells[one.run_id]
        assert (repeat, sign, width) == (one.repeat, "✓" if one.is_right else "✗", 3 if one.run_id == chosen else 0)
