"""What the sections compute with, read and computed once for all visitors. Never changed, never copied."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.state import current_study
from brainmri.evaluation.analysis import analyse, compare_as_published
from brainmri.evaluation.bootstrap import Bootstrap, bootstrap_metric
from brainmri.evaluation.comparison import Comparison
from brainmri.evaluation.confusion import Confusion, count_confusions
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.loading import ExperimentPredictions, Part, load_predictions
from brainmri.evaluation.measure import measure_of
from brainmri.evaluation.metrics import MetricByRun, measure_runs
from brainmri.evaluation.reading import FinishedRun, align_runs, read_finished_runs
from brainmri.evaluation.verdicts import Scored, score

BOOTSTRAP_SEED: Final = 0
"""The same numbers at every visit."""


def predictions(chosen: Choice) -> ExperimentPredictions:
    """Return the predictions of all test images."""
    return _predictions(chosen.cache_key, "test", chosen)


def validation_predictions(chosen: Choice) -> ExperimentPredictions:
    """Return the predictions of the training images that were set aside."""
    return _predictions(chosen.cache_key, "validation", chosen)


def scored(chosen: Choice) -> Scored:
    """Return predictions of images, or verdicts on cases, as chosen."""
    return _scored(chosen.scored_key, chosen)


def measured(chosen: Choice) -> MetricByRun:
    """Return the chosen metric of every run."""
    return _measured(chosen.metric_key, chosen)


def runs(chosen: Choice) -> tuple[FinishedRun, ...]:
    """Return the finished runs, whose ``accuracy`` is the value of the chosen metric; NaN where it is undefined."""
    values = measured(chosen).by_run
    return tuple(replace(run, accuracy=_or_nan(values[run.run_id])) for run in _runs(chosen.cache_key, chosen))


def comparison(chosen: Choice) -> Comparison:
    """Return the comparison of the networks as published; `findings` has all tests, and takes longer."""
    return _comparison(chosen.metric_key, chosen)


def findings(chosen: Choice) -> Findings:
    """Return the comparison of the networks, in the words and the direction of the chosen metric."""
    return _findings(chosen.metric_key, chosen)


def bootstrap(chosen: Choice) -> Bootstrap:
    """Return intervals of the chosen metric over patients."""
    return _bootstrap(chosen.metric_key, chosen)


def confusions(chosen: Choice) -> dict[str, Confusion]:
    """Return the confusion counts of each architecture."""
    return _confusions(chosen.scored_key, chosen)


@st.cache_resource(max_entries=16, show_spinner="Reading predictions …")
def _predictions(key: tuple[str, ...], part: Part, _chosen: Choice) -> ExperimentPredictions:
    return load_predictions(current_study(), _chosen.experiment.experiment_id, part=part)


@st.cache_resource(max_entries=16, show_spinner=False)
def _scored(key: tuple[str, ...], _chosen: Choice) -> Scored:
    return score(predictions(_chosen), level=_chosen.level, rule=_chosen.rule)


@st.cache_resource(max_entries=64, show_spinner=False)
def _measured(key: tuple[str, ...], _chosen: Choice) -> MetricByRun:
    return measure_runs(scored(_chosen), _chosen.metric)


@st.cache_resource(max_entries=16, show_spinner=False)
def _runs(key: tuple[str, ...], _chosen: Choice) -> tuple[FinishedRun, ...]:
    return read_finished_runs(current_study(), _chosen.experiment.experiment_id)


@st.cache_resource(max_entries=16, show_spinner=False)
def _confusions(key: tuple[str, ...], _chosen: Choice) -> dict[str, Confusion]:
    return count_confusions(predictions(_chosen), level=_chosen.level, rule=_chosen.rule)


@st.cache_resource(max_entries=64, show_spinner=False)
def _comparison(key: tuple[str, ...], _chosen: Choice) -> Comparison:
    return compare_as_published(align_runs(runs(_chosen)), measure_of(_chosen.metric))


@st.cache_resource(max_entries=64, show_spinner="Comparing the networks …")
def _findings(key: tuple[str, ...], _chosen: Choice) -> Findings:
    measure = measure_of(_chosen.metric)
    return analyse(
        align_runs(runs(_chosen)),
        test_fraction=_chosen.experiment.settings.test_fraction,
        equivalence_points=measure.usual_region,
        measure=measure,
    )


@st.cache_resource(max_entries=64, show_spinner="Drawing patients …")
def _bootstrap(key: tuple[str, ...], _chosen: Choice) -> Bootstrap:
    return bootstrap_metric(scored(_chosen), _chosen.metric, seed=BOOTSTRAP_SEED)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
