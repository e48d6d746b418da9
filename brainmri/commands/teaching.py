"""Commands for reading sessions: teaching list, create, close, export."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from brainmri.commands.terminal import print_json, print_table
from brainmri.errors import UsageError
from brainmri.people.audit import command_line_person, note
from brainmri.study import open_study
from brainmri.teaching.choosing import Wish, choose_cases, describe_choice
from brainmri.teaching.export import session_files
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.sessions import close_session, create_session, list_sessions, read_session
from brainmri.vocabulary import TRAINED_DIAGNOSES


def list_all(options: Namespace) -> int:
    """Show all sessions, the newest first."""
    found = list_sessions(open_study(options.study, create=False))
    if options.json:
        sessions = [
            {
                "session": one.session.session_id,
                "code": one.session.code,
                "title": one.session.title,
                "status": one.session.status,
                "cases": one.cases,
                "readers": one.readers,
                "finished": one.finished,
            }
            for one in found
        ]
        print_json({"sessions": sessions})
    elif not found:
        print("There is no session yet. Make one on the page Teaching, or with 'teaching create'.")
    else:
        rows = [
            (one.session.session_id, one.session.code, one.session.status, one.cases, one.readers, one.session.title)
            for one in found
        ]
        print_table(("session", "code", "status", "cases", "readers", "title"), rows)
    return 0


def create(options: Namespace) -> int:
    """Make a session of cases drawn by chance."""
    study = open_study(options.study, create=False)
    wish = Wish(
        count=options.count,
        diagnoses=TRAINED_DIAGNOSES,
        only_errors=options.errors,
        balanced=options.balanced,
        seed=options.seed,
    )
    cases = choose_cases(study, options.experiment, wish)
    plan = SessionPlan() if options.experiment else SessionPlan(reveals=frozenset({"pathology"}))
    made = create_session(
        study,
        plan,
        cases,
        title=options.title,
        author=command_line_person(),
        experiment_id=options.experiment,
    )
    note(study, command_line_person(), "create session", made.session_id, {"cases": len(cases)})
    if options.json:
        print_json({"session": made.session_id, "code": made.code, "cases": len(cases)})
    else:
        print(f"{made.session_id} '{made.title}': {describe_choice(cases)}. Readers join with the code {made.code}.")
    return 0


def close(options: Namespace) -> int:
    """Let nobody join or answer any more."""
    study = open_study(options.study, create=False)
    close_session(study, options.session)
    note(study, command_line_person(), "close session", options.session)
    if options.json:
        print_json({"session": options.session, "status": "closed"})
    else:
        print(f"{options.session} is closed. Its answers are kept.")
    return 0


def export(options: Namespace) -> int:
    """Write the summary and all tables of a session into a folder."""
    study = open_study(options.study, create=False)
    read_session(study, options.session)
    folder: Path = options.out or Path(f"{options.session}-export")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"The folder {folder} is not empty. Name another one with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    files = session_files(study, options.session, names_hidden=not options.names)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    note(study, command_line_person(), "export session", options.session, {"names": options.names})
    if options.json:
        print_json({"session": options.session, "folder": str(folder), "files": sorted(files)})
    else:
        print(f"{len(files)} files are in {folder}: {', '.join(sorted(files))}.")
    return 0
