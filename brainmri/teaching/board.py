"""The instructor's live board: who has joined, how far they are, and what the group says about a case.

Names are hidden behind those of stars unless asked for; a rank is made only when asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.wording import format_share, list_words
from brainmri.teaching.against_network import majority_answers
from brainmri.teaching.answers import UNANSWERED, ReadAnswers, Step
from brainmri.vocabulary import display_diagnosis

STARS: Final = (
    *("Achernar", "Acrux", "Adhara", "Aldebaran", "Algol", "Alioth", "Alkaid", "Almach", "Altair", "Antares"),
    *("Arcturus", "Atria", "Avior", "Bellatrix", "Betelgeuse", "Canopus", "Capella", "Castor", "Deneb", "Dubhe"),
    *("Electra", "Elnath", "Eltanin", "Enif", "Fomalhaut", "Gacrux", "Hadar", "Hamal", "Izar", "Kochab"),
    *("Maia", "Markab", "Merak", "Mimosa", "Mira", "Mizar", "Peacock", "Phecda", "Polaris", "Pollux"),
    *("Procyon", "Rasalhague", "Regulus", "Rigel", "Sabik", "Sadr", "Saiph", "Scheat", "Shaula", "Sirius"),
    *("Spica", "Suhail", "Talitha", "Tarazed", "Thuban", "Unukalhai", "Vega", "Vindemiatrix", "Wezen", "Zosma"),
)
"""Names that stand for readers while theirs are hidden."""

ReaderState = Literal["joined", "reading", "finished"]


@dataclass(frozen=True, kw_only=True)
class ReaderProgress:
    """How far one reader is.

    Parameters
    ----------
    reader : str
        Name or pseudonym; none twice.
    joined_at : datetime
    answered, cases : int
        Cases that are done, of all.
    case_id : str or None
        The case on the reader's screen; None where finished.
    step : str
        Where in the case the reader is.
    finished : bool
    last_answer_at : datetime or None
    """

    reader: str
    joined_at: datetime
    answered: int
    cases: int
    case_id: str | None
    step: str
    finished: bool
    last_answer_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """One line of the board.

    Parameters
    ----------
    name : str
        As shown: the reader's, or a star's.
    reader : str
        Not to be shown where names are hidden.
    state : {'joined', 'reading', 'finished'}
    answered, cases : int
    case_id : str or None
    step : str
    quiet_minutes : float or None
        Since the last answer, or joining; None where finished, or the time was not given.
    right : float or None
        Share right alone; only with a rank.
    place : int or None
        Equal shares have the same place; only with a rank.
    """

    name: str
    reader: str
    state: ReaderState
    answered: int
    cases: int
    case_id: str | None
    step: str
    quiet_minutes: float | None
    right: float | None
    place: int | None


@dataclass(frozen=True, kw_only=True)
class Board:
    """The board: rows by name, or by place where there is a rank, and one sentence."""

    rows: tuple[BoardRow, ...]
    names_hidden: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CaseAnswers:
    """What the group says about one case at one step.

    Parameters
    ----------
    case_id : str
    step : {'alone', 'with network'}
    readers, answered : int
        Readers of the session, and those who answered this case.
    counts : dict of str to int
        Readers a diagnosis, in the order of the session.
    who : dict of str to tuple of str
        Names, or stars, a diagnosis.
    majority : str or None
        None where nobody answered, or diagnoses tie.
    truth : str
        Not to be shown before the pathology is.
    right : int
    sentence : str
        Without the pathology.
    """

    case_id: str
    step: Step
    readers: int
    answered: int
    counts: dict[str, int]
    who: dict[str, tuple[str, ...]]
    majority: str | None
    truth: str
    right: int
    sentence: str


def hide_names(readers: Sequence[str], *, salt: str) -> dict[str, str]:
    """Return a star's name for each reader.

    A reader keeps the name when others join later, and has another one in another session.

    Parameters
    ----------
    readers : sequence of str
        In the order in which they joined.
    salt : str
        The session's identifier.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for reader in readers:
        start = int.from_bytes(hashlib.sha256(f"{salt}\0{reader}".encode()).digest()[:8], "big") % len(STARS)
        tour = len(found) // len(STARS)
        ordered = [*STARS[start:], *STARS[:start]]
        name = next(
            star
            for turn in range(tour + 1)
            for star in (one if not turn else f"{one} {turn + 1}" for one in ordered)
            if star not in taken
        )
        taken.add(name)
        found[reader] = name
    return found


def draw_up_board(
    progress: Sequence[ReaderProgress],
    *,
    salt: str,
    names_hidden: bool = True,
    answers: ReadAnswers | None = None,
    now: datetime | None = None,
) -> Board:
    """Return the board of a session.

    Parameters
    ----------
    progress : sequence of ReaderProgress
    salt : str
        The session's identifier.
    names_hidden : bool
    answers : ReadAnswers, optional
        Makes a rank by the share right alone; without, there is none.
    now : datetime, optional
        To say for how long a reader has been quiet.
    """
    joined = sorted(progress, key=lambda one: (one.joined_at, one.reader))
    stars = hide_names([one.reader for one in joined], salt=salt)
    right = {} if answers is None else _shares_right(answers)
    rows = [
        BoardRow(
            name=stars[one.reader] if names_hidden else one.reader,
            reader=one.reader,
            state="finished" if one.finished else "reading" if one.answered else "joined",
            answered=one.answered,
            cases=one.cases,
            case_id=one.case_id,
            step=one.step,
            quiet_minutes=_quiet_minutes(one, now),
            right=right.get(one.reader),
            place=_place(right, one.reader),
        )
        for one in joined
    ]
    last = len(rows) + 1
    rows.sort(key=lambda row: (row.place or last, row.name.casefold()))
    return Board(rows=tuple(rows), names_hidden=names_hidden, sentence=_describe(rows))


def answers_on_case(
    answers: ReadAnswers, case_id: str, *, salt: str, step: Step = "alone", names_hidden: bool = True
) -> CaseAnswers:
    """Return what the group says about one case.

    Parameters
    ----------
    answers : ReadAnswers
        Readers in the order in which they joined.
    case_id : str
    salt : str
        The session's identifier.
    step : {'alone', 'with network'}
    names_hidden : bool

    Raises
    ------
    EvaluationError
        Where the session has no such case.
    """
    if case_id not in answers.cases:
        raise EvaluationError(f"There is no case {case_id!r} in this session of {len(answers.cases)} cases.")
    case = answers.cases.index(case_id)
    column = answers.chosen(step)[:, case]
    shown = hide_names(answers.readers, salt=salt) if names_hidden else {name: name for name in answers.readers}
    who = {
        name: tuple(sorted(shown[answers.readers[row]] for row in np.flatnonzero(column == index)))
        for index, name in enumerate(answers.classes)
    }
    counts = {name: len(readers) for name, readers in who.items()}
    vote = int(majority_answers(column[:, None], len(answers.classes))[0])
    answered = sum(counts.values())
    return CaseAnswers(
        case_id=case_id,
        step=step,
        readers=len(answers.readers),
        answered=answered,
        counts=counts,
        who=who,
        majority=None if vote == UNANSWERED else answers.classes[vote],
        truth=answers.classes[answers.truth[case]],
        right=counts[answers.classes[answers.truth[case]]],
        sentence=_describe_case(counts, len(answers.readers)),
    )


def _shares_right(answers: ReadAnswers) -> dict[str, float]:
    answered = answers.alone != UNANSWERED
    right = (answered & (answers.alone == answers.truth)).sum(axis=1)
    return {
        reader: float(right[row] / answered[row].sum())
        for row, reader in enumerate(answers.readers)
        if answered[row].any()
    }


def _place(right: dict[str, float], reader: str) -> int | None:
    return None if reader not in right else 1 + sum(share > right[reader] for share in right.values())


def _quiet_minutes(one: ReaderProgress, now: datetime | None) -> float | None:
    if now is None or one.finished:
        return None
    return max((now - (one.last_answer_at or one.joined_at)).total_seconds() / 60, 0.0)


def _describe(rows: Sequence[BoardRow]) -> str:
    if not rows:
        return "Nobody has joined yet."
    joined = "1 reader has joined" if len(rows) == 1 else f"{len(rows)} readers have joined"
    finished = sum(row.state == "finished" for row in rows)
    done, all_of_them = sum(row.answered for row in rows), sum(row.cases for row in rows)
    share = format_share(done / all_of_them, digits=0) if all_of_them else "–"
    return f"{joined}, {finished} finished; {done} of {all_of_them} readings are done ({share})."


def _describe_case(counts: dict[str, int], readers: int) -> str:
    answered = sum(counts.values())
    if not answered:
        return f"None of {readers} readers has answered this case yet."
    said = [f"{count} {display_diagnosis(name)}" for name, count in counts.items() if count]
    return f"{answered} of {readers} readers have answered this case: {list_words(said)}."
