"""Where a reader is in a session: worked out from what the database holds, inside one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from brainmri.database import utc_now
from brainmri.errors import TeachingError
from brainmri.review.identity import warn_of_identity
from brainmri.teaching.answers import STEPS, Step
from brainmri.teaching.plans import GivenAnswer, SessionPlan
from brainmri.teaching.records import CLOSED, Answer, Draft, Reader, Reading, TeachingSession

Place = Literal["alone", "with network", "pathology", "done"]
"""Where a reader is in a case; ``done``: no case is left."""

GRACE_S: Final = 3
"""An answer on its way when the time ends still counts."""


@dataclass(frozen=True, kw_only=True)
class Present:
    """What is before a reader.

    Parameters
    ----------
    plan : SessionPlan
    title : str
        Of the session.
    step : {'alone', 'with network', 'pathology', 'done'}
    position : int or None
        Of the case in the session's fixed order; for the server alone. None when done.
    number, count : int
        ``Case 4 of 30`` in the reader's own order, from 1.
    key : str
        Opaque name of the case for this reader: other for another reader or session. Empty when done.
    answers : mapping of str to GivenAnswer
        By step: what counts so far.
    draft : mapping or None
        What was on the screen and not sent.
    seconds_left : float or None
        By the server's clock; None without a limit, and once the case was answered alone.
    timed_out : bool
        The time was over before an answer was sent.
    can_go_back : bool
    """

    plan: SessionPlan
    title: str
    step: Place
    position: int | None
    number: int
    count: int
    key: str
    answers: Mapping[str, GivenAnswer]
    draft: Mapping[str, Any] | None
    seconds_left: float | None
    timed_out: bool
    can_go_back: bool


def opaque_key(session: TeachingSession, reader_id: str, position: int) -> str:
    """Return a name for a case that says nothing and is another one for each reader and session."""
    message = f"{reader_id}:{position}".encode()
    return hashlib.blake2b(message, key=bytes.fromhex(session.secret), digest_size=12).hexdigest()


def latest_answers(session: Session, reader_id: str) -> dict[tuple[int, str], Answer]:
    """Return the answers of a reader that count, by position and step."""
    rows = session.scalars(select(Answer).where(Answer.reader_id == reader_id).order_by(Answer.version))
    return {(row.position, row.step): row for row in rows}


def as_given(row: Answer) -> GivenAnswer:
    """Return a stored answer as it was given."""
    return GivenAnswer.from_json(
        {"diagnosis": row.diagnosis, "confidence": row.confidence, "mark": row.mark, "reasoning": row.reasoning}
    )


def find_place(session: Session, reader: Reader) -> Present:
    """Return what is before a reader, and write down what the clock says: a case opened, a time that is over."""
    found = session.get_one(TeachingSession, reader.session_id)
    plan = SessionPlan.from_json(found.plan)
    readings = {
        row.position: row for row in session.scalars(select(Reading).where(Reading.reader_id == reader.reader_id))
    }
    answers = latest_answers(session, reader.reader_id)
    for number, position in enumerate(reader.order, 1):
        row = readings.get(position)
        if row is None:
            refuse_closed(found)
            row = Reading(reader_id=reader.reader_id, position=position, opened_at=utc_now(), timed_out=False)
            session.add(row)
            session.flush()
        if row.done_at is None:
            step = _step(session, plan, row, answers)
            if step != "done":
                return _describe(session, found, plan, reader, row, step, number, answers)
            finish_case(session, reader.reader_id, position)
    if reader.finished_at is None:
        reader.finished_at = utc_now()
    return Present(
        plan=plan,
        title=found.title,
        step="done",
        position=None,
        number=len(reader.order),
        count=len(reader.order),
        key="",
        answers={},
        draft=None,
        seconds_left=None,
        timed_out=False,
        can_go_back=plan.going_back and bool(reader.order) and found.status != CLOSED,
    )


def _describe(
    session: Session,
    found: TeachingSession,
    plan: SessionPlan,
    reader: Reader,
    row: Reading,
    step: Place,
    number: int,
    answers: Mapping[tuple[int, str], Answer],
) -> Present:
    draft = session.get(Draft, (reader.reader_id, row.position, step))
    waits = plan.limit_s is not None and step == "alone"
    return Present(
        plan=plan,
        title=found.title,
        step=step,
        position=row.position,
        number=number,
        count=len(reader.order),
        key=opaque_key(found, reader.reader_id, row.position),
        answers={one: as_given(answers[row.position, one]) for one in STEPS if (row.position, one) in answers},
        draft=dict(draft.content) if draft else None,
        seconds_left=max(0.0, plan.limit_s - _seconds(row.opened_at)) if waits and plan.limit_s else None,
        timed_out=row.timed_out,
        can_go_back=plan.going_back and number > 1,
    )


def _step(session: Session, plan: SessionPlan, row: Reading, answers: dict[tuple[int, str], Answer]) -> Place:
    """Return where in a case its reader is; ``done`` where nothing is left."""
    alone = (row.position, "alone") in answers
    if not alone and not row.timed_out and plan.limit_s and _seconds(row.opened_at) > plan.limit_s + GRACE_S:
        row.timed_out = True
        alone = _take_draft(session, plan, row, answers)
    shows_network = plan.asks_again and alone
    if row.reopened:
        return "with network" if shows_network else "alone"  # who has seen the network cannot answer alone again
    if not (alone or row.timed_out):
        return "alone"
    if shows_network and (row.position, "with network") not in answers:
        return "with network"
    return "pathology" if plan.closes_cases else "done"


def _take_draft(session: Session, plan: SessionPlan, row: Reading, answers: dict[tuple[int, str], Answer]) -> bool:
    """Count what was on the screen when the time was over, where it is a whole answer."""
    draft = session.get(Draft, (row.reader_id, row.position, "alone"))
    if draft is None:
        return False
    try:
        given = GivenAnswer.from_json(draft.content)
        given.check(plan)
    except (TeachingError, KeyError, TypeError):
        return False
    answer = _answer(row, "alone", given, version=1, seconds=float(plan.limit_s or 0))
    session.add(answer)
    answers[row.position, "alone"] = answer
    return True


def store_answer(session: Session, reader: Reader, position: int, step: Step, answer: GivenAnswer) -> None:
    """Store an answer once; see `brainmri.teaching.reading.send`."""
    found = session.get_one(TeachingSession, reader.session_id)
    plan = SessionPlan.from_json(found.plan)
    answer.check(plan)
    if warning := warn_of_identity(answer.reasoning):
        raise TeachingError(warning.replace("The note", "The reasoning"))
    if _stands(session, reader, position, step, answer):
        return
    refuse_closed(found)
    now = find_place(session, reader)
    if now.position != position or now.step != step:
        if _stands(session, reader, position, step, answer):  # stored by another window since we looked
            return
        if now.position == position and now.timed_out and step == "alone":
            raise TeachingError("The time for this case was over before the answer arrived. Go on with the next step.")
        raise TeachingError("This case was answered already. The answer that you gave first counts.")
    row = session.get_one(Reading, (reader.reader_id, position))
    version, seconds = 1, _seconds(row.opened_at)
    if step in now.answers:
        earlier = latest_answers(session, reader.reader_id)[position, step]
        version, seconds = earlier.version + 1, earlier.seconds
    session.add(_answer(row, step, answer, version=version, seconds=seconds))
    row.reopened = False


def _answer(row: Reading, step: Step, given: GivenAnswer, *, version: int, seconds: float) -> Answer:
    return Answer(
        reader_id=row.reader_id,
        position=row.position,
        step=step,
        version=version,
        diagnosis=given.diagnosis,
        confidence=dict(given.confidence),
        mark=None if given.mark is None else asdict(given.mark),
        reasoning=given.reasoning,
        seconds=seconds,
    )


def _stands(session: Session, reader: Reader, position: int, step: Step, answer: GivenAnswer) -> bool:
    """Return whether this very answer counts already; who went back to the case then leaves it again."""
    counting = latest_answers(session, reader.reader_id).get((position, step))
    if counting is None or as_given(counting) != answer:
        return False
    session.get_one(Reading, (reader.reader_id, position)).reopened = False
    return True


def finish_case(session: Session, reader_id: str, position: int) -> None:
    """Leave a case for good; asked twice, the first time counts."""
    row = session.get_one(Reading, (reader_id, position))
    row.done_at = row.done_at or utc_now()


def find_reader(session: Session, reader_id: str) -> Reader:
    """Return a reader, or refuse in a sentence."""
    found = session.get(Reader, reader_id)
    if found is None:
        raise TeachingError("This place in a session is not known. Join again with the session's code.")
    return found


def refuse_closed(found: TeachingSession) -> None:
    """Refuse anything new in a closed session."""
    if found.status == CLOSED:
        raise TeachingError(f"The session '{found.title}' is closed. Ask its instructor to open it again.")


def _seconds(since: datetime) -> float:
    return (utc_now() - since).total_seconds()
