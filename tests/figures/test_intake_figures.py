from brainmri.figures.intake import draw_case_counts
from brainmri.figures.palette import diagnosis_colour


def test_cases_are_counted_by_diagnosis_in_its_colour() -> None:
    bar = draw_case_counts({"glioblastoma": 8, "PCNSL": 3, None: 1}).data[0]
    assert list(bar.y) == ["Glioblastoma", "PCNSL", "Not labelled"]
    assert list(bar.x) == [8, 3, 1]
    assert list(bar.marker.color) == [diagnosis_colour(name) for name in ("glioblastoma", "PCNSL", None)]


def test_no_case_draws_an_empty_figure() -> None:
    assert len(draw_case_counts({}).data[0].x) == 0
