"""The images before a reader: blind, or with what the network said, under a name that says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from brainmri.dashboard.case_maps import MapChoice, maps_stamp, read_summary
from brainmri.dashboard.review import (
    TestedCase,
    find_experiment,
    packed_blind,
    packed_case,
    read_case_row,
    read_tested_cases,
)
from brainmri.dashboard.teaching.shelf import PLACEHOLDER, shared_shelf, write_key
from brainmri.dashboard.viewer import MarkedPoint, show_viewer
from brainmri.errors import TeachingError
from brainmri.study import Study
from brainmri.teaching.course import Present
from brainmri.teaching.plans import Mark
from brainmri.teaching.reveals import ShownNetwork

_CHOICE: Final = MapChoice()


@dataclass(frozen=True, kw_only=True)
class NetworkView:
    """What a network says of a case, once it may be shown."""

    run_id: str
    case: TestedCase


def read_network(study: Study, shown: ShownNetwork) -> NetworkView:
    """Return what the network that may be shown says of its case.

    Raises
    ------
    TeachingError
        Where its predictions are gone.
    """
    case = _tested(study, study.url, shown.run_id, shown.case_id)
    if case is None:
        raise TeachingError("The network's answer on this case is no longer stored.")
    return NetworkView(run_id=shown.run_id, case=case)


def pack_images(study: Study, case_id: str, key: str, network: NetworkView | None) -> bytes:
    """Return a case for the viewer; with the network's squares and maps where it may be shown."""
    digest = read_case_row(study, case_id).content_digest
    if network is None:
        name: tuple[object, ...] = (study.url, case_id, digest)
        packed = shared_shelf().take(name, lambda: packed_blind(study, case_id, PLACEHOLDER))
    else:
        run_id, case = network.run_id, network.case
        name = (study.url, case_id, digest, run_id, maps_stamp(study, run_id, _CHOICE, case_id=case_id))
        packed = shared_shelf().take(name, lambda: packed_case(study, run_id, case, opaque_key=PLACEHOLDER))
    return write_key(packed, key)


def show_images(
    packed: bytes, *, mark: Mark | None, marking: bool, closed: bool = False, key: str = "teaching-viewer"
) -> Mark | None:
    """Show the three sequences; return the point that the reader has just marked, unless that is closed."""
    stored = None if mark is None else MarkedPoint(slice_index=mark.slice_index, row=mark.row, column=mark.column)
    point = show_viewer(packed, key=key, mark_point=marking, mark=stored if marking else None, closed=closed)
    if not isinstance(point, MarkedPoint):
        return None
    return Mark(slice_index=point.slice_index, row=point.row, column=point.column)


def describe_map(study: Study, network: NetworkView) -> str:
    """Say what the coloured map is, or that there is none."""
    if read_summary(study, network.run_id, _CHOICE, case_id=network.case.case_id) is None:
        return "The squares are what the network was shown. It has no map yet."
    return (
        "The squares are what the network was shown. One map (Grad-CAM) lies over all three sequences: warm where the "
        "image spoke for the diagnosis. In the viewer another diagnosis can be chosen."
    )


def asks_for_mark(now: Present) -> bool:
    """Return whether the session lets readers mark a point."""
    return now.plan.mark or now.plan.exercise == "locate"


def read_ahead(study: Study, case_id: str) -> None:
    """Pack the case that comes next, so that it opens at once."""
    pack_images(study, case_id, PLACEHOLDER, None)


@st.cache_resource(show_spinner=False, max_entries=256)
def _tested(_study: Study, url: str, run_id: str, case_id: str) -> TestedCase | None:
    """Return what a finished run said of a case; it never changes."""
    experiment_id = find_experiment(_study, run_id)
    if experiment_id is None:
        return None
    return next((case for case in read_tested_cases(_study, experiment_id, run_id) if case.case_id == case_id), None)
