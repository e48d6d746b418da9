"""The fields of the training form, each with a plain word of help; together they are the settings of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.contents import StudyContents
from brainmri.imaging.settings import MAXIMUM_SIZE_PX, MINIMUM_SIZE_PX, DatasetSettings
from brainmri.training.architecture_names import DISPLAY_NAMES, display_architecture
from brainmri.training.presets import PRESETS, Preset, find_preset
from brainmri.training.weights import IMAGENET, SCRATCH, weights_folder, weights_status

FROM_FILE: Final = "file"

_SPLITS: Final = {"patient": "Patients", "image": "Images"}
_SPLIT_HELP: Final = {
    "patient": "All images of a patient are either trained on or tested on: the accuracy is that on new patients.",
    "image": "As in the published study. Images of one patient are trained on and tested on, so the accuracy is "
    "higher than on new patients.",
}
_MODES: Final = {"full": "All layers", "partial": "Last blocks", "head": "Last layer only"}
_MODE_HELP: Final = {
    "full": "Every layer is fine-tuned, as in the published study. The slowest, and usually the most accurate.",
    "partial": "Early layers stay as they are; what they see is computed once for all repeats.",
    "head": "Only the last layer learns, on what the others see: minutes in place of hours on a processor.",
}
_WEIGHTS: Final = {IMAGENET: "Published", SCRATCH: "From scratch", FROM_FILE: "From a file"}
_DEVICES: Final = {"auto": "Automatic", "cpu": "Processor", "cuda": "NVIDIA GPU"}
_SCHEDULES: Final = {"cosine": "Along a cosine", "step": "In two steps", "constant": "Not at all"}
_PRECISIONS: Final = {"float32": "Full", "float16": "Half"}
_KEPT: Final = {"all": "Of every run", "best": "Best of each"}


class _Fields:
    """Widgets whose keys and first values belong to one protocol: another one has widgets of its own."""

    def __init__(self, preset: Preset) -> None:
        self.name = preset.name
        self.usual = preset.settings()

    def key(self, name: str) -> str:
        return f"{self.name}-{name}"

    def number(self, column: Any, label: str, name: str, least: Any, most: Any, help_text: str, **options: Any) -> Any:
        """Show a number field."""
        value = getattr(self.usual, name)
        return column.number_input(label, least, most, value, key=self.key(name), help=help_text, **options)

    def choice(
        self, column: Any, label: str, name: str, choices: Mapping[str, str], help_text: str | None = None
    ) -> str:
        """Show a row of choices."""
        chosen: str = column.segmented_control(
            label,
            list(choices),
            format_func=choices.__getitem__,
            default=getattr(self.usual, name),
            required=True,
            key=self.key(name),
            help=help_text,
        )
        return chosen


def pick_settings(contents: StudyContents) -> tuple[dict[str, Any], int]:
    """Show the fields and return the settings by name, unchecked, and the image size in pixels."""
    titles = {preset.name: preset.title for preset in PRESETS.values()}
    name = st.segmented_control(
        "Protocol",
        list(titles),
        format_func=titles.__getitem__,
        default=next(iter(titles)),
        required=True,
        key="preset",
    )
    preset = find_preset(name)
    st.caption(preset.description)
    fields = _Fields(preset)
    networks, size_px = _pick_networks(fields, contents)
    values: dict[str, Any] = {"preset": preset.name, **networks}
    values |= _pick_layers(fields)
    values["split_by"] = fields.choice(st, "Split into 70 % training and 30 % test", "split_by", _SPLITS)
    if values["split_by"] != fields.usual.split_by:
        st.caption(_SPLIT_HELP[values["split_by"]])
    values["weights"] = _pick_weights(fields, tuple(values["architectures"]))
    values["device"] = fields.choice(
        st, "Train on", "device", _DEVICES, "Automatic takes an NVIDIA GPU where there is one."
    )
    with st.expander("How it learns"):
        values |= _pick_learning(fields)
    with st.expander("Early stopping, storage and repeatability"):
        values |= _pick_storage(fields)
    return values, size_px


def _pick_networks(fields: _Fields, contents: StudyContents) -> tuple[dict[str, Any], int]:
    names = st.pills(
        "Networks",
        list(DISPLAY_NAMES),
        selection_mode="multi",
        default=list(fields.usual.architectures),
        format_func=display_architecture,
        key=fields.key("architectures"),
    )
    repeats, epochs, size = st.columns(3)
    values = {
        "architectures": tuple(names),
        "repeats": fields.number(
            repeats, "Repeats", "repeats", 1, 100, "Random splits, the same for every network. Ten as published."
        ),
        "epochs": fields.number(epochs, "Epochs", "epochs", 1, 1000, "How often a network sees every training image."),
    }
    return values, _pick_size(size, contents)


def _pick_size(column: Any, contents: StudyContents) -> int:
    """Show the field of the image size; it belongs to the data set and to no protocol."""
    present = contents.dataset.size_px if contents.dataset else DatasetSettings().size_px
    chosen: int = column.number_input(
        "Image size (pixels)",
        MINIMUM_SIZE_PX,
        MAXIMUM_SIZE_PX,
        present,
        step=16,
        key="size",
        help="Side of the square images. 224 as published; 64 to 96 is several times faster and less accurate.",
    )
    return chosen


def _pick_layers(fields: _Fields) -> dict[str, Any]:
    mode = fields.choice(st, "Layers that learn", "mode", _MODES)
    st.caption(_MODE_HELP[mode])
    values: dict[str, Any] = {"mode": mode}
    if mode == "full":
        return values
    left, right = st.columns(2)
    if mode == "partial":
        values["trained_blocks"] = fields.number(
            left, "Last blocks that learn", "trained_blocks", 1, 7, "Counted from the end of the network."
        )
    values["cached_views"] = fields.number(
        right,
        "Versions of each image",
        "cached_views",
        1,
        32,
        "1: the image as it is. More: also turned, shifted and brightened ones; each takes as much time again, once.",
    )
    return values


def _pick_weights(fields: _Fields, names: tuple[str, ...]) -> str:
    start = fields.choice(st, "Begin with weights", "weights", _WEIGHTS)
    if start == SCRATCH:
        st.caption("The networks begin knowing nothing. They need more images and epochs, and end less accurate.")
        return SCRATCH
    if start == FROM_FILE:
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


def _pick_learning(fields: _Fields) -> dict[str, Any]:
    left, middle, right = st.columns(3)
    return {
        "batch_size": fields.number(
            left, "Images a step", "batch_size", 2, 1024, "Where memory is too small, a step is computed in parts."
        ),
        "learning_rate": fields.number(
            middle,
            "Learning rate",
            "learning_rate",
            0.00001,
            10.0,
            "How far each step changes the network. Too high, and the loss rises; too low, and it hardly falls.",
            step=0.001,
            format="%.5f",
        ),
        "head_rate_factor": fields.number(
            right,
            "Last layer, times",
            "head_rate_factor",
            0.1,
            100.0,
            "The last layer begins random, the others do not: it may learn faster than they.",
            step=1.0,
        ),
        "augmentation": fields.number(
            left,
            "Augmentation",
            "augmentation",
            0.0,
            2.0,
            "How strongly training images are turned, shifted and brightened: 0 not at all, 1 as usual.",
            step=0.25,
        ),
        "weight_decay": fields.number(
            middle,
            "Weight decay",
            "weight_decay",
            0.0,
            1.0,
            "Pulls weights towards zero, against learning by heart.",
            step=0.0001,
            format="%.5f",
        ),
        "class_weighting": "balanced"
        if st.toggle(
            "Rare diagnoses count more",
            fields.usual.class_weighting == "balanced",
            key=fields.key("class_weighting"),
            help="Each image counts the more, the fewer images its diagnosis has.",
        )
        else "none",
        "schedule": fields.choice(st, "The learning rate falls", "schedule", _SCHEDULES),
    }


def _pick_storage(fields: _Fields) -> dict[str, Any]:
    left, middle, right = st.columns(3)
    share = left.number_input(
        "Set aside (%)",
        0,
        50,
        round(100 * fields.usual.validation_fraction),
        key=fields.key("validation_fraction"),
        help="Share of the training patients that only early stopping and calibration look at. The test images are "
        "never used for that.",
    )
    patience = fields.number(
        middle,
        "Patience (epochs)",
        "patience",
        0,
        1000,
        "End after so many epochs without a better loss on them; 0: never.",
    )
    seed = fields.number(right, "Seed", "seed", 0, 2**31 - 1, "The same seed: the same splits, and the same networks.")
    processes = fields.number(left, "Processes at once", "processes", 0, 64, "0 chooses: one for each core.")
    left, right = st.columns(2)
    precision = fields.choice(
        left, "Stored precision", "checkpoint_dtype", _PRECISIONS, "Half takes half the disk; it is what is tested."
    )
    kept = fields.choice(
        right,
        "Networks kept",
        "keep_checkpoints",
        _KEPT,
        "Best: of each network the run with the lowest loss on the patients set aside, or else on training images.",
    )
    deterministic = st.toggle(
        "The same bits every time on a GPU",
        fields.usual.deterministic,
        key=fields.key("deterministic"),
        help="Slower. A processor gives the same bits in any case.",
    )
    compiled = st.toggle(
        "Compile the networks",
        fields.usual.compiled,
        key=fields.key("compiled"),
        help="For long trainings on a GPU: takes about a minute at the start, and needs a C++ compiler. On a processor "
        "it gains nothing.",
    )
    return {
        "validation_fraction": share / 100,
        "patience": patience,
        "seed": seed,
        "processes": processes,
        "checkpoint_dtype": precision,
        "keep_checkpoints": kept,
        "deterministic": deterministic,
        "compiled": compiled,
    }
