"""Names of predictions, verdicts, confusions and hard cases, for modules that read them from one place."""

from __future__ import annotations

from brainmri.evaluation.confusion import Confusion, count_confusions
from brainmri.evaluation.difficulty import CaseErrors, CaseRow, tabulate_cases
from brainmri.evaluation.loading import ExperimentPredictions as Predictions
from brainmri.evaluation.loading import Level, PredictedRun
from brainmri.evaluation.metrics import case_accuracies
from brainmri.evaluation.verdicts import VERDICT_RULE, Verdicts, verdicts_by_case

__all__ = [
    "VERDICT_RULE",
    "CaseErrors",
    "CaseRow",
    "Confusion",
    "Level",
    "PredictedRun",
    "Predictions",
    "Verdicts",
    "case_accuracies",
    "count_confusions",
    "tabulate_cases",
    "verdicts_by_case",
]
