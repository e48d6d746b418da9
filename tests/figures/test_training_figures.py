"""Figures of the training stage, asked for their traces."""

from __future__ import annotations

import pytest

from brainmri.figures.palette import ARCHITECTURE_COLOURS
from brainmri.figures.training import draw_loss_curves, draw_run_grid
from brainmri.training.monitor import EpochPoint, RunRow


def make_point(architecture: str, repeat: int, epoch: int, loss: float) -> EpochPoint:
    return EpochPoint(
        run_id=f"exp-001-{architecture}-{repeat:02d}",
        architecture=architecture,
        repeat=repeat,
        epoch=epoch,
        train_loss=loss,
        train_accuracy=1 - loss / 2,
        learning_rate=0.1,
        seconds=1.0,
    )


def make_row(architecture: str, repeat: int, status: str, **values: object) -> RunRow:
    defaults: dict[str, object] = {
        "accuracy": None,
        "epoch": 0,
        "epochs": 8,
        "seconds": None,
        "images_per_second": None,
        "message": None,
        "remark": None,
    }
    run_id = f"exp-001-{architecture}-{repeat:02d}"
    return RunRow(run_id=run_id, architecture=architecture, repeat=repeat, status=status, **{**defaults, **values})


POINTS = [
    make_point("alexnet", 1, 2, 0.5),
    make_point("alexnet", 1, 1, 1.0),
    make_point("alexnet", 2, 1, 0.8),
    make_point("resnet50", 1, 1, 1.2),
]


def test_runs_are_thin_lines_with_gaps_and_means_are_bold() -> None:
    alex_runs, _, alex_mean, res_mean = draw_loss_curves(POINTS).data
    assert list(alex_runs.x) == [1, 2, None, 1, None]
    assert list(alex_runs.y) == [1.0, 0.5, None, 0.8, None]
    assert list(alex_mean.x) == [1, 2]
    assert list(alex_mean.y) == pytest.approx([0.9, 0.5])
    assert list(alex_mean.customdata) == [2, 1]
    assert alex_mean.line.width > alex_runs.line.width
    assert (alex_mean.name, alex_mean.line.color) == ("AlexNet", ARCHITECTURE_COLOURS["alexnet"])
    assert res_mean.name == "ResNet50"


def test_the_axis_shows_how_far_training_has_to_go() -> None:
    figure = draw_loss_curves(POINTS, epochs=30)
    assert list(figure.layout.xaxis.range) == [0.5, 30.5]
    assert figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.title.text == "Training loss (cross-entropy, nats)"


def test_accuracy_has_per_cent_ticks() -> None:
    figure = draw_loss_curves(POINTS, quantity="train_accuracy")
    assert figure.data[2].y[0] == pytest.approx(0.55)
    assert figure.layout.yaxis.tickformat == ".0%"
    assert figure.layout.uirevision != draw_loss_curves(POINTS).layout.uirevision


def test_no_epoch_yet_gives_an_empty_frame() -> None:
    assert draw_loss_curves([], epochs=8).data == ()
    assert list(draw_run_grid([]).data[0].y or ()) == []


def test_the_grid_writes_what_the_colours_mean() -> None:
    rows = [
        make_row("alexnet", 1, "finished", accuracy=0.9512),
        make_row("resnet50", 1, "running", epoch=3),
        make_row("alexnet", 2, "failed", message="Out of memory."),
        make_row("resnet50", 2, "queued"),
    ]
    (heat,) = draw_run_grid(rows).data
    assert [list(row) for row in heat.text] == [["95.1 %", "failed"], ["3/8", "queued"]]
    assert list(heat.y) == ["AlexNet", "ResNet50"]
    assert list(heat.x) == ["1", "2"]
    assert len({value for row in heat.z for value in row}) == 4
    assert list(heat.customdata[0][1]) == ["exp-001-alexnet-02", "Failed", "Out of memory."]


def test_a_run_that_does_not_exist_is_a_gap() -> None:
    rows = [make_row("alexnet", 1, "queued"), make_row("resnet50", 2, "queued")]
    (heat,) = draw_run_grid(rows).data
    assert [list(row) for row in heat.z] == [[0, None], [None, 0]]
