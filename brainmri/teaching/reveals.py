"""What a reader may see of a case beyond its images. Each function refuses until the reader's step allows it.

The page can show only what it can read here, so that nothing reaches a browser too early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brainmri.errors import TeachingError
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.teaching.answers import STEPS
from brainmri.teaching.course import Present, find_place, find_reader, latest_answers
from brainmri.teaching.plans import Reveal
from brainmri.teaching.records import Reader, SessionCase


@dataclass(frozen=True, kw_only=True)
class ShownNetwork:
    """The network whose answer may be shown now, for the server to read its predictions and maps."""

    case_id: str
    run_id: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What closes a case; None or empty where the session does not show it.

    Parameters
    ----------
    case_id : str
        For the server, to find similar cases by; the page does not show it.
    diagnosis : str or None
        By pathology.
    clinical : mapping of str to object
        The columns that the plan names, as far as the case has them.
    note : str
    others : mapping of str to int or None
        How many of the other readers chose each diagnosis in the end; nobody is named.
    run_id : str or None
        For maps and similar cases, where they are shown.
    similar : bool
        Whether similar cases may be shown.
    """

    case_id: str
    diagnosis: str | None
    clinical: Mapping[str, Any]
    note: str
    others: Mapping[str, int] | None
    run_id: str | None
    similar: bool


def case_on_screen(study: Study, reader_id: str, position: int) -> str:
    """Return which case is before a reader, to read its images by. It stays on the server.

    Raises
    ------
    TeachingError
        Where another case is before the reader.
    """
    with study.session() as session:
        reader, _ = _at(session, reader_id, position)
        return _case(session, reader, position).case_id


def shown_network(study: Study, reader_id: str, position: int) -> ShownNetwork:
    """Return the network whose answer is shown.

    Raises
    ------
    TeachingError
        Before the reader has answered alone, and in a session that does not show it.
    """
    with study.session() as session:
        reader, place = _at(session, reader_id, position)
        _require(place, "network")
        if place.step == "alone":
            raise TeachingError("The network's answer is shown after your own one.")
        row = _case(session, reader, position)
        if row.run_id is None:
            raise TeachingError("No network was tested on this case.")
        return ShownNetwork(case_id=row.case_id, run_id=row.run_id)


def read_outcome(study: Study, reader_id: str, position: int) -> Outcome:
    """Return what closes a case.

    Raises
    ------
    TeachingError
        Before the last answer on it.
    """
    with study.session() as session:
        reader, place = _at(session, reader_id, position)
        if place.step != "pathology":
            raise TeachingError("The pathology is shown after the last answer on a case.")
        row = _case(session, reader, position)
        case = session.get_one(Case, row.case_id)
        reveals = place.plan.reveals
        columns = place.plan.clinical_columns if "clinical" in reveals else ()
        return Outcome(
            case_id=row.case_id,
            diagnosis=case.diagnosis if "pathology" in reveals else None,
            clinical={name: case.clinical[name] for name in columns if case.clinical.get(name) is not None},
            note=row.note if "note" in reveals else "",
            others=_others(session, reader, place, position) if "others" in reveals else None,
            run_id=row.run_id,
            similar="similar" in reveals and row.run_id is not None,
        )


def _at(session: Session, reader_id: str, position: int) -> tuple[Reader, Present]:
    reader = find_reader(session, reader_id)
    place = find_place(session, reader)
    if place.position != position:
        raise TeachingError("This case is not before you any more. Load the page again.")
    return reader, place


def _case(session: Session, reader: Reader, position: int) -> SessionCase:
    return session.get_one(SessionCase, (reader.session_id, position))


def _require(place: Present, reveal: Reveal) -> None:
    if reveal not in place.plan.reveals:
        raise TeachingError(f"This session does not show the {reveal}.")


def _others(session: Session, reader: Reader, place: Present, position: int) -> dict[str, int]:
    counts = dict.fromkeys(place.plan.classes, 0)
    others = session.scalars(
        select(Reader.reader_id).where(Reader.session_id == reader.session_id, Reader.reader_id != reader.reader_id)
    )
    for other in others.all():
        answers = latest_answers(session, other)
        final = next((answers[position, step] for step in reversed(STEPS) if (position, step) in answers), None)
        if final is not None and final.diagnosis in counts:
            counts[final.diagnosis] += 1
    return counts
