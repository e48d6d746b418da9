"""The form of the training page: choose a protocol and launch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.contents import CASES_PAGE, StudyContents
from brainmri.dashboard.formatting import format_count, format_estimate
from brainmri.dashboard.progress import start_task
from brainmri.dashboard.protocol import DEFAULTS, Protocol, expected_seconds, measured_speeds
from brainmri.errors import BrainMRIError
from brainmri.evaluation.wording import list_words
from brainmri.imaging.datasets import count_by_class, usable_case_counts
from brainmri.imaging.settings import MAXIMUM_SIZE_PX, MINIMUM_SIZE_PX, DatasetSettings
from brainmri.study import Study
from brainmri.training.architecture_names import DISPLAY_NAMES, display_architecture
from brainmri.training.weights import IMAGENET, SCRATCH, check_weight_file, weights_folder, weights_status
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis

_FILE: Final = "file"
_SPLITS: Final = {"patient": "Patients", "image": "Images"}
_SPLIT_HELP: Final = {
    "patient": "All images of a patient are either trained on or tested on: the accuracy is that on new patients.",
    "image": "As in the published study. Images of one patient are trained on and tested on, so the accuracy is "
    "higher than on new patients.",
}
_WEIGHTS: Final = {IMAGENET: "Published", SCRATCH: "From scratch", _FILE: "From a file"}
_DEVICES: Final = {"auto": "Automatic", "cpu": "Processor", "cuda": "NVIDIA GPU"}
_FEWEST_PATIENTS: Final = 2


def show_form(study: Study, contents: StudyContents, *, busy: bool) -> None:
    """Show the form with what it would train, and the button that launches it.

    Parameters
    ----------
    study : Study
    contents : StudyContents
    busy : bool
        A training runs: there can be one at a time.
    """
    choices, summary = st.columns([3, 2], gap="large")
    with choices:
        protocol = _pick_protocol(contents)
    with summary:
        ready = _show_summary(study, contents, protocol)
        if busy:
            st.caption("A training is running. Wait for it or stop it, then start the next one.")
        problem = _find_problem(protocol)
        if problem:
            st.warning(problem, icon=":material/edit:")
        label = "Start training"
        disabled = busy or not ready or problem is not None
        pressed = st.button(label, type="primary", icon=":material/play_circle:", disabled=disabled, width="stretch")
        if pressed and start_task(study, "train", protocol.to_arguments()):
            st.rerun()


def _pick_protocol(contents: StudyContents) -> Protocol:
    names = st.pills(
        "Networks",
        list(DISPLAY_NAMES),
        selection_mode="multi",
        default=list(DEFAULTS.architectures),
        format_func=display_architecture,
        key="architectures",
    )
    repeats, epochs, size = st.columns(3)
    repeat_count = repeats.number_input(
        "Repeats", 1, 100, DEFAULTS.repeats, key="repeats", help="Random splits, the same for every network."
    )
    epoch_count = epochs.number_input(
        "Epochs", 1, 1000, DEFAULTS.epochs, key="epochs", help="How often a network sees every training image."
    )
    with size:
        size_px = _pick_size(contents)
    split_by = st.segmented_control(
        "Split into 70 % training and 30 % test",
        list(_SPLITS),
        format_func=_SPLITS.__getitem__,
        default=DEFAULTS.split_by,
        required=True,
        key="split",
    )
    st.caption(_SPLIT_HELP[split_by])
    weights = _pick_weights(tuple(names))
    device = st.segmented_control(
        "Train on",
        list(_DEVICES),
        format_func=_DEVICES.__getitem__,
        default=DEFAULTS.device,
        required=True,
        key="device",
        help="Automatic takes an NVIDIA GPU where there is one.",
    )
    advanced, seed = _pick_advanced()
    return Protocol(
        architectures=tuple(names),
        repeats=repeat_count,
        split_by=split_by,
        epochs=epoch_count,
        size_px=size_px,
        weights=weights,
        device=device,
        seed=seed,
        advanced=advanced,
    )


def _pick_size(contents: StudyContents) -> int:
    present = contents.dataset.size_px if contents.dataset else DatasetSettings().size_px
    return st.number_input(
        "Image size (pixels)",
        MINIMUM_SIZE_PX,
        MAXIMUM_SIZE_PX,
        present,
        step=16,
        key="size",
        help="Side of the square images. 224 as published; 64 to 96 is several times faster and less accurate.",
    )


def _pick_weights(names: tuple[str, ...]) -> str:
    start = st.segmented_control(
        "Begin with weights",
        list(_WEIGHTS),
        format_func=_WEIGHTS.__getitem__,
        default=DEFAULTS.weights,
        required=True,
        key="weights",
    )
    if start == SCRATCH:
        st.caption("The networks begin knowing nothing. They need more images and epochs, and end less accurate.")
        return SCRATCH
    if start == _FILE:
        path = st.text_input(
            "Weight file",
            placeholder="/data/weights/resnet50.pth",
            key="weight-file",
            help="A .pth or .safetensors file of one network, on the computer that runs brainmri.",
        )
        return path.strip().strip("\"'")
    st.caption(_describe_published(names))
    return IMAGENET


def _describe_published(names: tuple[str, ...]) -> str:
    """Say of each file of published weights whether it is on this computer."""
    wanted = [one for one in weights_status() if one.architecture in names]
    lines = [
        f":material/check_circle: {display_architecture(one.architecture)}: {one.file_name} is on this computer."
        if one.present
        else f":material/cloud_download: {display_architecture(one.architecture)}: {one.file_name} is not here yet."
        for one in wanted
    ]
    if any(not one.present for one in wanted):
        lines.append(
            "Missing files are fetched at the start where this computer reaches the internet. Where it does not, put "
            f"them into `{weights_folder()}`, or train from scratch."
        )
    return "  \n".join(lines)


def _pick_advanced() -> tuple[dict[str, Any], int]:
    with st.expander("Advanced"):
        left, middle, right = st.columns(3)
        batch_size = left.number_input("Images a step", 2, 1024, DEFAULTS.batch_size, key="batch-size")
        rate = middle.number_input(
            "Learning rate", 0.00001, 1.0, DEFAULTS.learning_rate, step=0.001, format="%.5f", key="learning-rate"
        )
        augmentation = right.number_input(
            "Augmentation",
            0.0,
            2.0,
            DEFAULTS.augmentation,
            step=0.25,
            key="augmentation",
            help="How strongly training images are turned, shifted and brightened: 0 not at all, 1 as usual.",
        )
        seed = left.number_input(
            "Seed", 0, 2**31 - 1, DEFAULTS.seed, key="seed", help="The same seed, the same splits."
        )
        processes = middle.number_input(
            "Processes at once", 0, 64, DEFAULTS.processes, key="processes", help="0 chooses: one for each core."
        )
    chosen = {
        "batch_size": (batch_size, DEFAULTS.batch_size),
        "learning_rate": (rate, DEFAULTS.learning_rate),
        "augmentation": (augmentation, DEFAULTS.augmentation),
        "processes": (processes, DEFAULTS.processes),
    }
    return {name: value for name, (value, usual) in chosen.items() if value != usual}, seed


def _show_summary(study: Study, contents: StudyContents, protocol: Protocol) -> bool:
    """Show what would be trained on, and return whether there is enough of it."""
    cases, images = _count(study, contents)
    with st.container(border=True):
        st.markdown("**What it trains on**")
        rows = [
            {"Diagnosis": display_diagnosis(name), "Cases": cases[name], **({"Images": images[name]} if images else {})}
            for name in cases
        ]
        st.dataframe(rows, hide_index=True, key="summary")
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
        runs = protocol.repeats * len(protocol.architectures)
        st.markdown(f"{format_count(runs, 'run')}, {format_count(protocol.epochs, 'epoch')} each.")
        st.caption(_describe_expectation(study, protocol, images))
    return True


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
    if images is None:
        return "How long it takes shows once the images are counted and the first network is trained."
    speeds = measured_speeds(study, protocol.size_px)
    processes = protocol.advanced.get("processes")
    seconds = expected_seconds(protocol, speeds, images=sum(images.values()), processes=processes)
    if seconds is None:
        return "No run of this size was measured on this study yet: how long it takes shows after the first one."
    return f"Roughly {format_estimate(seconds)}, from the speed of earlier runs of this size."


def _find_problem(protocol: Protocol) -> str | None:
    """Return what is missing in the form, or None."""
    if not protocol.architectures:
        return "Choose at least one network."
    if protocol.weights in (IMAGENET, SCRATCH):
        return None
    if not protocol.weights:
        return "Name the weight file."
    try:
        check_weight_file(protocol.weights, protocol.architectures)
    except BrainMRIError as error:
        return str(error)
    return None
