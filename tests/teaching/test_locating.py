"""A mark against the tumour, on distances that are worked out by hand."""

import numpy as np
import pytest

from brainmri.errors import TeachingError
from brainmri.imaging.records import Region
from brainmri.study import Study
from brainmri.teaching.locating import Tumour, locate, read_tumour, score_locating
from brainmri.teaching.plans import GivenAnswer, Mark
from brainmri.teaching.reading import join, move_on, present, send
from brainmri.teaching.sessions import read_cases
from tests.evaluation.finished_experiment import add_experiment
from tests.teaching.sessions_for_tests import make_session


@pytest.fixture
def tumour() -> Tumour:
    voxels = np.zeros((4, 10, 10), bool)
    voxels[2, 3:5, 3:5] = True
    return Tumour(voxels=voxels, spacing_mm=(5.0, 1.0, 2.0), source="outline")


@pytest.mark.parametrize(
    ("mark", "distance_mm", "sentence"),
    [
        ((2, 3, 4), 0, "The mark is inside the tumour."),
        ((2, 8, 3), 4, "The mark is 4 mm outside the tumour."),  # four rows of 1 mm
        ((2, 3, 7), 6, "The mark is 6 mm outside the tumour."),  # three columns of 2 mm
        ((1, 4, 4), 5, "The mark is 5 mm outside the tumour."),  # the next slice
        ((1, 7, 10 - 1), np.sqrt(25 + 9 + 100), "The mark is 12 mm outside the tumour."),
    ],
)
def test_distances_are_in_millimetres_of_the_grid(
    tumour: Tumour, mark: tuple[int, int, int], distance_mm: float, sentence: str
) -> None:
    found = locate(Mark(slice_index=mark[0], row=mark[1], column=mark[2]), tumour)
    assert found.distance_mm == pytest.approx(distance_mm)
    assert (found.inside, found.sentence) == (distance_mm == 0, sentence)


def test_regions_stand_in_for_an_outline_also_where_they_reach_beyond_the_image(study: Study) -> None:
    add_experiment(study, repeats=1, cases=3, slices=2)
    with pytest.raises(TeachingError, match="neither an outline nor a region"):
        read_tumour(study, "case-0001")
    with study.session() as session:
        session.add(Region(case_id="case-0001", slice_index=1, row=-2, column=5, size_px=6, source="drawn"))
    found = read_tumour(study, "case-0001")
    assert (found.source, found.voxels.sum()) == ("region", 4 * 3)  # rows 0 to 3, columns 5 to 7
    assert found.voxels[1, 0, 5]
    assert "square region" in locate(Mark(slice_index=1, row=0, column=5), found).sentence


def test_readers_are_scored_by_the_marks_that_they_made(study: Study) -> None:
    made = make_session(study, exercise="locate", order="fixed", count=2, with_network=False)
    with study.session() as session:
        for case in read_cases(study, made.session_id):
            session.add(Region(case_id=case.case_id, slice_index=0, row=2, column=2, size_px=2, source="drawn"))
    reader = join(study, made.code, "Ito").reader_id
    join(study, made.code, "Mori")
    for row in (2, 7):
        place = present(study, reader)
        mark = Mark(slice_index=0, row=row, column=2)
        send(study, reader, place.position, "alone", GivenAnswer(diagnosis=None, confidence={}, mark=mark))
        move_on(study, reader, place.position)
    first, second = score_locating(study, made.session_id)
    assert (first.reader, first.inside.hits, first.inside.n, first.median_mm) == ("Ito", 1, 2, 2.0)
    assert (second.inside.n, second.median_mm) == (0, None)
