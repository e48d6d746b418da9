"""Tables of people: their roles, and the audit trail, to which the database lets rows be added and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import DDL, event
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now


class PersonRow(Base):
    """One person who signs in, and what they may do."""

    __tablename__ = "people"

    subject: Mapped[str] = mapped_column(primary_key=True)
    """Who it is to the sign-in: an e-mail address in small letters, or ``issuer|sub``."""
    name: Mapped[str] = mapped_column(unique=True)
    """As it stands at findings, corrections and answers. No two people have the same one."""
    roles: Mapped[list[Any]]
    """Of `brainmri.people.roles.ROLES`; none: the person may only wait."""
    added_at: Mapped[datetime] = mapped_column(default=utc_now)
    added_by: Mapped[str]


class AuditEntry(Base):
    """Something that a person did. No patient identity, no path and no free text in it."""

    __tablename__ = "audit_trail"

    id: Mapped[int] = mapped_column(primary_key=True)
    noted_at: Mapped[datetime] = mapped_column(default=utc_now)
    person: Mapped[str]
    """Subject of the person; ``local`` where nobody signs in, ``command line`` there."""
    action: Mapped[str]
    """In a few words: ``start train``, ``grant roles``."""
    subject: Mapped[str]
    """What it was done to: an experiment, a session, a person. Empty where it is nothing by name."""
    detail: Mapped[dict[str, Any]]


_REFUSAL: Final = "the audit trail is added to and never changed"

_SQLITE: Final = tuple(
    f"CREATE TRIGGER audit_trail_no_{verb.lower()} BEFORE {verb} ON audit_trail "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for verb in ("UPDATE", "DELETE")
)

_POSTGRESQL: Final = (
    "CREATE OR REPLACE FUNCTION audit_trail_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_refuse()",
)

for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _statement in _statements:
        event.listen(AuditEntry.__table__, "after_create", DDL(_statement).execute_if(dialect=_dialect))
