"""Who is looking at a page, and what they may do.

- Where a sign-in is configured (``[auth]`` in ``.streamlit/secrets.toml``), who somebody is comes from it, and what
  they may do from the table of people in the study (`brainmri.people.roles`).
- Without one, the software is for one person at their own computer, who may do everything. Where others reach it all
  the same, as the residents of a course, set ``BRAINMRI_INSTRUCTOR_KEY``: everybody is a reader, who sees the teaching
  page alone, until they enter that key.
- Whoever takes part in a reading session is a reader in this browser session until they leave it, whatever else they
  may do. A reload begins a new browser session: what holds against it are the two ways above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.state import current_study
from brainmri.people import audit
from brainmri.people.identity import read_subject
from brainmri.people.passphrase import KEY_HOLE, fingerprint, instructor_key
from brainmri.people.roles import ROLES, Role, find_person, known_roles, whom_to_ask

READER: Final[Role] = "reader"
VISITOR: Final = "visitor"
"""Subject of a visitor who has not entered the instructor's key."""

_KEY_HOLDER: Final = "instructor's key"
_READING: Final = "access-reading-as"
_LINKED: Final = "access-came-by-link"
_UNLOCKED: Final = "access-unlocked"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is looking.

    Parameters
    ----------
    subject : str
        As the audit trail names them; empty where the sign-in names nobody for certain.
    name : str
        As it stands at findings and answers; empty where nobody signs in.
    roles : frozenset of str
        Of `brainmri.people.roles.ROLES`; empty: they may only wait. While they read in a session, ``reader`` alone.
    signed_in : bool
    """

    subject: str
    name: str
    roles: frozenset[Role]
    signed_in: bool


def current_person() -> Person:
    """Return who is looking, and what they may do now.

    Raises
    ------
    StudyError
        Where the study cannot be opened, or a setting of the sign-in or the key cannot be used.
    """
    person = full_person()
    if is_reading() and person.roles:
        return replace(person, roles=frozenset({READER}))
    return person


def full_person() -> Person:
    """Return who is looking, and what they may do when they do not read in a session."""
    return _signed_in_person() if sign_in_configured() else _visitor()


def may(*roles: Role) -> bool:
    """Tell whether who is looking has one of the roles."""
    return not current_person().roles.isdisjoint(roles)


def require(*roles: Role, to: str) -> None:
    """Stop the page with a sentence unless who is looking has one of the roles.

    Parameters
    ----------
    *roles : str
    to : str
        What it is about, as ``start trainings``.
    """
    if not may(*roles):
        st.info(missing(*roles, to=to), icon=":material/lock:")
        st.stop()


def missing(*roles: Role, to: str) -> str:
    """Say that a role is missing, and whom to ask."""
    needed = " or ".join(f"*{role}*" for role in roles)
    if is_reading():
        return f"To {to}, leave the reading session first."
    if not sign_in_configured():
        return f"To {to}, enter the instructor's key."
    return f"To {to}, you need the role {needed}. {ask_whom()}"


def ask_whom() -> str:
    """Say who gives roles."""
    names = whom_to_ask(current_study())
    if not names:
        return "Ask whoever runs this study."
    return f"Ask {names[0] if len(names) == 1 else ', '.join(names[:-1]) + ' or ' + names[-1]}."


def author_name() -> str | None:
    """Return the name that stands at what a signed-in person writes; None where nobody signs in, so that they say."""
    person = full_person()
    return person.name if person.signed_in else None


def become_reader(reader_id: str) -> None:
    """Lock this browser session to the teaching page, as this reader, until they leave."""
    st.session_state[_READING] = reader_id


def leave_reading() -> None:
    """End the reading in this browser session, and take what led to it out of the address."""
    st.session_state.pop(_READING, None)
    st.session_state.pop(_LINKED, None)
    for name in ("code", "reader"):
        st.query_params.pop(name, None)


def reading_as() -> str | None:
    """Return the reader that this browser session is, or None."""
    return st.session_state.get(_READING)


def came_by_link() -> None:
    """Lock this browser session to the teaching page: it began with the link of a reading session."""
    st.session_state[_LINKED] = True


def is_reading() -> bool:
    """Tell whether this browser session is locked to the teaching page by a reading session."""
    return reading_as() is not None or bool(st.session_state.get(_LINKED))


def sees_teaching_only(person: Person) -> bool:
    """Tell whether a person sees the teaching page alone."""
    return person.roles <= {READER}


def unlock(text: str) -> bool:
    """Enter the instructor's key; tell whether it is the right one."""
    key = instructor_key()
    if key is None or not KEY_HOLE.try_key(text):
        return False
    st.session_state[_UNLOCKED] = fingerprint(key)
    note("enter instructor's key")
    return True


def lock_again() -> None:
    """Forget that the instructor's key was entered."""
    st.session_state.pop(_UNLOCKED, None)


def note(action: str, subject: str = "", **detail: Any) -> None:
    """Add one row to the audit trail, by who is looking; see `brainmri.people.audit.note`."""
    audit.note(current_study(), full_person().subject, action, subject, detail)


def act(roles: tuple[Role, ...], action: str, subject: str, do: Callable[..., object], *arguments: object) -> None:
    """Do what a button asks for, where who presses it has one of the roles, and note it. For ``on_click``.

    Parameters
    ----------
    roles : tuple of str
    action, subject : str
        As the audit trail names them.
    do : callable
    *arguments
        Of ``do``.
    """
    if not may(*roles):
        st.toast(missing(*roles, to=action), icon=":material/lock:")
        return
    do(*arguments)
    note(action, subject)


def sign_in_configured() -> bool:
    """Tell whether people sign in here; Streamlit gives ``is_logged_in`` only then."""
    return "is_logged_in" in st.user


def _signed_in_person() -> Person:
    nobody = Person(subject="", name="", roles=frozenset(), signed_in=bool(st.user.get("is_logged_in")))
    subject = read_subject(st.user) if nobody.signed_in else None
    if subject is None:
        return nobody
    known = find_person(current_study(), subject)
    if known is None:
        return replace(nobody, subject=subject, name=subject)
    return replace(nobody, subject=subject, name=known.name, roles=known_roles(known))


def _visitor() -> Person:
    """Return a visitor where nobody signs in."""
    key = instructor_key()
    if key is None:
        return Person(subject=audit.LOCAL, name="", roles=frozenset(ROLES), signed_in=False)
    if st.session_state.get(_UNLOCKED) == fingerprint(key):
        return Person(subject=_KEY_HOLDER, name="", roles=frozenset(ROLES), signed_in=False)
    return Person(subject=VISITOR, name="", roles=frozenset({READER}), signed_in=False)
