"""Corrections of cases: noted, taken back, and collected as the changes since a data set.

Cases and their data sets stay as they are: corrections are laid over them when a corrected data set is made. Of several
labels of one case, or several squares on one slice, the last one counts; one exclusion is enough to leave a case out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select, update

from brainmri.database import utc_now
from brainmri.errors import StudyError, UsageError
from brainmri.imaging.corrected import CaseChanges, Progress, freeze_corrected
from brainmri.imaging.datasets import read_dataset
from brainmri.imaging.records import Dataset, Sample
from brainmri.imaging.regions import SquareRegion
from brainmri.intake.records import Case
from brainmri.review.records import Correction
from brainmri.study import Study
from brainmri.vocabulary import DIAGNOSES, normalise_diagnosis

MAXIMUM_WORDS: Final = 500
"""Characters of a reason."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a data set made now would have besides those of an earlier one.

    Parameters
    ----------
    dataset_hash : str
        The earlier one.
    added : tuple of Correction
        Those that it does not have.
    taken_back : tuple of Correction
        Those that it has and that do not count any more.
    """

    dataset_hash: str
    added: tuple[Correction, ...]
    taken_back: tuple[Correction, ...]

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Every case that changes, once."""
        return tuple(sorted({one.case_id for one in (*self.added, *self.taken_back)}))


def relabel_case(study: Study, case_id: str, diagnosis: str, *, reason: str, author: str) -> Correction:
    """Note another diagnosis of a case.

    Raises
    ------
    UsageError
        Where the diagnosis is not one of the study's, or the reason or author is missing.
    StudyError
        Where there is no such case.
    """
    name = normalise_diagnosis(diagnosis)
    if name not in DIAGNOSES:
        raise UsageError(f"'{diagnosis}' is not a diagnosis of this study. Choose one of {', '.join(DIAGNOSES)}.")
    return _add(study, case_id, "relabel", reason, author, diagnosis=name)


def redraw_region(
    study: Study, case_id: str, square: SquareRegion, *, last_slice: int, reason: str, author: str
) -> Correction:
    """Note a new square on the slices from that of the square to the last one, both included.

    Raises
    ------
    UsageError
        Where the square does not touch the image, or its slices are none of the case's.
    StudyError
        Where there is no such case.
    """
    case = _find_case(study, case_id)
    if not 0 <= square.slice_index <= last_slice < case.slices:
        raise UsageError(
            f"The slices {square.slice_index} to {last_slice} are not all in {case_id}, which has {case.slices}, "
            "numbered from 0."
        )
    reaches_rows = square.row < case.rows and square.row + square.size_px > 0
    reaches_columns = square.column < case.columns and square.column + square.size_px > 0
    if square.size_px < 1 or not (reaches_rows and reaches_columns):
        raise UsageError(
            f"The square at row {square.row}, column {square.column} with {square.size_px} px lies outside the images "
            f"of {case_id} ({case.rows} × {case.columns}). Draw it over the tumour."
        )
    place = {"row": square.row, "column": square.column, "size_px": square.size_px}
    return _add(
        study, case_id, "region", reason, author, first_slice=square.slice_index, last_slice=last_slice, **place
    )


def exclude_case(study: Study, case_id: str, *, reason: str, author: str) -> Correction:
    """Note that a case is to be left out.

    Raises
    ------
    UsageError
        Where the reason or author is missing.
    StudyError
        Where there is no such case.
    """
    return _add(study, case_id, "exclude", reason, author)


def withdraw_correction(study: Study, correction_id: int, *, author: str) -> None:
    """Take a correction back; its row stays.

    Raises
    ------
    StudyError
        Where there is no such correction, or it was taken back already.
    """
    query = update(Correction).where(Correction.id == correction_id, Correction.withdrawn_at.is_(None))
    with study.session() as session:
        found = session.execute(
            query.values(withdrawn_at=utc_now(), withdrawn_by=_words(author, "author")).returning(Correction.id)
        ).all()
    if not found:
        raise StudyError(
            f"There is no correction {correction_id} that could be taken back; perhaps somebody has done so."
        )


def read_corrections(study: Study, case_id: str | None = None, *, withdrawn: bool = False) -> list[Correction]:
    """Return corrections in the order in which they were noted; those taken back only where asked for."""
    query = select(Correction).order_by(Correction.id)
    if case_id is not None:
        query = query.where(Correction.case_id == case_id)
    if not withdrawn:
        query = query.where(Correction.withdrawn_at.is_(None))
    with study.session() as session:
        return list(session.scalars(query))


def changes_since(study: Study, dataset_hash: str) -> Changes:
    """Return the corrections of a data set's cases that it does not have, and those that it should not have any more.

    Raises
    ------
    ImagingError
        Where there is no such data set.
    """
    dataset = read_dataset(study, dataset_hash)
    has = set(dataset.correction_ids or ())
    every = _corrections_of(study, _original(study, dataset))
    return Changes(
        dataset_hash=dataset_hash,
        added=tuple(one for one in every if one.withdrawn_at is None and one.id not in has),
        taken_back=tuple(one for one in every if one.withdrawn_at is not None and one.id in has),
    )


def correct_dataset(study: Study, dataset_hash: str, *, progress: Progress | None = None) -> Dataset:
    """Make the next version of a data set: its original with every correction that counts now.

    Raises
    ------
    ImagingError
        Where there is no such data set, or a class would be empty.
    """
    original = _original(study, read_dataset(study, dataset_hash))
    counting = [one for one in _corrections_of(study, original) if one.withdrawn_at is None]
    return freeze_corrected(
        study, original, plan_changes(counting), correction_ids=[one.id for one in counting], progress=progress
    )


def plan_changes(corrections: Iterable[Correction]) -> dict[str, CaseChanges]:
    """Return what corrections, in the order in which they were noted, come to for each case."""
    planned: dict[str, CaseChanges] = {}
    for one in corrections:
        before = planned.get(one.case_id, CaseChanges())
        planned[one.case_id] = replace(
            before,
            diagnosis=one.diagnosis or before.diagnosis,
            excluded=before.excluded or one.kind == "exclude",
            regions={**before.regions, **_squares(one)},
        )
    return planned


def _squares(one: Correction) -> dict[int, SquareRegion]:
    if one.first_slice is None or one.last_slice is None or one.row is None or one.column is None or not one.size_px:
        return {}
    slices = range(one.first_slice, one.last_slice + 1)
    return {at: SquareRegion(at, one.row, one.column, one.size_px) for at in slices}


def _original(study: Study, dataset: Dataset) -> Dataset:
    return dataset if dataset.corrected_from is None else read_dataset(study, dataset.corrected_from)


def _corrections_of(study: Study, original: Dataset) -> list[Correction]:
    """Return the corrections of a data set's cases, also those taken back."""
    with study.session() as session:
        cases = set(session.scalars(select(Sample.case_id).where(Sample.dataset_hash == original.hash).distinct()))
    return [one for one in read_corrections(study, withdrawn=True) if one.case_id in cases]


def _find_case(study: Study, case_id: str) -> Case:
    with study.session() as session:
        case = session.get(Case, case_id)
    if case is None:
        raise StudyError(f"The study {study.folder} has no case '{case_id}'. Choose one of the list.")
    return case


def _add(study: Study, case_id: str, kind: str, reason: str, author: str, **columns: Any) -> Correction:
    correction = Correction(
        case_id=_find_case(study, case_id).case_id,
        kind=kind,
        reason=_words(reason, "reason"),
        author=_words(author, "author"),
        **columns,
    )
    with study.session() as session:
        session.add(correction)
    return correction


def _words(text: str, name: str) -> str:
    words = " ".join(text.split())
    if not 0 < len(words) <= MAXIMUM_WORDS:
        raise UsageError(f"The {name} of the correction has {len(words)} characters; expected 1 to {MAXIMUM_WORDS}.")
    return words
