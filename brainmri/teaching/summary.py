"""Everything that a session says, gathered once for the page, the HTML summary and the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from brainmri.review.agreement import Agreement
from brainmri.teaching.against_network import NetworkComparison, compare_with_network
from brainmri.teaching.agreement import ReaderAgreement, agree_among_readers, agree_with_network
from brainmri.teaching.answers import UNANSWERED, ReadAnswers
from brainmri.teaching.board import hide_names
from brainmri.teaching.items import Items, analyse_items
from brainmri.teaching.multireader import MultiReader, compare_alone_with_network
from brainmri.teaching.scores import ReaderScore, score_readers


@dataclass(frozen=True, kw_only=True)
class GroupHelp:
    """What the network's answer changed for all readers together.

    There is no test: answers of several readers on one case are not independent. For one see `MultiReader`.

    Parameters
    ----------
    readings : int
        Answered alone and with the network.
    helped, harmed : int
        Wrong to right, right to wrong.
    sentence : str
    """

    readings: int
    helped: int
    harmed: int
    sentence: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionReport:
    """What a session says.

    Parameters
    ----------
    session_id, title, author : str
    written_at : datetime
    answers : ReadAnswers
        With the names as shown.
    scores : tuple of ReaderScore
    helped : GroupHelp
        Of all readers and cases together.
    agreement, agreement_assisted : ReaderAgreement
    agreement_with_network : dict of str to Agreement
    items : Items
    against_network : NetworkComparison
    multireader : MultiReader
    """

    session_id: str
    title: str
    author: str
    written_at: datetime
    answers: ReadAnswers
    scores: tuple[ReaderScore, ...]
    helped: GroupHelp
    agreement: ReaderAgreement
    agreement_assisted: ReaderAgreement
    agreement_with_network: dict[str, Agreement]
    items: Items
    against_network: NetworkComparison
    multireader: MultiReader


def summarise_session(
    answers: ReadAnswers,
    *,
    session_id: str,
    title: str,
    author: str,
    written_at: datetime,
    names_hidden: bool = False,
    diagnosis: str | None = None,
) -> SessionReport:
    """Gather what a session says.

    Parameters
    ----------
    answers : ReadAnswers
        Readers in the order in which they joined.
    session_id, title, author : str
    written_at : datetime
    names_hidden : bool
        Stars in place of the readers' names, everywhere.
    diagnosis : str, optional
        Of the multi-reader analysis; without, the mean over all of them.
    """
    if names_hidden:
        stars = hide_names(answers.readers, salt=session_id)
        answers = replace(answers, readers=tuple(stars[name] for name in answers.readers))
    scores = score_readers(answers)
    return SessionReport(
        session_id=session_id,
        title=title,
        author=author,
        written_at=written_at,
        answers=answers,
        scores=scores,
        helped=_count_help(scores),
        agreement=agree_among_readers(answers),
        agreement_assisted=agree_among_readers(answers, step="with network"),
        agreement_with_network=agree_with_network(answers),
        items=analyse_items(answers),
        against_network=compare_with_network(answers),
        multireader=compare_alone_with_network(answers, diagnosis=diagnosis),
    )


def describe_session(summary: SessionReport) -> str:
    """Return one sentence on how much was read."""
    answers = summary.answers
    readings = int((answers.alone != UNANSWERED).sum())
    if not readings:
        return f"{len(answers.readers)} readers joined; nobody has answered a case yet."
    readers = sum(score.answered > 0 for score in summary.scores)
    whom = "1 reader" if readers == 1 else f"{readers} readers"
    cases = int((answers.alone != UNANSWERED).any(axis=0).sum())
    return f"{whom}, {cases} of {len(answers.cases)} cases, {readings} readings alone."


def _count_help(scores: Sequence[ReaderScore]) -> GroupHelp:
    readings = sum(score.help.cases for score in scores)
    helped, harmed = sum(score.help.helped for score in scores), sum(score.help.harmed for score in scores)
    if readings:
        sentence = (
            f"In {readings} readings with the network it helped in {helped} (wrong to right) and harmed in {harmed} "
            "(right to wrong)."
        )
    else:
        sentence = "No case was answered both alone and with the network: its help cannot be counted."
    return GroupHelp(readings=readings, helped=helped, harmed=harmed, sentence=sentence)
