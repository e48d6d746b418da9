"""What reviewers find of cases: added, changed, taken back, read. Earlier versions are kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from brainmri.database import utc_now
from brainmri.errors import StudyError, UsageError
from brainmri.intake.records import Case
from brainmri.review.records import DIFFICULTY_RANGE, VERDICTS, Finding, Verdict
from brainmri.study import Study
from brainmri.training.records import Experiment, Run

MAXIMUM_NOTE: Final = 4000
"""Characters of a note."""

MAXIMUM_NAME: Final = 80
"""Characters of a reviewer's name."""

_COLUMNS: Final = (
    "experiment_id",
    "case_id",
    "run_id",
    "reviewer",
    "verdict",
    "difficulty",
    "note",
    "bookmarked",
    "version",
    "created_at",
    "changed_at",
)

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a cell that a spreadsheet would run as a formula."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a reviewer fills in.

    Parameters
    ----------
    verdict : str
        One of `VERDICTS`.
    difficulty : int or None
        1 (easy) to 5 (very hard).
    note : str
        Free text without identity, see `brainmri.review.identity.warn_of_identity`.
    bookmarked : bool
        Marked for teaching.
    run_id : str or None
        The run that was looked at.
    """

    verdict: Verdict
    difficulty: int | None = None
    note: str = ""
    bookmarked: bool = False
    run_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.verdict not in VERDICTS:
            raise UsageError(f"There is no verdict '{self.verdict}'. Choose one of: {', '.join(VERDICTS)}.")
        lowest, highest = DIFFICULTY_RANGE
        if self.difficulty is not None and not lowest <= self.difficulty <= highest:
            raise UsageError(f"The difficulty is {self.difficulty}; expected {lowest} (easy) to {highest} (very hard).")
        if len(self.note) > MAXIMUM_NOTE:
            raise UsageError(f"The note has {len(self.note)} characters; expected up to {MAXIMUM_NOTE}. Shorten it.")


def add_finding(study: Study, experiment_id: str, case_id: str, reviewer: str, entry: Entry) -> Finding:
    """Store the first finding of a reviewer of a case, or the next one after they took theirs back.

    Raises
    ------
    UsageError
        Where the reviewer has no name.
    StudyError
        Where there is no such experiment, case or run, or the reviewer has a finding of this case already.
    """
    reviewer = _check_name(reviewer)
    _check_places(study, experiment_id, case_id, entry.run_id)
    latest = _latest(study, experiment_id, case_id, reviewer)
    if latest is not None and not latest.withdrawn:
        raise StudyError(f"{reviewer} has a finding of {case_id} in {experiment_id} already. Change that one.")
    return _save(study, experiment_id, case_id, reviewer, entry, after=latest)


def change_finding(
    study: Study, experiment_id: str, case_id: str, reviewer: str, entry: Entry, *, version: int
) -> Finding:
    """Store a new version of a finding; the earlier ones stay.

    Parameters
    ----------
    study : Study
    experiment_id, case_id, reviewer : str
    entry : Entry
    version : int
        The version that was on the screen when the change began.

    Raises
    ------
    StudyError
        Where there is no such finding, or somebody saved another version in between.
    """
    latest = _expect(study, experiment_id, case_id, _check_name(reviewer), version)
    _check_places(study, experiment_id, case_id, entry.run_id)
    return _save(study, experiment_id, case_id, latest.reviewer, entry, after=latest)


def withdraw_finding(study: Study, experiment_id: str, case_id: str, reviewer: str, *, version: int) -> Finding:
    """Take a finding back; its versions stay in the history.

    Raises
    ------
    StudyError
        As `change_finding`.
    """
    latest = _expect(study, experiment_id, case_id, _check_name(reviewer), version)
    entry = Entry(
        verdict=latest.verdict,  # type: ignore[arg-type]
        difficulty=latest.difficulty,
        note=latest.note,
        bookmarked=latest.bookmarked,
        run_id=latest.run_id,
    )
    return _save(study, experiment_id, case_id, latest.reviewer, entry, after=latest, withdrawn=True)


def read_findings(study: Study, experiment_id: str, case_id: str | None = None) -> list[Finding]:
    """Return the findings that count: the latest version of each, less those taken back; by case and reviewer."""
    newest = (
        select(Finding.case_id, Finding.reviewer, func.max(Finding.version).label("version"))
        .where(Finding.experiment_id == experiment_id)
        .group_by(Finding.case_id, Finding.reviewer)
        .subquery()
    )
    query = (
        select(Finding)
        .join(
            newest,
            (Finding.case_id == newest.c.case_id)
            & (Finding.reviewer == newest.c.reviewer)
            & (Finding.version == newest.c.version),
        )
        .where(Finding.experiment_id == experiment_id, Finding.withdrawn.is_(False))
        .order_by(Finding.case_id, Finding.reviewer)
    )
    return _read(study, query if case_id is None else query.where(Finding.case_id == case_id))


def read_earlier_findings(study: Study, experiment_id: str, case_id: str) -> list[Finding]:
    """Return the findings of a case that count in the experiments that this one repeats, the nearest of them first."""
    found: list[Finding] = []
    seen = {experiment_id}
    while (parent_id := _read_parent(study, experiment_id)) is not None and parent_id not in seen:
        found += read_findings(study, parent_id, case_id)
        seen.add(experiment_id := parent_id)
    return found


def read_history(study: Study, experiment_id: str, case_id: str, reviewer: str) -> list[Finding]:
    """Return every version of a reviewer's finding of a case, the first one first."""
    return _read(study, _versions(experiment_id, case_id, _check_name(reviewer)).order_by(Finding.version))


def findings_csv(findings: Iterable[Finding]) -> str:
    """Return findings as a table with a heading; words that a spreadsheet would run as a formula are quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for finding in findings:
        writer.writerow([write_cell(getattr(finding, name)) for name in _COLUMNS])
    return text.getvalue()


def write_cell(value: Any) -> Any:
    """Return what a table for a spreadsheet holds of a value."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _check_name(reviewer: str) -> str:
    name = " ".join(reviewer.split())
    if not 0 < len(name) <= MAXIMUM_NAME:
        raise UsageError(f"The reviewer's name has {len(name)} characters; expected 1 to {MAXIMUM_NAME}.")
    return name


def _check_places(study: Study, experiment_id: str, case_id: str, run_id: str | None) -> None:
    with study.session() as session:
        if session.get(Experiment, experiment_id) is None:
            raise StudyError(f"The study {study.folder} has no experiment '{experiment_id}'. Choose one of the list.")
        if session.get(Case, case_id) is None:
            raise StudyError(f"The study {study.folder} has no case '{case_id}'. Choose one of the list.")
        run = session.get(Run, run_id) if run_id is not None else None
    if run_id is not None and (run is None or run.experiment_id != experiment_id):
        raise StudyError(f"The experiment {experiment_id} has no run '{run_id}'. Choose one of its runs.")


def _read_parent(study: Study, experiment_id: str) -> str | None:
    with study.session() as session:
        return session.scalar(select(Experiment.parent_id).where(Experiment.experiment_id == experiment_id))


def _versions(experiment_id: str, case_id: str, reviewer: str) -> Select[Any]:
    return select(Finding).where(
        Finding.experiment_id == experiment_id, Finding.case_id == case_id, Finding.reviewer == reviewer
    )


def _read(study: Study, query: Select[Any]) -> list[Finding]:
    with study.session() as session:
        return list(session.scalars(query))


def _latest(study: Study, experiment_id: str, case_id: str, reviewer: str) -> Finding | None:
    found = _read(study, _versions(experiment_id, case_id, reviewer).order_by(Finding.version.desc()).limit(1))
    return found[0] if found else None


def _expect(study: Study, experiment_id: str, case_id: str, reviewer: str, version: int) -> Finding:
    latest = _latest(study, experiment_id, case_id, reviewer)
    if latest is None or latest.withdrawn:
        raise StudyError(f"{reviewer} has no finding of {case_id} in {experiment_id}. Add one.")
    if latest.version != version:
        raise StudyError(_conflict(case_id, reviewer, version + 1))
    return latest


def _conflict(case_id: str, reviewer: str, version: int) -> str:
    return (
        f"Version {version} of the finding of {case_id} by {reviewer} was saved elsewhere in the meantime, and nothing "
        "was overwritten. Read it, and save your change on top of it."
    )


def _save(
    study: Study,
    experiment_id: str,
    case_id: str,
    reviewer: str,
    entry: Entry,
    *,
    after: Finding | None,
    withdrawn: bool = False,
) -> Finding:
    """Insert the next version; the unique key refuses one that another process was quicker with."""
    now = utc_now()
    finding = Finding(
        case_id=case_id,
        experiment_id=experiment_id,
        run_id=entry.run_id,
        reviewer=reviewer,
        version=1 if after is None else after.version + 1,
        verdict=entry.verdict,
        difficulty=entry.difficulty,
        note=entry.note.strip(),
        bookmarked=entry.bookmarked,
        withdrawn=withdrawn,
        created_at=now if after is None else after.created_at,
        changed_at=now,
    )
    try:
        with study.session() as session:
            session.add(finding)
    except IntegrityError as error:
        raise StudyError(_conflict(case_id, reviewer, finding.version)) from error
    return finding
