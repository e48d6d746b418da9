"""The figure of several confusion matrices, against counts that are summed by hand."""

import numpy as np

from brainmri.evaluation.confusion import Confusion
from brainmri.figures.confusions import draw_confusions
from brainmri.figures.palette import ink_on

CLASSES = ("glioblastoma", "PCNSL", "meningioma")
COUNTS = np.array([[[3, 1, 0], [0, 2, 0], [0, 0, 0]], [[4, 0, 0], [1, 1, 0], [0, 0, 0]]])


def make_confusions(*architectures: str) -> list[Confusion]:
    return [Confusion(architecture=name, classes=CLASSES, counts=COUNTS) for name in architectures]


def test_matrices_lie_side_by_side_with_an_empty_column_between_and_a_class_never_tested_is_empty() -> None:
    heat, _ = draw_confusions(make_confusions("alexnet", "resnet50")).data
    assert [list(row) for row in heat.z] == [
        [7 / 8, 1 / 8, 0, None, 7 / 8, 1 / 8, 0],
        [1 / 4, 3 / 4, 0, None, 1 / 4, 3 / 4, 0],
        [None] * 7,
    ]
    assert list(heat.x) == [-0.5, 0.5, 1.5, 2.5, 3, 4, 5, 6]
    assert list(heat.y) == [-0.5, 0.5, 1.5, 2.5]


def test_cells_say_shares_or_counts_on_the_place_of_their_colour() -> None:
    confusions = make_confusions("alexnet", "resnet50")
    cells = draw_confusions(confusions).data[1]
    assert list(cells.text[:3]) == ["87.5 %", "12.5 %", "0.0 %"]
    assert list(draw_confusions(confusions, values="count").data[1].text[:3]) == ["3.5", "0.5", "0.0"]
    second = [tuple(data[:3]) for data in cells.customdata].index(("ResNet50", "PCNSL", "Glioblastoma"))
    assert (cells.x[second], cells.y[second], cells.text[second]) == (3.5, 1, "25.0 %")
    assert list(cells.textfont.color[:2]) == [ink_on(7 / 8), ink_on(1 / 8)]


def test_every_matrix_has_its_name_and_the_axes_name_the_diagnoses() -> None:
    layout = draw_confusions(make_confusions("alexnet", "resnet50")).layout
    assert [(note.text, note.x, note.y) for note in layout.annotations] == [
        ("AlexNet", 1, -0.5),
        ("ResNet50", 4.5, -0.5),
    ]
    assert list(layout.xaxis.ticktext) == ["Glioblastoma", "PCNSL", "Meningioma"] * 2
    assert list(layout.xaxis.tickvals) == [0, 1, 2, 3.5, 4.5, 5.5]
    assert list(layout.yaxis.ticktext) == ["Glioblastoma", "PCNSL", "Meningioma"]


def test_more_than_three_matrices_take_a_second_row() -> None:
    figure = draw_confusions(make_confusions("alexnet", "googlenet", "resnet50", "densenet121"))
    assert figure.layout.height == 2 * draw_confusions(make_confusions("alexnet")).layout.height
    fourth = figure.layout.annotations[3]
    assert (fourth.text, fourth.x, fourth.y) == ("DenseNet121", 1, 3)
    assert len(figure.data[0].z) == 7
