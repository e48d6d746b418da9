"""Everything that a session can be taken away as: tables of answers and scores, and the summary as a page."""

from __future__ import annotations

from brainmri.database import utc_now
from brainmri.study import Study
from brainmri.teaching.collecting import answers_csv, read_answers
from brainmri.teaching.sessions import read_session
from brainmri.teaching.summary import SessionReport, summarise_session
from brainmri.teaching.summary_html import write_session_page
from brainmri.teaching.tables import write_tables


def report_session(study: Study, session_id: str, *, names_hidden: bool = True) -> SessionReport:
    """Return what a session says.

    Parameters
    ----------
    study : Study
    session_id : str
    names_hidden : bool
        Stars in place of the readers' names.

    Raises
    ------
    TeachingError
        Where there is no such session.
    """
    session = read_session(study, session_id)
    return summarise_session(
        read_answers(study, session_id),
        session_id=session_id,
        title=session.title,
        author=session.author,
        written_at=utc_now(),
        names_hidden=names_hidden,
    )


def session_files(study: Study, session_id: str, *, names_hidden: bool = True) -> dict[str, str]:
    """Return the files of a session by name: the summary as HTML, tables of scores, and every answer as it came."""
    report = report_session(study, session_id, names_hidden=names_hidden)
    return {
        f"{session_id}-summary.html": write_session_page(report),
        **write_tables(report),
        f"{session_id}-every-answer.csv": answers_csv(study, session_id, names=report.answers.readers),
    }
