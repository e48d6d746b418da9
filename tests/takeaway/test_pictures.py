"""Pictures of a slice: proportions, outline and map where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainmri.explanation.maps import RunMaps
from brainmri.imaging.regions import SquareRegion
from brainmri.takeaway.evidence import CaseEvidence, grey_slice, read_evidence, read_tested
from brainmri.takeaway.pictures import OUTLINE, draw_slice
from brainmri.vocabulary import TRAINED_DIAGNOSES

SHAPE = (5, 20, 40)


@pytest.fixture
def evidence(taken) -> CaseEvidence:
    """Return a case of 20 × 40 voxels of 3 × 1.5 mm, evenly grey, with a map of one value everywhere."""
    return made(taken, SquareRegion(2, 4, 10, 8))


def made(taken, region: SquareRegion) -> CaseEvidence:
    found = read_evidence(taken.study, read_tested(taken.study, taken.run_id, taken.case_id))
    seen = replace(found.tested.slices[0], region=region)
    arrays = {name: np.full(SHAPE, 50, np.int16) for name in found.volumes.arrays}
    return CaseEvidence(
        tested=replace(found.tested, slices=(seen,)),
        volumes=replace(found.volumes, arrays=arrays, spacing_mm=(5.0, 3.0, 1.5)),
        limits=dict.fromkeys(arrays, (0.0, 100.0)),
        maps=RunMaps("layer", TRAINED_DIAGNOSES, 64, np.array([seen.sample_index]), np.ones((1, 3, 4, 4), np.float32)),
    )


def coloured(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Return first and last row and column in which a pixel is not grey."""
    rows, columns = np.nonzero(np.ptp(picture.astype(int), axis=2))
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_a_picture_has_the_proportions_of_the_body(evidence) -> None:
    assert draw_slice(evidence, "T1", 0, width_px=400).shape == (400, 400, 3)  # 60 mm × 60 mm


def test_the_outline_runs_where_the_square_is(evidence) -> None:
    picture = draw_slice(evidence, "T1", 0, width_px=400)
    assert coloured(picture) == (80, 239, 100, 179)  # rows 4 to 12 of 20 px each, columns 10 to 18 of 10 px each
    assert tuple(picture[80, 140]) == OUTLINE
    assert tuple(picture[160, 140]) == (128, 128, 128)  # inside: no map was asked for


def test_the_map_fills_the_square_and_nothing_else(evidence) -> None:
    picture = draw_slice(evidence, "T1", 0, class_index=1, width_px=400)
    assert coloured(picture) == (80, 239, 100, 179)
    assert np.ptp(picture[85:235, 105:175].astype(int), axis=2).min() > 0


def test_an_enlarged_view_shows_twice_the_square_around_it(evidence) -> None:
    picture = draw_slice(evidence, "T1", 0, class_index=1, enlarged=True, width_px=400)
    assert picture.shape == (800, 400, 3)  # 16 × 16 voxels of 3 × 1.5 mm
    assert coloured(picture) == (200, 599, 100, 299)


@pytest.mark.parametrize(
    "region", [SquareRegion(2, -5, -6, 12), SquareRegion(2, 14, 35, 12), SquareRegion(2, -4, 0, 60)]
)
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_square_beyond_the_image_is_drawn_as_far_as_there_is_image(
    taken, region: SquareRegion, enlarged: bool
) -> None:
    picture = draw_slice(made(taken, region), "T1", 0, class_index=0, enlarged=enlarged, width_px=200)
    first_row, last_row, first_column, last_column = coloured(picture)
    if region.row < 0:
        assert first_row == 0
    if region.column <= 0:
        assert first_column == 0
    if region.row + region.size_px > 20:
        assert last_row == picture.shape[0] - 1
    if region.column + region.size_px > 40:
        assert last_column == picture.shape[1] - 1


def test_grey_values_end_at_the_limits() -> None:
    values = np.array([[-5, 0, 25, 50, 100, 900]])
    assert grey_slice(values, (0.0, 100.0)).tolist() == [[0, 0, 64, 128, 255, 255]]
