"""The tumour's outline on samples, where the case has a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainmri.imaging.records import Sample
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.samples import crop_square, resize
from brainmri.intake.volumes import MASK, read_volume, volume_path
from brainmri.study import Study


def read_outlines(study: Study, rows: Sequence[Sample], size_px: int) -> list[NDArray[np.bool_] | None]:
    """Return for each sample where in it the tumour is, or None where its case has no mask.

    Parameters
    ----------
    study : Study
    rows : sequence of Sample
        In any order; the mask of a case is read once.
    size_px : int
        Side of the samples.

    Returns
    -------
    list of ndarray or None, shape (size_px, size_px), bool
    """
    found: list[NDArray[np.bool_] | None] = [None] * len(rows)
    opened: tuple[str, NDArray[np.float32] | None] = ("", None)
    for place in sorted(range(len(rows)), key=lambda place: rows[place].case_id):
        row = rows[place]
        if opened[0] != row.case_id:
            opened = (row.case_id, _read_mask(study, row.case_id))
        if opened[1] is not None:
            region = SquareRegion(row.slice_index, row.row, row.column, row.size_px)
            square = crop_square(opened[1][row.slice_index], region)
            found[place] = resize(square.astype(np.float32), size_px) >= 0.5
    return found


def _read_mask(study: Study, case_id: str) -> NDArray[np.float32] | None:
    path = volume_path(study.case_folder(case_id), MASK)
    return (read_volume(path)[0] != 0).astype(np.float32) if path.is_file() else None
