"""What the section of one network computes with, computed once for all visitors. Never changed, never copied."""

from __future__ import annotations

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import BOOTSTRAP_SEED, predictions, scored, validation_predictions
from brainmri.dashboard.state import current_study
from brainmri.errors import EvaluationError
from brainmri.evaluation.bootstrap import Bootstrap, bootstrap_metric
from brainmri.evaluation.calibration import Reliability, reliability
from brainmri.evaluation.case_attributes import read_case_attributes
from brainmri.evaluation.confusion import ConfusionCell, list_cells
from brainmri.evaluation.curves import CurveBand, CurveKind, average_curves
from brainmri.evaluation.intervals import share_interval
from brainmri.evaluation.loading import ExperimentPredictions
from brainmri.evaluation.metrics import metrics_of
from brainmri.evaluation.referral import ReferralCurve, referral_curves
from brainmri.evaluation.subgroups import SubgroupTable, tabulate_subgroups
from brainmri.evaluation.temperature import CalibratedRun, calibrate_runs, scale_predictions
from brainmri.evaluation.verdicts import Scored, score
from brainmri.training.monitor import EpochPoint, read_epochs


def own_scored(chosen: Choice, network: str) -> Scored:
    """Return predictions of images, or verdicts on cases, of one network."""
    return _own_scored((*chosen.scored_key, network), network, chosen)


def bootstraps(chosen: Choice, network: str) -> tuple[Bootstrap, ...]:
    """Return every metric of one network with its interval over patients."""
    return _bootstraps((*chosen.scored_key, network), network, chosen)


def cells(chosen: Choice, network: str) -> dict[tuple[int, int], ConfusionCell]:
    """Return the cases behind each cell of a network's confusion matrix."""
    return _cells((*chosen.scored_key, network), network, chosen)


def curves(chosen: Choice, network: str, kind: CurveKind) -> tuple[CurveBand, ...]:
    """Return the curves of a network, one a class."""
    return _curves((*chosen.scored_key, network), kind, network, chosen)


def calibration(chosen: Choice, network: str) -> tuple[tuple[CalibratedRun, ...], Reliability] | str:
    """Return what temperature scaling does to a network's runs, or say why nothing can be fitted."""
    return _calibration((*chosen.scored_key, network), network, chosen)


def plain_reliability(chosen: Choice, network: str) -> Reliability:
    """Return how often a network is right against how sure it is."""
    return _reliability((*chosen.scored_key, network), network, chosen)


def referral(chosen: Choice, network: str) -> ReferralCurve:
    """Return a network's accuracy on what it keeps, against what it refers."""
    return _referral((*chosen.scored_key, network), network, chosen)


def subgroups(chosen: Choice) -> SubgroupTable:
    """Return the accuracy of every network in every subgroup."""
    return _subgroups(chosen.scored_key, chosen)


def overall_accuracy(chosen: Choice, network: str) -> float | None:
    """Return the accuracy of a network over all its runs."""
    own = own_scored(chosen, network)
    return share_interval(own.true_class == own.predicted_class).share


def epochs(chosen: Choice) -> list[EpochPoint]:
    """Return the epochs of all runs."""
    return _epochs(chosen.cache_key, chosen)


@st.cache_resource(max_entries=32, show_spinner=False)
def _own_scored(key: tuple[str, ...], _network: str, _chosen: Choice) -> Scored:
    return _score(_chosen, predictions(_chosen).of(_network))


@st.cache_resource(max_entries=32, show_spinner="Drawing patients …")
def _bootstraps(key: tuple[str, ...], _network: str, _chosen: Choice) -> tuple[Bootstrap, ...]:
    own = own_scored(_chosen, _network)
    return tuple(bootstrap_metric(own, metric, seed=BOOTSTRAP_SEED) for metric in metrics_of(own.classes))


@st.cache_resource(max_entries=32, show_spinner=False)
def _cells(key: tuple[str, ...], _network: str, _chosen: Choice) -> dict[tuple[int, int], ConfusionCell]:
    return list_cells(own_scored(_chosen, _network), _network)


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(key: tuple[str, ...], kind: CurveKind, _network: str, _chosen: Choice) -> tuple[CurveBand, ...]:
    own = own_scored(_chosen, _network)
    return tuple(average_curves(own, index, kind=kind)[_network] for index in range(len(own.classes)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _calibration(
    key: tuple[str, ...], _network: str, _chosen: Choice
) -> tuple[tuple[CalibratedRun, ...], Reliability] | str:
    test = predictions(_chosen).of(_network)
    try:
        runs = calibrate_runs(
            validation_predictions(_chosen).of(_network), test, level=_chosen.level, rule=_chosen.rule
        )
    except EvaluationError as reason:
        return str(reason)
    scaled = scale_predictions(test, [run.temperature.value for run in runs])
    return runs, reliability(_score(_chosen, scaled), _network)


@st.cache_resource(max_entries=32, show_spinner=False)
def _reliability(key: tuple[str, ...], _network: str, _chosen: Choice) -> Reliability:
    return reliability(own_scored(_chosen, _network), _network)


@st.cache_resource(max_entries=32, show_spinner=False)
def _referral(key: tuple[str, ...], _network: str, _chosen: Choice) -> ReferralCurve:
    return referral_curves(own_scored(_chosen, _network))[_network]


@st.cache_resource(max_entries=32, show_spinner=False)
def _subgroups(key: tuple[str, ...], _chosen: Choice) -> SubgroupTable:
    attributes = read_case_attributes(current_study(), _chosen.experiment.dataset_hash)
    return tabulate_subgroups(scored(_chosen), attributes)


@st.cache_resource(max_entries=16, show_spinner=False)
def _epochs(key: tuple[str, ...], _chosen: Choice) -> list[EpochPoint]:
    return read_epochs(current_study(), _chosen.experiment.experiment_id)


def _score(chosen: Choice, own: ExperimentPredictions) -> Scored:
    return score(own, level=chosen.level, rule=chosen.rule)
