"""What is stored of the explanations of runs, read once for all visitors. Never changed, never copied."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.review import file_stamp
from brainmri.explanation.contributions import BaselineName, RunContributions, contributions_file, read_contributions
from brainmri.explanation.maps import FILE_NAME, RunMaps, read_maps
from brainmri.explanation.neighbours import ANSWERS_FILE, RunFeatures, read_features
from brainmri.explanation.stored_faithfulness import RunFaithfulness, faithfulness_file, read_faithfulness
from brainmri.study import Study

METHOD: Final = "gradcam"
"""Of the maps that every run has, and that are put to the test."""


def maps(study: Study, run_id: str) -> RunMaps | None:
    """Return the Grad-CAM maps of a run; None where there are none."""
    stamp = file_stamp(study, run_id, FILE_NAME)
    return _read_maps(study, study.url, run_id, stamp) if stamp else None


def contributions(study: Study, run_id: str, baseline: BaselineName) -> RunContributions | None:
    """Return the contributions of sequences in a run's test images; None where there are none."""
    stamp = file_stamp(study, run_id, contributions_file(baseline))
    return _read_contributions(study, study.url, run_id, baseline, stamp) if stamp else None


def faithfulness(study: Study, run_id: str) -> RunFaithfulness | None:
    """Return how far the maps of a run can be believed; None where that was not measured."""
    stamp = file_stamp(study, run_id, faithfulness_file(METHOD))
    return _read_faithfulness(study, study.url, run_id, stamp) if stamp else None


def features(study: Study, run_id: str) -> RunFeatures | None:
    """Return what a run's network makes of every image; None where that is not stored."""
    stamp = file_stamp(study, run_id, ANSWERS_FILE)
    return _read_features(study, study.url, run_id, stamp) if stamp else None


@st.cache_resource(show_spinner=False, max_entries=64)  # all runs of an experiment, 30 in the published protocol
def _read_maps(_study: Study, url: str, run_id: str, stamp: int) -> RunMaps | None:
    return read_maps(_study, run_id)


@st.cache_resource(show_spinner=False, max_entries=40)
def _read_contributions(
    _study: Study, url: str, run_id: str, baseline: BaselineName, stamp: int
) -> RunContributions | None:
    return read_contributions(_study, run_id, baseline)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read_faithfulness(_study: Study, url: str, run_id: str, stamp: int) -> RunFaithfulness | None:
    return read_faithfulness(_study, run_id, METHOD)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_features(_study: Study, url: str, run_id: str, stamp: int) -> RunFeatures | None:
    return read_features(_study, run_id)
