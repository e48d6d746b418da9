"""Tables of reading sessions: the session, its cases, its readers, and what they answered.

An answer counts once: the database refuses a second one of the same version. Nothing is overwritten.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now

OPEN: Final = "open"
CLOSED: Final = "closed"


class TeachingSession(Base):
    """One reading session."""

    __tablename__ = "teaching_sessions"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    """``ses-001`` and so on."""
    code: Mapped[str] = mapped_column(unique=True)
    """What readers join with: six characters that cannot be mistaken for one another."""
    secret: Mapped[str]
    """Key of the opaque names that cases have in what leaves the server."""
    title: Mapped[str]
    author: Mapped[str]
    experiment_id: Mapped[str | None] = mapped_column(ForeignKey("experiments.experiment_id"))
    """The experiment whose networks answered; None: no network is shown."""
    plan: Mapped[dict[str, Any]]
    """`brainmri.teaching.plans.SessionPlan.to_json()`."""
    status: Mapped[str]
    """``open`` or ``closed``."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]
    copied_from: Mapped[str | None]
    """The session that this one was copied from."""


class SessionCase(Base):
    """One case of a session."""

    __tablename__ = "teaching_cases"

    session_id: Mapped[str] = mapped_column(ForeignKey("teaching_sessions.session_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in the fixed order."""
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.run_id"))
    """The network whose answer is shown: a run that tested the case, never one that trained on it."""
    note: Mapped[str]
    """What the instructor wants to be said with the pathology."""

    __table_args__ = (UniqueConstraint("session_id", "case_id"),)


class Reader(Base):
    """One person in one session."""

    __tablename__ = "teaching_readers"

    reader_id: Mapped[str] = mapped_column(primary_key=True)
    """Opaque and not to be guessed: whoever has it is the reader."""
    session_id: Mapped[str] = mapped_column(ForeignKey("teaching_sessions.session_id"))
    name: Mapped[str]
    """A name or a pseudonym."""
    subject: Mapped[str | None]
    """Identity from the sign-in; None without one."""
    order: Mapped[list[Any]] = mapped_column("reading_order")
    """Positions of the cases in the order in which this reader gets them."""
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("session_id", "name"),)


class Reading(Base):
    """One case before one reader: when it was opened and finished, by the server's clock."""

    __tablename__ = "teaching_readings"

    reader_id: Mapped[str] = mapped_column(ForeignKey("teaching_readers.reader_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    timed_out: Mapped[bool] = mapped_column(default=False)
    """The time was over before an answer was sent."""
    reopened: Mapped[bool] = mapped_column(default=False)
    """The reader went back to it."""
    done_at: Mapped[datetime | None]


class Answer(Base):
    """One answer; the highest version counts."""

    __tablename__ = "teaching_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("teaching_readers.reader_id"))
    position: Mapped[int]
    step: Mapped[str]
    """``alone`` or ``with network``."""
    version: Mapped[int]
    """From 1; further ones only where the plan allows going back."""
    diagnosis: Mapped[str | None]
    """None in the exercise that only asks where the tumour is."""
    confidence: Mapped[dict[str, Any]]
    """Per cent by diagnosis, 0 to 100: of each one, or of the chosen one."""
    mark: Mapped[dict[str, Any] | None]
    """Where the decisive finding is: ``slice_index``, ``row`` and ``column`` of the case's grid."""
    reasoning: Mapped[str]
    seconds: Mapped[float]
    """From opening the case to this answer."""
    answered_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (UniqueConstraint("reader_id", "position", "step", "version"),)


class Draft(Base):
    """What a reader has filled in and not yet sent; the last one wins."""

    __tablename__ = "teaching_drafts"

    reader_id: Mapped[str] = mapped_column(ForeignKey("teaching_readers.reader_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)
