"""One case as one run saw it: its place among the others, and its squares and maps packed for the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st
from sqlalchemy import select

from brainmri.dashboard.case_maps import (
    MapChoice,
    file_stamp,
    maps_stamp,
    pick_map,
    read_case_maps,
)
from brainmri.dashboard.tested_cases import TestedCase, TestedImage, read_tested_cases
from brainmri.dashboard.viewer import PackedVolumes, ViewedSquare, pack_case, pack_volumes, without_position
from brainmri.evaluation.predictions import Verdicts, verdicts_by_case
from brainmri.evaluation.reading import FinishedRun, read_predictions
from brainmri.evaluation.wording import format_share
from brainmri.imaging.datasets import read_samples
from brainmri.imaging.records import Sample
from brainmri.intake.records import Case
from brainmri.intake.volumes import read_case
from brainmri.study import Study
from brainmri.training.records import Experiment, Prediction, Run
from brainmri.vocabulary import display_diagnosis

__all__ = [
    "MapChoice",
    "TestedCase",
    "TestedImage",
    "file_stamp",
    "find_experiment",
    "find_run",
    "image_table",
    "label_run",
    "packed_blind",
    "packed_case",
    "pick_choice",
    "read_case_row",
    "read_tested_cases",
    "read_verdicts",
    "same_repeat",
    "warm_up",
]

_USUAL: Final = MapChoice()


def find_experiment(study: Study, run_id: str | None) -> str | None:
    """Return the experiment of a run, or None where there is no such run."""
    if run_id is None:
        return None
    with study.session() as session:
        run = session.get(Run, run_id)
        return run.experiment_id if run else None


def read_verdicts(study: Study, experiment_id: str, finished: int) -> Verdicts:
    """Return the verdicts of all finished runs on all cases; never changed, never copied.

    Parameters
    ----------
    study : Study
    experiment_id : str
    finished : int
        Runs that have finished: another number is another answer.
    """
    return _verdicts(study, study.url, experiment_id, finished)


@st.cache_resource(max_entries=8, show_spinner=False)
def _verdicts(_study: Study, url: str, experiment_id: str, finished: int) -> Verdicts:
    return verdicts_by_case(read_predictions(_study, experiment_id))


def find_run(study: Study, runs: Sequence[FinishedRun], case_id: str | None) -> str:
    """Return the first of the runs that tested a case, or the first of all."""
    tested = {run.run_id: True for run in runs}
    if case_id is not None:
        query = (
            select(Prediction.run_id)
            .join(Run, Run.run_id == Prediction.run_id)
            .join(Experiment, Experiment.experiment_id == Run.experiment_id)
            .join(
                Sample,
                (Sample.dataset_hash == Experiment.dataset_hash) & (Sample.sample_index == Prediction.sample_index),
            )
            .where(Prediction.run_id.in_(list(tested)), Sample.case_id == case_id)
            .distinct()
        )
        with study.session() as session:
            found = set(session.scalars(query))
        return next((name for name in tested if name in found), runs[0].run_id)
    return runs[0].run_id


def read_case_row(study: Study, case_id: str) -> Case:
    """Return the row of a case."""
    with study.session() as session:
        return session.get_one(Case, case_id)


def pick_choice(study: Study, run: FinishedRun, case: TestedCase) -> MapChoice:
    """Let the visitor choose the map that the viewer shows; see `brainmri.dashboard.case_maps.pick_map`."""
    return pick_map(study, run.run_id, run.architecture, _samples_of(case), case_id=case.case_id)


def image_table(case: TestedCase) -> list[dict[str, Any]]:
    """Return one row for each slice that the network saw, probabilities in per cent."""
    return [
        {
            "Slice": image.slice_index + 1,
            "Network says": display_diagnosis(case.classes[image.predicted_class]),
            **{
                display_diagnosis(name): 100 * share
                for name, share in zip(case.classes, image.probabilities, strict=True)
            },
            "Sample": image.sample_index,
        }
        for image in case.images
    ]


def label_run(run: FinishedRun) -> str:
    """Return ``Repeat 3 · 92.3 %``."""
    return f"Repeat {run.repeat} · {format_share(run.accuracy)}"


def same_repeat(runs: Sequence[FinishedRun], run_id: str, architecture: str) -> str:
    """Return the run of an architecture on the same split as another run, or the first of that architecture."""
    repeat = next(run.repeat for run in runs if run.run_id == run_id)
    of_network = [run for run in runs if run.architecture == architecture]
    return next((run.run_id for run in of_network if run.repeat == repeat), of_network[0].run_id)


def packed_case(
    study: Study, run_id: str, case: TestedCase, choice: MapChoice = _USUAL, *, opaque_key: str | None = None
) -> bytes:
    """Return a case as one run saw it, packed for the viewer.

    Parameters
    ----------
    study : Study
    run_id : str
    case : TestedCase
        Of this run.
    choice : MapChoice
        What `pick_choice` returned.
    opaque_key : str, optional
        Stands for the case where readers must not know which it is: neither its name nor the run's is sent, nor where
        it lies in the scanner.

    Raises
    ------
    IntakeError, ImagingError, ExplanationError
        Where volumes or maps are missing or cannot be read.
    """
    row = read_case_row(study, case.case_id)
    stamp = maps_stamp(study, run_id, choice, case_id=case.case_id)
    return _pack(study, study.url, run_id, row.case_id, row.content_digest, choice, stamp, opaque_key, case)


def packed_blind(study: Study, case_id: str, opaque_key: str) -> bytes:
    """Return the images of a case for readers who must not know which it is: no names, squares, maps or positions.

    Raises
    ------
    IntakeError, ImagingError
        Where a volume is missing, cannot be read or is empty.
    """
    return _pack_blind(study, study.url, case_id, read_case_row(study, case_id).content_digest, opaque_key)


def warm_up(study: Study, case_id: str) -> None:
    """Read the volumes of a case that is likely to be opened next."""
    row = read_case_row(study, case_id)
    _read_packed_volumes(study, study.url, row.case_id, row.content_digest)


@st.cache_resource(show_spinner=False, max_entries=8)  # a large case has 15 MB; packing again takes milliseconds
def _pack(
    _study: Study,
    url: str,
    run_id: str,
    case_id: str,
    digest: str,
    choice: MapChoice,
    stamp: tuple[int, ...],
    opaque_key: str | None,
    _case: TestedCase,
) -> bytes:
    """Pack a case; the digest tells cases of the same name apart, the stamp new maps from old ones."""
    volumes = _read_packed_volumes(_study, url, case_id, digest)
    samples = _samples_of(_case)
    maps = read_case_maps(_study, run_id, samples, choice, case_id=case_id)
    shown: dict[str, Any] = {}
    if maps is not None:
        shown = {
            "maps": maps.values,
            "scales": maps.scales,
            "signed": maps.signed,
            "shows": maps.shows,
            "scale_of": maps.scale_of,
        }
    return pack_case(
        opaque_key or f"{run_id} {case_id} {digest[:12]}",
        without_position(volumes) if opaque_key else volumes,
        squares=[
            ViewedSquare(
                slice_index=one.slice_index, row=one.row, column=one.column, size_px=one.size_px, said=_say(_case, one)
            )
            for one in _case.images
        ],
        samples=read_samples(_study, _case.dataset_hash)[list(samples)],
        classes=[display_diagnosis(name) for name in _case.classes],
        chosen=_case.predicted_class,
        **shown,
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _pack_blind(_study: Study, url: str, case_id: str, digest: str, opaque_key: str) -> bytes:
    return pack_case(opaque_key, without_position(_read_packed_volumes(_study, url, case_id, digest)))


@st.cache_resource(show_spinner="Reading the volumes …", max_entries=8)
def _read_packed_volumes(_study: Study, url: str, case_id: str, digest: str) -> PackedVolumes:
    volumes = read_case(_study, case_id)
    return pack_volumes(volumes.arrays, volumes.spacing_mm, volumes.placement)


def _samples_of(case: TestedCase) -> tuple[int, ...]:
    return tuple(image.sample_index for image in case.images)


def _say(case: TestedCase, image: TestedImage) -> str:
    name = display_diagnosis(case.classes[image.predicted_class])
    return f"network on this slice: {name}, {format_share(image.probabilities[image.predicted_class], digits=0)}"
