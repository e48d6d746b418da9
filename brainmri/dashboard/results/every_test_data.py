"""What the section of all tests computes with, computed once for all visitors. Never changed, never copied."""

from __future__ import annotations

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import findings, predictions
from brainmri.errors import EvaluationError
from brainmri.evaluation.analysis import weigh_by_region
from brainmri.evaluation.bayesian import BayesianPair
from brainmri.evaluation.case_tests import CaseTests, compare_on_cases
from brainmri.evaluation.consensus import Consensus, find_consensus
from brainmri.evaluation.delong import AreaComparison, compare_consensus_areas
from brainmri.evaluation.loading import Level
from brainmri.evaluation.wording import name_architectures


def posteriors(chosen: Choice, equivalence_points: float) -> tuple[BayesianPair, ...]:
    """Return the posteriors of all pairs for a region of practical equivalence."""
    return weigh_by_region(findings(chosen), equivalence_points)


def case_tests(chosen: Choice) -> CaseTests | str:
    """Return the tests on verdicts on the same cases, or say why there are none."""
    return _case_tests((*chosen.cache_key, chosen.rule), chosen)


def areas(chosen: Choice, class_index: int) -> AreaComparison | str:
    """Return the areas under the ROC curves of a class, or say why there are none."""
    return _areas(chosen.scored_key, class_index, chosen)


@st.cache_resource(max_entries=16, show_spinner=False)
def _consensus(key: tuple[str, ...], level: Level, _chosen: Choice) -> Consensus:
    return find_consensus(predictions(_chosen), level=level, rule=_chosen.rule)


@st.cache_resource(max_entries=16, show_spinner=False)
def _case_tests(key: tuple[str, ...], _chosen: Choice) -> CaseTests | str:
    try:
        return compare_on_cases(_consensus(key, "case", _chosen))
    except EvaluationError as reason:
        return name_architectures(str(reason))


@st.cache_resource(max_entries=64, show_spinner=False)
def _areas(key: tuple[str, ...], class_index: int, _chosen: Choice) -> AreaComparison | str:
    try:
        consensus = _consensus((*_chosen.cache_key, _chosen.rule), _chosen.level, _chosen)
        return compare_consensus_areas(consensus, class_index)
    except EvaluationError as reason:
        return name_architectures(str(reason))
