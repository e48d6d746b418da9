"""The worklist: every case that an experiment tested, the hardest first, with what people said of it."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_attributes import NOTHING_NOTED, CaseAttributes, read_case_attributes
from brainmri.evaluation.difficulty import CaseRow, Difficulty, tabulate_cases
from brainmri.evaluation.loading import ExperimentPredictions, load_predictions
from brainmri.evaluation.verdicts import VerdictRule, Verdicts, verdicts_by_case
from brainmri.review.filters import Filter
from brainmri.review.findings import read_findings, write_cell
from brainmri.review.records import Finding
from brainmri.study import Study
from brainmri.training.experiments import read_experiment

LOWEST_PROBABILITY: Final = 1e-7
"""A smaller probability of the true class counts as this one in the loss, so that no case has an infinite one."""

_CSV: Final = (
    "case_id",
    "diagnosis",
    "predicted",
    "wrong",
    "tested",
    "wrong_share",
    "kind",
    "disagreement",
    "confidence",
    "loss",
    "scanner",
    "quality",
    "reviewers",
    "verdicts",
    "bookmarked",
    "notes",
)


@dataclass(frozen=True, kw_only=True)
class WorkRow:
    """One case.

    Parameters
    ----------
    case_id, diagnosis : str
    predicted : str
        The class that most runs took the case for; the mean probability decides between equally many.
    tested, wrong : int
        Runs that tested the case, and those whose verdict was wrong.
    kind : str
        See `brainmri.evaluation.difficulty.DIFFICULTIES`.
    disagreement : bool
        Whether networks differ in the class that most of their runs took the case for.
    confidence : float
        Mean over the runs of the highest probability of the verdict, 0 to 1.
    loss : float
        Mean over the runs of −ln of the probability of the true class, in nats.
    scanner : str or None
    quality : tuple of str
        See `brainmri.evaluation.case_attributes.QUALITY`.
    example_run_id : str
        A run to look at first.
    reviewers, verdicts, notes : tuple of str
        One each a finding, in the order of the reviewers' names.
    bookmarked : bool
        By any of them.
    """

    case_id: str
    diagnosis: str
    predicted: str
    tested: int
    wrong: int
    kind: Difficulty
    disagreement: bool
    confidence: float
    loss: float
    scanner: str | None
    example_run_id: str
    quality: tuple[str, ...] = (NOTHING_NOTED,)
    reviewers: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bookmarked: bool = False

    @property
    def wrong_share(self) -> float:
        """Wrong verdicts as a share of the runs that tested the case."""
        return self.wrong / self.tested


@dataclass(frozen=True)
class Worklist:
    """Rows in the order of work."""

    rows: tuple[WorkRow, ...]

    def select(self, chosen: Filter) -> Worklist:
        """Return the rows that fulfil a filter, in the same order."""
        return Worklist(tuple(row for row in self.rows if chosen.accepts(row)))

    def among(self, case_ids: Iterable[str]) -> Worklist:
        """Return the rows of some cases, in the same order."""
        kept = set(case_ids)
        return Worklist(tuple(row for row in self.rows if row.case_id in kept))

    def with_findings(self, findings: Iterable[Finding]) -> Worklist:
        """Return the same rows with what people said in place of what the rows hold of that."""
        said = _by_case_id(findings)
        return Worklist(tuple(replace(row, **_said(said.get(row.case_id, []))) for row in self.rows))

    def neighbours(self, case_id: str) -> tuple[str | None, str | None]:
        """Return the case before and the case after one; where it is not in the list, None and the first one."""
        names = [row.case_id for row in self.rows]
        if case_id not in names:
            return None, names[0] if names else None
        place = names.index(case_id)
        return names[place - 1] if place else None, names[place + 1] if place + 1 < len(names) else None

    def count(self, field: str) -> dict[str, int]:
        """Return how many rows have each value of a field, most first; one with several values counts for each.

        Parameters
        ----------
        field : {'diagnosis', 'predicted', 'kind', 'scanner', 'quality', 'verdicts'}
        """
        return dict(Counter(value for row in self.rows for value in _values(getattr(row, field))).most_common())

    def reviewed(self, reviewer: str | None = None) -> int:
        """Return how many rows anybody, or one reviewer, has reviewed."""
        return sum(reviewer in row.reviewers if reviewer else bool(row.reviewers) for row in self.rows)

    def describe_progress(self, reviewer: str | None = None) -> str:
        """Return for example ``17 of 42 reviewed``."""
        return f"{self.reviewed(reviewer)} of {len(self.rows)} reviewed"

    def to_csv(self) -> str:
        """Return the list as a table with a heading."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_CSV)
        writer.writerows([_cell(getattr(row, name)) for name in _CSV] for row in self.rows)
        return text.getvalue()


def read_worklist(study: Study, experiment_id: str, *, rule: VerdictRule = "mean") -> Worklist:
    """Read all that a worklist needs, and make it.

    Raises
    ------
    EvaluationError
        Where there is no such experiment.
    """
    predictions = load_predictions(study, experiment_id)
    attributes = read_case_attributes(study, read_experiment(study, experiment_id).dataset_hash)
    return make_worklist(predictions, attributes, read_findings(study, experiment_id), rule=rule)


def make_worklist(
    predictions: ExperimentPredictions,
    attributes: Mapping[str, CaseAttributes],
    findings: Iterable[Finding],
    *,
    rule: VerdictRule = "mean",
) -> Worklist:
    """Make the worklist of an experiment: by share of wrong verdicts, then by probability of the true class.

    Parameters
    ----------
    predictions : ExperimentPredictions
    attributes : mapping of str to CaseAttributes
        By case.
    findings : iterable of Finding
        Those that count.
    rule : {'mean', 'vote', 'maximum'}
        Of the verdicts.
    """
    said = _by_case_id(findings)
    table = _by_case(verdicts_by_case(predictions, rule=rule))
    return Worklist(
        tuple(
            _work_row(row, table[row.case_id], attributes.get(row.case_id), said.get(row.case_id, []))
            for row in tabulate_cases(predictions, rule=rule)
        )
    )


@dataclass(frozen=True)
class _Summary:
    predicted: str
    disagreement: bool
    confidence: float
    loss: float


def _work_row(row: CaseRow, summary: _Summary, about: CaseAttributes | None, findings: list[Finding]) -> WorkRow:
    return WorkRow(
        case_id=row.case_id,
        diagnosis=row.diagnosis,
        predicted=summary.predicted,
        tested=row.tested,
        wrong=row.wrong,
        kind=row.difficulty,
        disagreement=summary.disagreement,
        confidence=summary.confidence,
        loss=summary.loss,
        scanner=about.scanner if about else None,
        quality=about.quality if about else (NOTHING_NOTED,),
        example_run_id=row.example_run_id,
        **_said(findings),
    )


def _values(value: str | tuple[str, ...] | None) -> set[str]:
    if value is None:
        return set()
    return {value} if isinstance(value, str) else set(value)


def _by_case_id(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    said = defaultdict[str, list[Finding]](list)
    for finding in findings:
        said[finding.case_id].append(finding)
    return said


def _said(findings: list[Finding]) -> dict[str, Any]:
    """Return what a row holds of the findings of its case."""
    findings = sorted(findings, key=lambda one: one.reviewer)
    return {
        "reviewers": tuple(one.reviewer for one in findings),
        "verdicts": tuple(one.verdict for one in findings),
        "notes": tuple(one.note for one in findings),
        "bookmarked": any(one.bookmarked for one in findings),
    }


def _by_case(verdicts: Verdicts) -> dict[str, _Summary]:
    """Summarise the verdicts of all runs on each case."""
    cases, classes = len(verdicts.case_ids), len(verdicts.classes)
    names = list(dict.fromkeys(run.architecture for run in verdicts.runs))
    network = np.array([names.index(run.architecture) for run in verdicts.runs], dtype=np.intp)[verdicts.run]
    votes = np.zeros((len(names), cases, classes))
    sums = np.zeros((len(names), cases, classes))
    np.add.at(votes, (network, verdicts.case, verdicts.predicted_class), 1)
    np.add.at(sums, (network, verdicts.case), verdicts.probabilities)
    tested = np.bincount(verdicts.case, minlength=cases)
    of_truth = verdicts.probabilities[np.arange(verdicts.case.size), verdicts.true_class]
    loss = np.bincount(verdicts.case, -np.log(np.maximum(of_truth, LOWEST_PROBABILITY)), cases)
    confidence = np.bincount(verdicts.case, verdicts.probabilities.max(axis=1, initial=0.0), cases)
    leading = _leading(votes.sum(axis=0), sums.sum(axis=0))
    own, present = _leading(votes, sums), np.asarray(votes.sum(axis=2) > 0)
    return {
        verdicts.case_ids[case]: _Summary(
            verdicts.classes[int(leading[case])],
            bool(np.unique(own[present[:, case], case]).size > 1),
            float(confidence[case] / tested[case]),
            float(loss[case] / tested[case]),
        )
        for case in np.flatnonzero(tested).tolist()
    }


def _leading(votes: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the class with most votes along the last axis, and the higher sum of probabilities of equal ones."""
    most = votes == votes.max(axis=-1, keepdims=True)
    return np.where(most, sums, -1.0).argmax(axis=-1).astype(np.intp)


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return write_cell("; ".join(value))
    return round(value, 6) if isinstance(value, float) else write_cell(value)
