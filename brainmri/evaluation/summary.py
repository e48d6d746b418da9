"""All that the results of one experiment show, in one record, and its tables as rows."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, replace
from typing import Any, Final

from brainmri.evaluation.comparison import Comparison, Descriptive, TukeyPair, compare
from brainmri.evaluation.predictions import (
    CaseRow,
    Confusion,
    Level,
    case_accuracies,
    count_confusions,
    tabulate_cases,
)
from brainmri.evaluation.reading import FinishedRun, read_finished_runs, read_predictions
from brainmri.evaluation.wording import explain_pair, format_p, format_points, format_range
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

OPEN: Final = "Open"
"""Label of the button at the end of a row."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The results of an experiment's finished runs.

    Parameters
    ----------
    level : {'image', 'case'}
        What runs, comparison and confusions count.
    runs : tuple of FinishedRun
    comparison : Comparison
        Shares from 0 to 1.
    confusions : dict of str to Confusion
        By architecture.
    cases : tuple of CaseRow
        The hardest first, whatever the level.
    """

    level: Level
    runs: tuple[FinishedRun, ...]
    comparison: Comparison
    confusions: dict[str, Confusion]
    cases: tuple[CaseRow, ...]


def evaluate_experiment(study: Study, experiment_id: str, *, level: Level = "image") -> Evaluation | None:
    """Evaluate the finished runs of an experiment; None where there are none.

    Raises
    ------
    EvaluationError
        Where there is no such experiment.
    """
    runs = read_finished_runs(study, experiment_id)
    if not runs:
        return None
    predictions = read_predictions(study, experiment_id)
    if level == "case":
        by_run = case_accuracies(predictions)
        runs = tuple(replace(run, accuracy=by_run.get(run.run_id, math.nan)) for run in runs)
    accuracies: dict[str, list[float]] = {}
    for run in runs:
        accuracies.setdefault(run.architecture, []).append(run.accuracy)
    return Evaluation(
        level=level,
        runs=runs,
        comparison=compare(accuracies),
        confusions=count_confusions(predictions, level=level),
        cases=tabulate_cases(predictions),
    )


def descriptive_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the descriptive table in per cent."""
    return [_descriptive_row(row) for row in comparison.descriptive]


def tukey_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the table of Tukey's pairs in percentage points."""
    return [_tukey_row(pair) for pair in comparison.tukey]


def run_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return one row for each finished run, accuracies in per cent."""
    return [
        {
            "Network": display_architecture(run.architecture),
            "Repeat": run.repeat,
            "Accuracy": _per_cent(run.accuracy),
            "Images/s": run.images_per_second,
            "Time": run.seconds,
            "Device": run.device,
            "Split seed": run.split_seed,
            "Run": run.run_id,
            "Review": OPEN,
        }
        for run in evaluation.runs
    ]


def case_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return one row for each tested case, the hardest first, with the wrong verdicts of each network."""
    return [_case_row(case) for case in evaluation.cases]


def accuracies_csv(evaluation: Evaluation) -> str:
    """Return accuracies as a table that ``python -m brainmri compare`` reads, in full precision."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("model", "repeat", "accuracy", "run_id", "split_seed"))
    for run in evaluation.runs:
        accuracy = "" if math.isnan(run.accuracy) else repr(run.accuracy)
        writer.writerow((run.architecture, run.repeat, accuracy, run.run_id, run.split_seed))
    return stream.getvalue()


def _descriptive_row(row: Descriptive) -> dict[str, Any]:
    return {
        "Network": display_architecture(row.model),
        "n": row.n,
        "Median": _per_cent(row.median),
        "IQR": format_range(row.q1, row.q3),
        "Mean": _per_cent(row.mean),
        "SD": _per_cent(row.sd),
        "Range": format_range(row.minimum, row.maximum),
    }


def _tukey_row(pair: TukeyPair) -> dict[str, Any]:
    return {
        "Pair": f"{display_architecture(pair.a)} − {display_architecture(pair.b)}",
        "Difference": _per_cent(pair.difference),
        "95 % interval": "–" if pair.lower is None else f"{format_points(pair.lower)} to {format_points(pair.upper)}",
        "p": format_p(pair.p).removeprefix("p ").removeprefix("= "),
        "In words": explain_pair(pair),
    }


def _case_row(case: CaseRow) -> dict[str, Any]:
    networks = {
        display_architecture(part.architecture): f"{part.wrong} of {part.tested}" if part.tested else "–"
        for part in case.by_architecture
    }
    return {
        "Case": case.case_id,
        "Diagnosis": display_diagnosis(case.diagnosis),
        "Wrong": 100 * case.wrong_share,
        "Runs": f"{case.wrong} of {case.tested}",
        "Probability": 100 * case.mean_true_probability,
        "Mostly taken for": display_diagnosis(case.taken_for) if case.taken_for else "–",
        **networks,
        "Review": OPEN,
    }


def _per_cent(share: float | None) -> float | None:
    return None if share is None or math.isnan(share) else 100 * share
