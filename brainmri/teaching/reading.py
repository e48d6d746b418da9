"""A reader's way through a session: joined, before a case, answered, moved on.

The database holds where a reader is, so that a reload or a lost connection goes on at the same case and step, and an
answer that arrives twice counts once. What a step does not allow cannot be read: see `brainmri.teaching.reveals`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from brainmri.database import utc_now
from brainmri.errors import TeachingError
from brainmri.study import Study
from brainmri.teaching.answers import Step
from brainmri.teaching.course import Present, find_place, find_reader, finish_case, refuse_closed, store_answer
from brainmri.teaching.plans import GivenAnswer, SessionPlan
from brainmri.teaching.records import Draft, Reader, Reading, SessionCase
from brainmri.teaching.sessions import find_session

MAXIMUM_NAME: Final = 40
_TRIES: Final = 5


def join(study: Study, code: str, name: str, *, subject: str | None = None) -> Reader:
    """Enter a session.

    Parameters
    ----------
    study : Study
    code : str
        Of the session.
    name : str
        A name or a pseudonym.
    subject : str, optional
        Identity from the sign-in: the same person comes back to the same place.

    Raises
    ------
    TeachingError
        For an unknown code, a closed session, an empty name, and a name that somebody else has in this session.
    """
    found = find_session(study, code)
    name = " ".join(name.split())
    if not name:
        raise TeachingError("Enter a name or a pseudonym.")
    if len(name) > MAXIMUM_NAME:
        raise TeachingError(f"The name has {len(name)} characters; expected up to {MAXIMUM_NAME}.")
    with study.session() as session:
        if subject is not None:
            query = select(Reader).where(Reader.session_id == found.session_id, Reader.subject == subject)
            if (known := session.scalar(query)) is not None:
                return known
    refuse_closed(found)
    reader_id = secrets.token_urlsafe(24)
    try:
        with study.session() as session:
            count = session.scalar(
                select(func.count()).select_from(SessionCase).where(SessionCase.session_id == found.session_id)
            )
            reader = Reader(
                reader_id=reader_id,
                session_id=found.session_id,
                name=name,
                subject=subject,
                order=_order(SessionPlan.from_json(found.plan), int(count or 0), reader_id),
            )
            session.add(reader)
        return reader
    except IntegrityError as error:
        raise TeachingError(
            f"Somebody is already reading as {name} in this session. Choose another name; if it was you, open the "
            "address that you had."
        ) from error


def resume(study: Study, reader_id: str) -> Reader:
    """Return a reader who comes back.

    Raises
    ------
    TeachingError
        Where there is no such reader.
    """
    with study.session() as session:
        return find_reader(session, reader_id)


def present(study: Study, reader_id: str) -> Present:
    """Return what is before a reader; a case that comes up is opened, and one whose time is over goes on.

    Raises
    ------
    TeachingError
        Where there is no such reader.
    """
    for _ in range(_TRIES):
        try:
            with study.session() as session:
                return find_place(session, find_reader(session, reader_id))
        except IntegrityError:
            continue  # another window of the same reader opened the case at the same moment
    raise TeachingError("The case could not be opened: another window of yours is at it. Load the page again.")


def send(study: Study, reader_id: str, position: int, step: Step, answer: GivenAnswer) -> Present:
    """Store an answer and go on. The same answer sent again changes nothing.

    Parameters
    ----------
    study : Study
    reader_id : str
    position : int
        Of the case that was on the screen.
    step : {'alone', 'with network'}
    answer : GivenAnswer

    Raises
    ------
    TeachingError
        For an answer that the plan does not ask for, a closed session, time that was over, and another answer than the
        one that counts already, where the plan allows no going back.
    """
    for _ in range(_TRIES):
        try:
            with study.session() as session:
                reader = find_reader(session, reader_id)
                store_answer(session, reader, position, step, answer)
                session.flush()
                return find_place(session, reader)
        except IntegrityError:
            continue  # the same answer from another window: read again what counts
    raise TeachingError("The answer could not be stored: another window of yours is at it. Load the page again.")


def save_draft(study: Study, reader_id: str, position: int, step: Step, content: Mapping[str, Any]) -> None:
    """Keep what is on the screen, in case the connection is lost. Nothing is checked; the last one wins."""
    with study.session() as session:
        find_reader(session, reader_id)
        session.merge(
            Draft(reader_id=reader_id, position=position, step=step, content=dict(content), saved_at=utc_now())
        )


def move_on(study: Study, reader_id: str, position: int) -> Present:
    """Leave the pathology of a case for the next case. Asking twice goes on once."""
    with study.session() as session:
        reader = find_reader(session, reader_id)
        now = find_place(session, reader)
        if now.position == position and now.step == "pathology":
            finish_case(session, reader_id, position)
            session.flush()
            return find_place(session, reader)
        return now


def go_back(study: Study, reader_id: str) -> Present:
    """Open the case before the present one again, at its first step.

    Raises
    ------
    TeachingError
        Where the plan does not allow it, or this is the first case.
    """
    with study.session() as session:
        reader = find_reader(session, reader_id)
        now = find_place(session, reader)
        if not now.can_go_back:
            raise TeachingError("This session does not go back." if not now.plan.going_back else "This is the first.")
        earlier = reader.order[now.number - 2] if now.step != "done" else reader.order[-1]
        session.get_one(Reading, (reader_id, earlier)).done_at = None
        session.get_one(Reading, (reader_id, earlier)).reopened = True
        reader.finished_at = None
        session.flush()
        return find_place(session, reader)


def _order(plan: SessionPlan, count: int, reader_id: str) -> list[int]:
    """Return the positions in a reader's own order."""
    if plan.order == "fixed":
        return list(range(count))
    seed = int.from_bytes(hashlib.blake2b(reader_id.encode(), digest_size=8).digest())
    return [int(position) for position in np.random.default_rng(seed).permutation(count)]
