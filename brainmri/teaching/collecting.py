"""What a session's scores and its instructor's view are made from."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from brainmri.evaluation.loading import load_predictions
from brainmri.evaluation.verdicts import verdicts_by_case
from brainmri.review.findings import write_cell
from brainmri.study import Study
from brainmri.teaching.answers import STEPS, UNANSWERED, ReadAnswers, Step
from brainmri.teaching.board import ReaderProgress
from brainmri.teaching.learning import SessionResult
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import Answer, Reader, Reading, SessionCase, TeachingSession
from brainmri.teaching.sessions import read_cases, read_session, read_truth

_CSV: Final = (
    *("session_id", "reader", "place", "case_id", "pathology", "step", "version", "diagnosis", "confidence"),
    *("mark_slice", "mark_row", "mark_column", "reasoning", "seconds", "answered_at"),
)


def read_answers(study: Study, session_id: str) -> ReadAnswers:
    """Return the answers of a session that count, as arrays; cases whose pathology was not offered are left out."""
    plan = SessionPlan.from_json(read_session(study, session_id).plan)
    truth = read_truth(study, session_id)
    kept = [place for place, label in enumerate(truth) if label in plan.classes]
    cases = [read_cases(study, session_id)[place] for place in kept]
    with study.session() as session:
        readers = session.scalars(_readers_of(session_id)).all()
        answers = _answers_of(session, session_id)
    shape = (len(readers), len(cases))
    chosen = {step: np.full(shape, UNANSWERED, dtype=np.intp) for step in STEPS}
    confidence = {step: np.full((*shape, len(plan.classes)), np.nan) for step in STEPS}
    seconds = np.full(shape, np.nan)
    for row, reader in enumerate(readers):
        for column, case in enumerate(cases):
            for step in STEPS:
                answer = answers.get((reader.reader_id, case.position, step))
                if answer is None or answer.diagnosis not in plan.classes:
                    continue
                chosen[step][row, column] = plan.classes.index(answer.diagnosis)
                for name, share in answer.confidence.items():
                    confidence[step][row, column, plan.classes.index(name)] = share / 100
                if step == "alone":
                    seconds[row, column] = answer.seconds
    return ReadAnswers(
        classes=plan.classes,
        readers=tuple(reader.name for reader in readers),
        cases=tuple(case.case_id for case in cases),
        truth=np.array([plan.classes.index(truth[place]) for place in kept], dtype=np.intp),
        alone=chosen["alone"],
        assisted=chosen["with network"],
        alone_confidence=confidence["alone"],
        assisted_confidence=confidence["with network"],
        seconds=seconds,
        network=_network(study, session_id, cases, plan.classes),
    )


def read_progress(study: Study, session_id: str) -> tuple[ReaderProgress, ...]:
    """Return how far each reader of a session is, in the order of joining; nothing is opened by asking."""
    with study.session() as session:
        readers = session.scalars(_readers_of(session_id)).all()
        cases = {row.position: row.case_id for row in session.scalars(_cases_of(session_id))}
        readings: dict[str, list[Reading]] = defaultdict(list)
        rows = session.scalars(select(Reading).join(Reader).where(Reader.session_id == session_id))
        for reading in rows:
            readings[reading.reader_id].append(reading)
        answers = _answers_of(session, session_id)
    return tuple(_progress(reader, readings[reader.reader_id], cases, answers) for reader in readers)


def read_results_of(study: Study, *, name: str, subject: str | None, step: Step = "alone") -> tuple[SessionResult, ...]:
    """Return what a person scored in each session, by sign-in where there is one, else by name."""
    with study.session() as session:
        mine = Reader.subject == subject if subject is not None else (Reader.subject.is_(None) & (Reader.name == name))
        rows = session.execute(
            select(Reader.session_id, Reader.name, Reader.joined_at, TeachingSession.title)
            .join(TeachingSession, TeachingSession.session_id == Reader.session_id)
            .where(mine)
            .order_by(Reader.joined_at)
        ).all()
    results = []
    for session_id, own_name, joined_at, title in rows:
        found = read_answers(study, session_id)
        chosen = found.chosen(step)[found.reader_index(own_name)]
        answered = chosen != UNANSWERED
        right = int(np.count_nonzero(answered & (chosen == found.truth)))
        results.append(
            SessionResult(session_id=session_id, title=title, date=joined_at, right=right, n=int(answered.sum()))
        )
    return tuple(results)


def answers_csv(study: Study, session_id: str, *, names: Sequence[str] | None = None) -> str:
    """Return every answer, also those that were changed, as a table: one row a reader, case, step and version.

    Parameters
    ----------
    study : Study
    session_id : str
    names : sequence of str, optional
        Written in place of the readers' names, in the order of joining.
    """
    cases = read_cases(study, session_id)
    truth = read_truth(study, session_id)
    with study.session() as session:
        readers = session.scalars(_readers_of(session_id)).all()
        rows = session.scalars(_all_answers(session_id)).all()
    shown = {reader.reader_id: reader.name if names is None else names[place] for place, reader in enumerate(readers)}
    orders = {reader.reader_id: list(reader.order) for reader in readers}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CSV)
    for row in sorted(rows, key=lambda one: (shown[one.reader_id], one.position, one.step, one.version)):
        mark = row.mark or {}
        cells = (
            *(session_id, shown[row.reader_id], orders[row.reader_id].index(row.position) + 1),
            *(cases[row.position].case_id, truth[row.position], row.step, row.version, row.diagnosis or ""),
            ";".join(f"{name}={share:g}" for name, share in row.confidence.items()),
            *(mark.get(name, "") for name in ("slice_index", "row", "column")),
            *(row.reasoning, f"{row.seconds:.1f}", row.answered_at.isoformat(timespec="seconds")),
        )
        writer.writerow([write_cell(str(cell)) for cell in cells])
    return stream.getvalue()


def _progress(
    reader: Reader,
    readings: Sequence[Reading],
    cases: dict[int, str],
    answers: dict[tuple[str, int, str], Answer],
) -> ReaderProgress:
    open_now = [row.position for row in readings if row.done_at is None]
    position = min(open_now, key=list(reader.order).index) if open_now else None
    own = [answer for (reader_id, _, _), answer in answers.items() if reader_id == reader.reader_id]
    step = "alone"
    if position is not None and (reader.reader_id, position, "alone") in answers:
        step = "pathology" if (reader.reader_id, position, "with network") in answers else "with network"
    return ReaderProgress(
        reader=reader.name,
        joined_at=reader.joined_at,
        answered=sum(row.done_at is not None for row in readings),
        cases=len(reader.order),
        case_id=None if position is None else cases[position],
        step="done" if reader.finished_at else step,
        finished=reader.finished_at is not None,
        last_answer_at=max((answer.answered_at for answer in own), default=None),
    )


def _network(
    study: Study, session_id: str, cases: Sequence[SessionCase], classes: Sequence[str]
) -> NDArray[np.float64]:
    """Return the probabilities of the run that is shown for each case, shape (C, K); NaN where there is none."""
    found = np.full((len(cases), len(classes)), np.nan)
    experiment_id = read_session(study, session_id).experiment_id
    if experiment_id is None or not any(case.run_id for case in cases):
        return found
    verdicts = verdicts_by_case(load_predictions(study, experiment_id))
    if not set(verdicts.classes) <= set(classes):
        return found
    rows = {
        (verdicts.runs[run].run_id, verdicts.case_ids[case]): place
        for place, (run, case) in enumerate(zip(verdicts.run.tolist(), verdicts.case.tolist(), strict=True))
    }
    columns = [list(classes).index(name) for name in verdicts.classes]
    for place, one in enumerate(cases):
        if one.run_id is not None and (one.run_id, one.case_id) in rows:
            found[place] = 0.0
            found[place, columns] = verdicts.probabilities[rows[one.run_id, one.case_id]]
    return found


def _answers_of(session: Session, session_id: str) -> dict[tuple[str, int, str], Answer]:
    rows = session.scalars(_all_answers(session_id))
    return {(row.reader_id, row.position, row.step): row for row in rows}


def _all_answers(session_id: str) -> Select[Answer]:
    return select(Answer).join(Reader).where(Reader.session_id == session_id).order_by(Answer.version)


def _readers_of(session_id: str) -> Select[Reader]:
    return select(Reader).where(Reader.session_id == session_id).order_by(Reader.joined_at, Reader.reader_id)


def _cases_of(session_id: str) -> Select[SessionCase]:
    return select(SessionCase).where(SessionCase.session_id == session_id).order_by(SessionCase.position)
