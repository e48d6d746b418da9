"""The tables of a session, for CSV files and for the page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from brainmri.evaluation.intervals import ShareInterval
from brainmri.review.findings import write_cell
from brainmri.teaching.answers import STEPS, UNANSWERED, ReadAnswers
from brainmri.teaching.confidence import chosen_confidence
from brainmri.teaching.items import Items
from brainmri.teaching.scores import ReaderScore, StepScore

Row = dict[str, Any]


def answer_rows(answers: ReadAnswers) -> list[Row]:
    """Return one row for each answer: reader, case, step, answer, pathology, and the confidence in each diagnosis."""
    rows: list[Row] = []
    network = answers.network_answers()
    for step in STEPS:
        chosen, confidence = answers.chosen(step), answers.confidence(step)
        sure = chosen_confidence(chosen, confidence)
        for reader, case in np.argwhere(chosen != UNANSWERED):
            rows.append(
                {
                    "reader": answers.readers[reader],
                    "case_id": answers.cases[case],
                    "step": step,
                    "answer": answers.classes[chosen[reader, case]],
                    "pathology": answers.classes[answers.truth[case]],
                    "right": bool(chosen[reader, case] == answers.truth[case]),
                    "network": None if network[case] == UNANSWERED else answers.classes[network[case]],
                    "confidence": _number(sure[reader, case]),
                    **{
                        f"confidence {name}": _number(confidence[reader, case, index])
                        for index, name in enumerate(answers.classes)
                    },
                    "seconds": _number(answers.seconds[reader, case]) if step == "alone" else None,
                }
            )
    return rows


def reader_rows(scores: Sequence[ReaderScore]) -> list[Row]:
    """Return one row for each reader: shares with their intervals, and the rest of the score."""
    return [
        {
            "reader": score.reader,
            "cases": score.cases,
            "answered": score.answered,
            **_step_cells("alone", score.alone),
            **_step_cells("with network", score.assisted),
            "helped": score.help.helped,
            "harmed": score.help.harmed,
            "McNemar p": score.help.test.p_exact,
            "median seconds": None if score.seconds is None else score.seconds[1],
        }
        for score in scores
    ]


def item_rows(items: Items, classes: Sequence[str]) -> list[Row]:
    """Return one row for each case: difficulty and discrimination with intervals, and the answers."""
    return [
        {
            "case_id": item.case_id,
            "pathology": item.truth,
            **_share_cells("right", item.right),
            "discrimination": item.discrimination,
            "discrimination lower": item.lower,
            "discrimination upper": item.upper,
            **{f"answers {name}": count for name, count in zip(classes, item.counts, strict=True)},
            "note": item.note,
        }
        for item in items.items
    ]


def to_csv(rows: Sequence[Row]) -> str:
    """Return rows as a table with a heading; shares in full precision, 0 to 1; nothing for no rows.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writerow({name: write_cell(name) for name in rows[0]})
    writer.writerows({name: write_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _step_cells(prefix: str, score: StepScore) -> Row:
    cells = _share_cells(f"{prefix} accuracy", score.accuracy)
    for one in score.classes:
        cells |= _share_cells(f"{prefix} sensitivity {one.name}", one.sensitivity)
        cells |= _share_cells(f"{prefix} specificity {one.name}", one.specificity)
    return cells | {
        f"{prefix} AUC": score.areas.macro,
        f"{prefix} confidence minus accuracy": score.calibration.gap,
        f"{prefix} calibration error": score.calibration.error,
    }


def _share_cells(name: str, share: ShareInterval) -> Row:
    return {name: share.share, f"{name} lower": share.lower, f"{name} upper": share.upper, f"{name} n": share.n}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
