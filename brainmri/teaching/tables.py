"""The tables of a session, for CSV files and for the page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brainmri.evaluation.intervals import ShareInterval
from brainmri.review.agreement import Agreement
from brainmri.review.findings import write_cell
from brainmri.teaching.against_network import NetworkComparison
from brainmri.teaching.agreement import ReaderAgreement
from brainmri.teaching.answers import STEPS, UNANSWERED, ReadAnswers, Step
from brainmri.teaching.confidence import chosen_confidence
from brainmri.teaching.items import Items
from brainmri.teaching.multireader import MultiReader
from brainmri.teaching.scores import ReaderScore, StepScore
from brainmri.teaching.summary import SessionReport

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
            **_share_cells("taken up", score.reliance.taken_up),
            **_share_cells("held out", score.reliance.held_out),
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


def network_rows(found: NetworkComparison) -> list[Row]:
    """Return one row for each reader, and the majority, against the network."""
    pairs = [*found.readers, *([found.majority] if found.majority is not None else [])]
    return [
        {
            "reader": pair.reader,
            "step": found.step,
            "cases": pair.test.cases,
            **_share_cells("reader right", pair.reader_right),
            **_share_cells("network right", pair.network_right),
            "only reader right": pair.test.only_a,
            "only network right": pair.test.only_b,
            "difference": pair.test.difference,
            "difference lower": pair.test.lower,
            "difference upper": pair.test.upper,
            "McNemar p": pair.test.p_exact,
            "McNemar p adjusted": pair.p_adjusted,
        }
        for pair in pairs
    ]


def agreement_rows(
    among: Sequence[ReaderAgreement], with_network: Mapping[str, Agreement], *, step: Step = "alone"
) -> list[Row]:
    """Return one row for each kappa: Fleiss' of the readers at each step, Cohen's of each reader with the network.

    Parameters
    ----------
    among : sequence of ReaderAgreement
    with_network : mapping of str to Agreement
        By reader, at ``step``.
    step : {'alone', 'with network'}
    """
    rows: list[Row] = [
        {
            "between": "all readers",
            "kappa of": "Fleiss",
            "step": one.step,
            "cases": one.cases,
            "kappa": one.kappa,
            "lower": one.lower,
            "upper": one.upper,
            "note": one.note,
        }
        for one in among
    ]
    for reader, found in with_network.items():
        rows.append(
            {
                "between": f"{reader} and the network",
                "kappa of": "Cohen",
                "step": step,
                "cases": found.cases,
                "kappa": found.kappa,
                "lower": found.lower,
                "upper": found.upper,
                "note": found.note,
            }
        )
    return rows


def multireader_rows(found: MultiReader) -> list[Row]:
    """Return areas of each reader alone and with the network, then their means and the difference with intervals."""
    if found.analysis is None:
        return []
    of = found.diagnosis or "mean over the diagnoses"
    none = {"lower": None, "upper": None, "df": None, "p": None}
    rows: list[Row] = []
    for way, step in enumerate(STEPS):
        rows += [
            {"area of": of, "reader": reader, "step": step, "value": float(area), **none}
            for reader, area in zip(found.readers, found.analysis.areas[way], strict=True)
        ]
        mean = found.analysis.means[way]
        cells = {"lower": mean.lower, "upper": mean.upper, "df": mean.df, "p": None}
        rows.append({"area of": of, "reader": "mean", "step": step, "value": mean.auc, **cells})
    changes = (
        ("readers and cases like these", found.analysis.change),
        ("these readers, cases like these", found.analysis.change_of_these),
    )
    for whom, change in changes:
        cells = {"lower": change.lower, "upper": change.upper, "df": change.df, "p": change.p}
        rows.append({"area of": of, "reader": whom, "step": "difference", "value": change.difference, **cells})
    return rows


def write_tables(report: SessionReport) -> dict[str, str]:
    """Return all tables of a session by file name; a table without a row is left out."""
    among = (report.agreement, report.agreement_assisted)
    tables = {
        "answers": answer_rows(report.answers),
        "readers": reader_rows(report.scores),
        "cases": item_rows(report.items, report.answers.classes),
        "against-network": network_rows(report.against_network),
        "agreement": agreement_rows(among, report.agreement_with_network),
        "multi-reader": multireader_rows(report.multireader),
    }
    return {f"{report.session_id}-{name}.csv": to_csv(rows) for name, rows in tables.items() if rows}


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
