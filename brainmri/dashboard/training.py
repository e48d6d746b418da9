"""The form of the training page: choose a protocol and launch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.contents import CASES_PAGE, StudyContents
from brainmri.dashboard.formatting import format_bytes, format_count, format_estimate
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.protocol import Protocol, expect_time, expected_bytes
from brainmri.dashboard.training_fields import pick_settings
from brainmri.errors import BrainMRIError
from brainmri.evaluation.wording import list_words
from brainmri.imaging.datasets import count_by_class, usable_case_counts
from brainmri.study import Study
from brainmri.training.settings import TrainingSettings
from brainmri.training.weights import IMAGENET, SCRATCH, check_weight_file
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis

MEASURE: Final = "measure"
"""The command that measures this machine."""

_FEWEST_PATIENTS: Final = 2


def show_form(study: Study, contents: StudyContents, *, preparing: bool, busy: bool) -> None:
    """Show the form with what it would train, and the button that launches it.

    Parameters
    ----------
    study : Study
    contents : StudyContents
    preparing : bool
        Another training is being prepared: it must be in the queue before the next one.
    busy : bool
        Trainings run: a measurement beside them would tell too little speed.
    """
    choices, summary = st.columns([3, 2], gap="large")
    with choices:
        values, size_px = pick_settings(contents)
    problem, settings = None, None
    try:
        settings = TrainingSettings(**values)
        problem = _find_problem(settings)
    except BrainMRIError as error:
        problem = str(error) if values["architectures"] and values["weights"] else _what_is_missing(values)
    with summary:
        ready = _show_summary(
            study, contents, None if settings is None else Protocol(settings=settings, size_px=size_px)
        )
        if preparing:
            st.caption("Another training is being prepared. Start this one when it is in the queue.")
        if problem:
            st.warning(problem, icon=":material/edit:")
        label = "Start training"
        disabled = preparing or not ready or problem is not None
        if settings is not None:
            _offer_measurement(study, Protocol(settings=settings, size_px=size_px), busy=busy)
        pressed = st.button(label, type="primary", icon=":material/play_circle:", disabled=disabled, width="stretch")
        if pressed and settings is not None:
            arguments = Protocol(settings=settings, size_px=size_px).to_arguments()
            if start_task(study, "train", arguments):
                st.rerun()


def _show_summary(study: Study, contents: StudyContents, protocol: Protocol | None) -> bool:
    """Show what would be trained on, and return whether there is enough of it."""
    cases, images = _count(study, contents)
    with st.container(border=True):
        st.markdown("**What it trains on**")
        rows = [
            {"Diagnosis": display_diagnosis(name), "Cases": cases[name], **({"Images": images[name]} if images else {})}
            for name in cases
        ]
        st.dataframe(rows, hide_index=True, key="summary")
        if protocol is not None:
            st.caption(_describe_images(contents, protocol))
        scarce = [name for name, count in cases.items() if count < _FEWEST_PATIENTS]
        if scarce:
            st.warning(
                f"Too few cases of {list_words(scarce)}: each diagnosis needs at least "
                f"{_FEWEST_PATIENTS} with a tumour mask.",
                icon=":material/folder_shared:",
            )
            st.page_link(CASES_PAGE, label="Import or label cases", icon=":material/folder_shared:")
            return False
        if protocol is not None:
            settings = protocol.settings
            runs = settings.repeats * len(settings.architectures)
            st.markdown(f"{format_count(runs, 'run')}, {format_count(settings.epochs, 'epoch')} each.")
            st.caption(_describe_expectation(study, protocol, images))
    return True


def _offer_measurement(study: Study, protocol: Protocol, *, busy: bool) -> None:
    """Show a measurement that runs, or the button that starts one."""
    task = tasks.latest(study, MEASURE)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, "Measuring this machine"))
        return
    show_outcome(task, advice="Training itself needs no measurement.")
    networks = format_count(len(protocol.settings.architectures), "network")
    if st.button(
        "Measure this machine",
        icon=":material/speed:",
        disabled=busy,
        width="stretch",
        help=f"Trains {networks} for some seconds on made-up pictures of this size, so that the expected time shows "
        "before the first training." + (" Not while a training runs." if busy else ""),
    ) and start_task(study, MEASURE, protocol.measure_arguments()):
        st.rerun()


def _count(study: Study, contents: StudyContents) -> tuple[dict[str, int], dict[str, int] | None]:
    """Return cases of each class, and images where the present data set tells them."""
    if contents.dataset is not None and contents.dataset_is_current:
        images, cases = count_by_class(study, contents.dataset)
        return cases, images
    return usable_case_counts(study, TRAINED_DIAGNOSES), None


def _describe_images(contents: StudyContents, protocol: Protocol) -> str:
    if contents.dataset is None:
        return "The data set is made at the start; its images are counted then."
    if not contents.dataset_is_current:
        return "The cases have changed since the last data set: a new one is made at the start."
    if contents.dataset.size_px != protocol.size_px:
        return f"A data set of {protocol.size_px} × {protocol.size_px} pixels is made at the start."
    return f"The present data set, {contents.dataset.hash}, {protocol.size_px} × {protocol.size_px} pixels."


def _describe_expectation(study: Study, protocol: Protocol, images: Mapping[str, int] | None) -> str:
    """Say how long the training takes and how much disk, as far as that is known."""
    disk = _describe_disk(study, protocol.settings)
    if images is None:
        return f"How long it takes shows once the images are counted and the first network is trained. {disk}"
    expected = expect_time(study, protocol, images=sum(images.values()))
    if expected is None:
        return f"How long it takes shows after the first run of this size, or after a measurement. {disk}"
    roughly = "At most roughly" if expected.is_limit else "Roughly"
    return f"{roughly} {format_estimate(expected.seconds)}, {expected.source}. {disk}"


def _describe_disk(study: Study, settings: TrainingSettings) -> str:
    needed, free = expected_bytes(settings), study.free_bytes()
    text = f"The networks take about {format_bytes(needed)} of disk; {format_bytes(free)} are free."
    return text if needed < free else f":material/warning: {text} Store them in half precision, or keep the best only."


def _what_is_missing(values: Mapping[str, object]) -> str:
    return "Name the weight file." if values["architectures"] else "Choose at least one network."


def _find_problem(settings: TrainingSettings) -> str | None:
    """Return what is wrong with settings that hold by themselves, or None."""
    if settings.weights in (IMAGENET, SCRATCH):
        return None
    try:
        check_weight_file(settings.weights, settings.architectures)
    except BrainMRIError as error:
        return str(error)
    return None
