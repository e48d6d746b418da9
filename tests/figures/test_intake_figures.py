"""Figures of the intake stage, asked for their traces."""

from __future__ import annotations

from brainmri.figures.intake import draw_case_counts
from brainmri.figures.palette import DIAGNOSIS_COLOURS


def test_every_diagnosis_is_a_bar_in_its_colour() -> None:
    (bars,) = draw_case_counts({"glioblastoma": 24, "PCNSL": 1200, None: 2}).data
    assert list(bars.x) == [24, 1200, 2]
    assert list(bars.y) == ["Glioblastoma", "PCNSL", "Not labelled"]
    assert list(bars.text) == ["24", "1,200", "2"]
    assert list(bars.marker.color)[:2] == [DIAGNOSIS_COLOURS["glioblastoma"], DIAGNOSIS_COLOURS["PCNSL"]]


def test_a_study_without_cases_gives_an_empty_frame() -> None:
    assert list(draw_case_counts({}).data[0].x or ()) == []
