"""Who may do what: people of a study and their roles.

The first person gets their roles on the command line, ``python -m brainmri people grant EMAIL instructor reviewer
may-train``. Who signs in without a row, or with no role, may only wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, cast

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from brainmri.errors import UsageError
from brainmri.people.audit import make_entry
from brainmri.people.records import PersonRow
from brainmri.study import Study

Role = Literal["instructor", "reviewer", "reader", "may-train"]

ROLES: Final[dict[Role, str]] = {
    "instructor": "makes reading sessions, and sees who answered what",
    "reviewer": "imports and curates cases, writes findings and corrections",
    "reader": "answers in reading sessions, and sees nothing else",
    "may-train": "starts and stops trainings, and imports cases",
}
"""What each role allows. Who has another role than ``reader`` sees all pages."""

MAXIMUM_NAME: Final = 40
"""Characters of a name: as many as a reading session takes."""

_MAXIMUM_SUBJECT: Final = 255


def read_people(study: Study) -> tuple[PersonRow, ...]:
    """Return all people of a study by their name."""
    with study.session() as session:
        return tuple(session.scalars(select(PersonRow).order_by(PersonRow.name)))


def find_person(study: Study, subject: str) -> PersonRow | None:
    """Return the person of a subject, or None where the study does not know them."""
    with study.session() as session:
        return session.get(PersonRow, normalise_subject(subject))


def known_roles(person: PersonRow) -> frozenset[Role]:
    """Return the roles of a person; a word that is no role, as of a newer version, counts for nothing."""
    return frozenset(cast(Role, role) for role in person.roles if role in ROLES)


def whom_to_ask(study: Study) -> tuple[str, ...]:
    """Return the names of the instructors, who know how roles are given here."""
    return tuple(person.name for person in read_people(study) if "instructor" in person.roles)


def grant(study: Study, subject: str, roles: Iterable[str], *, by: str, name: str | None = None) -> PersonRow:
    """Give a person roles, beside those that they have; a person whom the study does not know is added.

    Parameters
    ----------
    study : Study
    subject : str
        E-mail address, or ``issuer|sub``.
    roles : iterable of str
        Of `ROLES`; at least one.
    by : str
        Who gives them.
    name : str, optional
        As it stands at findings and answers. Default: what it is, for a new person the subject.

    Raises
    ------
    UsageError
        Where the subject or the name cannot be used, another person has the name, or a word is no role.
    """
    subject, given = normalise_subject(subject), _check_roles(roles)
    if not given:
        raise UsageError(f"Name at least one role: {', '.join(ROLES)}.")
    try:
        with study.session() as session:
            person = session.get(PersonRow, subject)
            if person is None:
                person = PersonRow(subject=subject, name=_check_name(name or subject), roles=[], added_by=by)
                session.add(person)
            elif name is not None:
                person.name = _check_name(name)
            person.roles = [role for role in ROLES if role in given or role in person.roles]
            session.add(make_entry(by, "grant roles", subject, {"roles": given, "now": person.roles}))
    except IntegrityError as error:
        taken = " ".join((name or subject).split())
        raise UsageError(
            f"Another person of this study has the name '{taken}'. Give another one with --name."
        ) from error
    return person


def revoke(study: Study, subject: str, roles: Iterable[str] = (), *, by: str) -> PersonRow:
    """Take roles from a person, all of them where none is named. The person stays known, and may only wait.

    Raises
    ------
    UsageError
        Where the study does not know the person, or a word is no role.
    """
    subject, taken = normalise_subject(subject), _check_roles(roles) or list(ROLES)
    with study.session() as session:
        person = session.get(PersonRow, subject)
        if person is None:
            raise UsageError(f"This study does not know '{subject}'. See python -m brainmri people list.")
        gone = [role for role in person.roles if role in taken]
        person.roles = [role for role in person.roles if role not in taken]
        session.add(make_entry(by, "revoke roles", subject, {"roles": gone, "now": person.roles}))
    return person


def normalise_subject(subject: str) -> str:
    """Return a subject as the table holds it: an e-mail address in small letters, ``issuer|sub`` as it is.

    Letters beyond ASCII stay as they are: ``ß`` and ``ss``, or ``K`` and the sign for kelvin, are two addresses.

    Raises
    ------
    UsageError
        Where it is neither.
    """
    text = subject.strip()
    fits = 0 < len(text) <= _MAXIMUM_SUBJECT and text.isprintable() and not any(map(str.isspace, text))
    if fits and "|" in text and all(text.split("|", 1)):
        return text
    if fits and text.count("@") == 1 and all(text.split("@")):
        return "".join(one.lower() if one.isascii() else one for one in text)
    raise UsageError(f"'{text[:80]}' is neither an e-mail address nor ISSUER|SUB, as the sign-in names a person.")


def _check_roles(roles: Iterable[str]) -> list[str]:
    named = set(roles)
    unknown = sorted(named - set(ROLES))
    if unknown:
        raise UsageError(f"'{unknown[0]}' is no role; expected {', '.join(ROLES)}.")
    return [role for role in ROLES if role in named]


def _check_name(name: str) -> str:
    text = " ".join(name.split())
    if not 0 < len(text) <= MAXIMUM_NAME or not text.isprintable():
        raise UsageError(
            f"The name '{text[:80]}' has {len(text)} characters; expected 1 to {MAXIMUM_NAME}. Give one with --name."
        )
    return text
