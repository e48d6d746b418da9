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
        Those of a case are best side by side: its mask is read once.
    size_px : int
        Side of the samples.

    Returns
    -------
    list of ndarray or None, shape (size_px, size_px), bool
    """
    found: list[NDArray[np.bool_] | None] = []
    opened: tuple[str, NDArray[np.float32] | None] = ("", None)
    for row in rows:
        if opened[0] != row.case_id:
            opened = (row.case_id, _read_mask(study, row.case_id))
        mask = opened[1]
        if mask is None:
            found.append(None)
            continue
        region = SquareRegion(row.slice_index, row.row, row.column, row.size_px)
        square = crop_square(mask[row.slice_index], region)
        found.append(resize(square.astype(np.float32), size_px) >= 0.5)
    return found


def _read_mask(study: Study, case_id: str) -> NDArray[np.float32] | None:
    path = volume_path(study.case_folder(case_id), MASK)
    return (read_volume(path)[0] != 0).astype(np.float32) if path.is_file() else None
