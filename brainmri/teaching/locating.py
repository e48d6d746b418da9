"""Where would you look? A reader's mark against the tumour's outline, or where there is none its square region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.errors import TeachingError
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.imaging.records import Region
from brainmri.intake.records import Case
from brainmri.intake.volumes import MASK, read_volume, volume_path
from brainmri.study import Study
from brainmri.teaching.plans import Mark
from brainmri.teaching.records import Answer, Reader, SessionCase

Source = Literal["outline", "region"]

_NAMES: Final[dict[Source, str]] = {"outline": "the tumour", "region": "the square region around the tumour"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Tumour:
    """Where a tumour is.

    Parameters
    ----------
    voxels : ndarray of shape (S, R, C), bool
        True inside.
    spacing_mm : tuple of float
        Between slices, rows and columns.
    source : {'outline', 'region'}
        What it was taken from.
    """

    voxels: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Located:
    """A mark against a tumour.

    Parameters
    ----------
    inside : bool
    distance_mm : float
        From the mark to the nearest voxel of the tumour, between voxel centres; 0 inside.
    sentence : str
    """

    inside: bool
    distance_mm: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class LocatingScore:
    """The marks of one reader over the cases of a session.

    Parameters
    ----------
    reader : str
    inside : ShareInterval
        Marks inside, of those that were made; Wilson's interval.
    median_mm : float or None
        Of the distances, 0 for a mark inside; None without a mark.
    """

    reader: str
    inside: ShareInterval
    median_mm: float | None


def read_tumour(study: Study, case_id: str) -> Tumour:
    """Return where the tumour of a case is: its outline, or where it has none its square regions.

    Raises
    ------
    TeachingError
        Where the case has neither.
    IntakeError
        Where the outline cannot be read.
    """
    path = volume_path(study.case_folder(case_id), MASK)
    if path.is_file():
        array, spacing_mm = read_volume(path)
        if (array != 0).any():
            return Tumour(voxels=array != 0, spacing_mm=spacing_mm, source="outline")
    with study.session() as session:
        case = session.get_one(Case, case_id)
        chosen = select(Region).where(Region.case_id == case_id, Region.superseded_at.is_(None))
        regions = session.scalars(chosen).all()
    if not regions:
        raise TeachingError("Nobody has said where the tumour of this case is: it has neither an outline nor a region.")
    voxels = np.zeros((case.slices, case.rows, case.columns), bool)
    for one in regions:
        rows = slice(max(one.row, 0), max(one.row + one.size_px, 0))
        voxels[one.slice_index, rows, max(one.column, 0) : max(one.column + one.size_px, 0)] = True
    low, middle, high = (float(step) for step in case.spacing_mm)
    return Tumour(voxels=voxels, spacing_mm=(low, middle, high), source="region")


def locate(mark: Mark, tumour: Tumour) -> Located:
    """Say whether a mark is inside a tumour, and how far away it is where it is not.

    Parameters
    ----------
    mark : Mark
        On the tumour's grid.
    tumour : Tumour
        With one voxel at least.
    """
    place = np.array([mark.slice_index, mark.row, mark.column])
    steps = (np.argwhere(tumour.voxels) - place) * np.asarray(tumour.spacing_mm)
    distance_mm = float(np.sqrt((steps**2).sum(axis=1)).min())
    name = _NAMES[tumour.source]
    if distance_mm == 0:
        return Located(inside=True, distance_mm=0.0, sentence=f"The mark is inside {name}.")
    return Located(inside=False, distance_mm=distance_mm, sentence=f"The mark is {distance_mm:.0f} mm outside {name}.")


def score_locating(study: Study, session_id: str) -> tuple[LocatingScore, ...]:
    """Return how well each reader of a session found the tumours, in the order of joining.

    Raises
    ------
    TeachingError
        Where a case has neither an outline nor a region.
    """
    with study.session() as session:
        readers = session.scalars(
            select(Reader).where(Reader.session_id == session_id).order_by(Reader.joined_at, Reader.reader_id)
        ).all()
        cases = {
            row.position: row.case_id
            for row in session.scalars(select(SessionCase).where(SessionCase.session_id == session_id))
        }
        answers = session.scalars(
            select(Answer)
            .join(Reader)
            .where(Reader.session_id == session_id, Answer.step == "alone")
            .order_by(Answer.version)
        ).all()
    latest = {(row.reader_id, row.position): row.mark for row in answers}
    marked = {position for (_, position), mark in latest.items() if mark}
    tumours = {position: read_tumour(study, cases[position]) for position in marked}
    return tuple(
        _score(reader.name, [(latest.get((reader.reader_id, position)), tumours[position]) for position in tumours])
        for reader in readers
    )


def _score(reader: str, marks: Sequence[tuple[dict[str, Any] | None, Tumour]]) -> LocatingScore:
    found = [locate(Mark(**mark), tumour) for mark, tumour in marks if mark]
    return LocatingScore(
        reader=reader,
        inside=share_interval([one.inside for one in found]),
        median_mm=float(np.median([one.distance_mm for one in found])) if found else None,
    )
