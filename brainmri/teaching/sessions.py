"""Reading sessions: made, found by their code, copied, closed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from brainmri.database import utc_now
from brainmri.errors import TeachingError
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.teaching.choosing import ChosenCase
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import CLOSED, OPEN, Answer, Reader, SessionCase, TeachingSession

CODE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which people mistake for one another."""

CODE_LENGTH: Final = 6
MAXIMUM_TITLE: Final = 80
_TRIES: Final = 5


@dataclass(frozen=True, kw_only=True)
class SessionSummary:
    """A session as a list shows it.

    Parameters
    ----------
    session : TeachingSession
    cases, readers, finished : int
        Cases, people who joined, and those of them who finished.
    """

    session: TeachingSession
    cases: int
    readers: int
    finished: int


def create_session(
    study: Study,
    plan: SessionPlan,
    cases: Sequence[ChosenCase],
    *,
    title: str,
    author: str,
    experiment_id: str | None = None,
    copied_from: str | None = None,
) -> TeachingSession:
    """Make an open session.

    Raises
    ------
    TeachingError
        Without a case or a title, where a case is named twice, or where the network is to be shown and a case has none.
    """
    title = " ".join(title.split())[:MAXIMUM_TITLE]
    if not title:
        raise TeachingError("Give the session a title, so that it can be found again.")
    if not cases:
        raise TeachingError("Choose at least one case.")
    if len({case.case_id for case in cases}) < len(cases):
        raise TeachingError("A session shows a case once; one was chosen twice.")
    if "network" in plan.reveals and any(case.run_id is None for case in cases):
        raise TeachingError("The network's answer is to be shown, but no network was tested on some of the cases.")
    outside = sorted({case.diagnosis for case in cases} - set(plan.classes))
    if plan.exercise == "diagnosis" and outside:
        raise TeachingError(f"{', '.join(outside)} is among the cases, but not among the diagnoses offered.")
    for _ in range(_TRIES):
        try:
            with study.session() as session:
                made = TeachingSession(
                    session_id=_next_id(session),
                    code="".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
                    secret=secrets.token_hex(32),
                    title=title,
                    author=author,
                    experiment_id=experiment_id,
                    plan=plan.to_json(),
                    status=OPEN,
                    copied_from=copied_from,
                )
                session.add(made)
                session.flush()
                session.add_all(
                    SessionCase(
                        session_id=made.session_id,
                        position=position,
                        case_id=case.case_id,
                        run_id=case.run_id,
                        note=case.note,
                    )
                    for position, case in enumerate(cases)
                )
            return made
        except IntegrityError:
            continue  # somebody took the number, or the code, at the same moment
    raise TeachingError("The session could not be made: others are being made at the same time. Try again.")


def copy_session(study: Study, session_id: str, *, title: str, author: str) -> TeachingSession:
    """Make an open session with the same plan and cases, and no reader."""
    source = read_session(study, session_id)
    with study.session() as session:
        rows = session.scalars(_cases_of(session_id)).all()
    cases = [
        ChosenCase(case_id=row.case_id, diagnosis=diagnosis, run_id=row.run_id, note=row.note)
        for row, diagnosis in zip(rows, read_truth(study, session_id), strict=True)
    ]
    return create_session(
        study,
        SessionPlan.from_json(source.plan),
        cases,
        title=title,
        author=author,
        experiment_id=source.experiment_id,
        copied_from=session_id,
    )


def list_sessions(study: Study) -> tuple[SessionSummary, ...]:
    """Return all sessions, the newest first."""
    with study.session() as session:
        cases = _count(session, SessionCase.session_id)
        readers = _count(session, Reader.session_id)
        over = select(Reader.session_id, func.count()).where(Reader.finished_at.is_not(None))
        finished = {row[0]: row[1] for row in session.execute(over.group_by(Reader.session_id))}
        rows = session.scalars(select(TeachingSession).order_by(TeachingSession.session_id.desc())).all()
    return tuple(
        SessionSummary(
            session=row,
            cases=cases.get(row.session_id, 0),
            readers=readers.get(row.session_id, 0),
            finished=finished.get(row.session_id, 0),
        )
        for row in rows
    )


def read_session(study: Study, session_id: str) -> TeachingSession:
    """Return a session.

    Raises
    ------
    TeachingError
        Where there is none of that name.
    """
    with study.session() as session:
        found = session.get(TeachingSession, session_id)
    if found is None:
        raise TeachingError(f"There is no session {session_id}.")
    return found


def find_session(study: Study, code: str) -> TeachingSession:
    """Return the session that a code names, however it is written.

    Raises
    ------
    TeachingError
        Where there is none.
    """
    written = "".join(code.split()).upper().replace("-", "")
    with study.session() as session:
        found = session.scalar(select(TeachingSession).where(TeachingSession.code == written))
    if found is None:
        raise TeachingError("There is no session with this code. Look at it again: it has six letters and digits.")
    return found


def read_cases(study: Study, session_id: str) -> tuple[SessionCase, ...]:
    """Return the cases of a session in the fixed order. For the instructor: it names them."""
    with study.session() as session:
        return tuple(session.scalars(_cases_of(session_id)))


def read_truth(study: Study, session_id: str) -> tuple[str, ...]:
    """Return the pathology of each case, in the fixed order. For the instructor and for scores."""
    with study.session() as session:
        rows = session.execute(
            select(Case.diagnosis)
            .join(SessionCase, SessionCase.case_id == Case.case_id)
            .where(SessionCase.session_id == session_id)
            .order_by(SessionCase.position)
        )
        return tuple(str(row[0]) for row in rows)


def close_session(study: Study, session_id: str) -> None:
    """Let nobody join or answer any more. Answers stay."""
    _set_status(study, session_id, CLOSED)


def reopen_session(study: Study, session_id: str) -> None:
    """Let readers join and answer again."""
    _set_status(study, session_id, OPEN)


def delete_session(study: Study, session_id: str) -> None:
    """Remove a session that nobody has joined.

    Raises
    ------
    TeachingError
        Where somebody has: answers are never lost.
    """
    read_session(study, session_id)
    with study.session() as session:
        if session.scalar(select(func.count()).select_from(Reader).where(Reader.session_id == session_id)):
            raise TeachingError("Somebody has joined this session, so it is kept. Close it instead.")
        session.execute(delete(SessionCase).where(SessionCase.session_id == session_id))
        session.execute(delete(TeachingSession).where(TeachingSession.session_id == session_id))


def count_answers(study: Study, session_id: str) -> int:
    """Return how many answers, versions included, a session holds."""
    with study.session() as session:
        query = select(func.count()).select_from(Answer).join(Reader).where(Reader.session_id == session_id)
        return int(session.scalar(query) or 0)


def _set_status(study: Study, session_id: str, status: str) -> None:
    read_session(study, session_id)
    with study.session() as session:
        found = session.get_one(TeachingSession, session_id)
        found.status = status
        found.closed_at = utc_now() if status == CLOSED else None


def _next_id(session: Session) -> str:
    names = session.scalars(select(TeachingSession.session_id))
    return f"ses-{1 + max((int(name.removeprefix('ses-')) for name in names), default=0):03d}"


def _cases_of(session_id: str) -> Select[SessionCase]:
    return select(SessionCase).where(SessionCase.session_id == session_id).order_by(SessionCase.position)


def _count(session: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(select(column, func.count()).group_by(column))}
