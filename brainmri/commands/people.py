"""The command that says who may do what: people."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from brainmri.commands.terminal import print_json, print_table
from brainmri.people.audit import command_line_person, read_trail
from brainmri.people.records import AuditEntry, PersonRow
from brainmri.people.roles import grant, read_people, revoke
from brainmri.study import Study, open_study


def list_people(options: Namespace) -> int:
    """Show all people of a study with their roles."""
    return _print_people(read_people(_open(options)), options)


def grant_roles(options: Namespace) -> int:
    """Give a person roles."""
    person = grant(_open(options), options.person, options.roles, by=command_line_person(), name=options.name)
    return _print_people((person,), options)


def revoke_roles(options: Namespace) -> int:
    """Take roles from a person."""
    return _print_people((revoke(_open(options), options.person, options.roles, by=command_line_person()),), options)


def show_audit(options: Namespace) -> int:
    """Show the audit trail, the newest row first."""
    entries = read_trail(_open(options), limit=options.limit)
    if options.json:
        print_json({"entries": [_entry_to_json(one) for one in entries]})
        return 0
    if not entries:
        print("Nothing is noted yet.")
        return 0
    rows = [
        (
            f"{one.noted_at:%Y-%m-%d %H:%M:%S}",
            one.person,
            one.action,
            one.subject,
            ", ".join(f"{name} {_words(value)}" for name, value in one.detail.items()),
        )
        for one in entries
    ]
    print_table(("time (UTC)", "person", "action", "of", "detail"), rows)
    return 0


def _open(options: Namespace) -> Study:
    return open_study(options.study, create=False)


def _print_people(people: tuple[PersonRow, ...], options: Namespace) -> int:
    if options.json:
        print_json({"people": [_person_to_json(one) for one in people]})
    elif people:
        rows = [(one.subject, one.name, ", ".join(one.roles) or "none: may only wait") for one in people]
        print_table(("person", "name", "roles"), rows)
    else:
        print(
            "Nobody has a role in this study yet. Where a sign-in is configured, give the first one: "
            "python -m brainmri people grant EMAIL instructor reviewer may-train"
        )
    return 0


def _person_to_json(person: PersonRow) -> dict[str, Any]:
    return {
        "person": person.subject,
        "name": person.name,
        "roles": list(person.roles),
        "added_at": person.added_at.isoformat(),
        "added_by": person.added_by,
    }


def _entry_to_json(entry: AuditEntry) -> dict[str, Any]:
    return {
        "time": entry.noted_at.isoformat(),
        "person": entry.person,
        "action": entry.action,
        "of": entry.subject,
        "detail": entry.detail,
    }


def _words(value: object) -> str:
    return " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
