"""The audit trail: who did what, and when."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from brainmri.people.records import AuditEntry
from brainmri.study import Study

LOCAL: Final = "local"
"""Whoever sits at a computer where nobody signs in."""

MAXIMUM_TEXT: Final = 200
"""Characters of one text in an entry's detail."""


def note(
    study: Study, person: str, action: str, subject: str = "", detail: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Add one row to the audit trail.

    Parameters
    ----------
    study : Study
    person : str
        Subject of who did it; `LOCAL` where nobody signs in.
    action : str
        In a few words.
    subject : str
        What it was done to.
    detail : mapping, optional
        What JSON holds; texts are cut at `MAXIMUM_TEXT`. Nothing that names a patient, so no path and no free text.
    """
    entry = make_entry(person, action, subject, detail)
    with study.session() as session:
        session.add(entry)
    return entry


def make_entry(person: str, action: str, subject: str = "", detail: Mapping[str, Any] | None = None) -> AuditEntry:
    """Return a row of the audit trail, to be added in the transaction of what it tells."""
    return AuditEntry(person=person, action=action, subject=subject, detail=_shorten(dict(detail or {})))


def read_trail(
    study: Study, *, person: str | None = None, action: str | None = None, limit: int | None = None
) -> tuple[AuditEntry, ...]:
    """Return the audit trail, the newest row first.

    Parameters
    ----------
    study : Study
    person, action : str, optional
        Only rows of this person, or of this action.
    limit : int, optional
        At most so many rows.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if person is not None:
        query = query.where(AuditEntry.person == person)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    with study.session() as session:
        return tuple(session.scalars(query))


def command_line_person() -> str:
    """Return who types a command: the account of the operating system."""
    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):  # an account without a name, as in a container
        return "command line"


def _shorten(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAXIMUM_TEXT]
    if isinstance(value, Mapping):
        return {str(name): _shorten(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shorten(one) for one in (value if isinstance(value, list | tuple) else sorted(value))]
    return value
