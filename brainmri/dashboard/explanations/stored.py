"""What is stored of the explanations of runs, read once for all visitors. Never changed, never copied."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.review import file_stamp
from brainmri.explanation.case_files import case_file
from brainmri.explanation.contributions import (
    BASELINES,
    BaselineName,
    RunContributions,
    contributions_file,
    read_contributions,
)
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.neighbours import ANSWERS_FILE, RunFeatures, read_features
from brainmri.explanation.sequence_gradients import GRADIENTS_FILE, RunGradients, read_gradients
from brainmri.explanation.stored_faithfulness import RunFaithfulness, faithfulness_file, read_faithfulness
from brainmri.study import Study

METHOD: Final = "gradcam"
"""Of the maps that every run has, and that are put to the test."""


def contributions(
    study: Study, run_id: str, baseline: BaselineName, *, case_id: str | None = None
) -> RunContributions | None:
    """Return the contributions of sequences in a run's test images; None where there are none.

    Parameters
    ----------
    study : Study
    run_id : str
    baseline : {'blurred', 'mean', 'other-patient'}
    case_id : str, optional
        Where the whole run has none, take what was made of this case alone.
    """
    stamp = file_stamp(study, run_id, contributions_file(baseline))
    if stamp:
        return _read_contributions(study, study.url, run_id, baseline, None, stamp)
    stamp = file_stamp(study, run_id, case_file(case_id, contributions_file(baseline))) if case_id else 0
    return _read_contributions(study, study.url, run_id, baseline, case_id, stamp) if stamp else None


def stored_baselines(study: Study, run_id: str, case_id: str) -> tuple[BaselineName, ...]:
    """Return the baselines under which there are contributions of a case by a run."""
    every = take_inventory(study, run_id).baselines
    return every or tuple(
        name for name in BASELINES if file_stamp(study, run_id, case_file(case_id, contributions_file(name)))
    )


def faithfulness(study: Study, run_id: str) -> RunFaithfulness | None:
    """Return how far the maps of a run can be believed; None where that was not measured."""
    stamp = file_stamp(study, run_id, faithfulness_file(METHOD))
    return _read_faithfulness(study, study.url, run_id, stamp) if stamp else None


def gradients(study: Study, run_id: str) -> RunGradients | None:
    """Return the Integrated Gradients of sequences in a run's test images; None where there are none."""
    stamp = file_stamp(study, run_id, GRADIENTS_FILE)
    return _read_gradients(study, study.url, run_id, stamp) if stamp else None


def features(study: Study, run_id: str) -> RunFeatures | None:
    """Return what a run's network makes of every image; None where that is not stored."""
    stamp = file_stamp(study, run_id, ANSWERS_FILE)
    return _read_features(study, study.url, run_id, stamp) if stamp else None


@st.cache_resource(show_spinner=False, max_entries=120)
def _read_contributions(
    _study: Study, url: str, run_id: str, baseline: BaselineName, case_id: str | None, stamp: int
) -> RunContributions | None:
    return read_contributions(_study, run_id, baseline, case_id=case_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read_faithfulness(_study: Study, url: str, run_id: str, stamp: int) -> RunFaithfulness | None:
    return read_faithfulness(_study, run_id, METHOD)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_features(_study: Study, url: str, run_id: str, stamp: int) -> RunFeatures | None:
    return read_features(_study, run_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read_gradients(_study: Study, url: str, run_id: str, stamp: int) -> RunGradients | None:
    return read_gradients(_study, run_id)
