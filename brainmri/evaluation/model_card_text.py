"""A model card as Markdown, for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from brainmri.evaluation.comparison import Descriptive
from brainmri.evaluation.model_card import DataFacts, ModelCard, SplitFacts
from brainmri.evaluation.model_card_figures import ImageAccuracy, Proportion, RunAccuracy
from brainmri.evaluation.predictions import VERDICT_RULE
from brainmri.evaluation.wording import format_range, format_share, list_words
from brainmri.training.architecture_names import display_architecture
from brainmri.training.export import INTENDED_USE
from brainmri.vocabulary import SEQUENCES, display_diagnosis

if TYPE_CHECKING:
    from brainmri.training.export.exporting import ExportedNetwork

_ONNX_CODE: Final = """\
```python
import json, onnxruntime
session = onnxruntime.InferenceSession("{name}")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
probabilities, = session.run(None, {{"intensities": images}})  # float32 (N, 3, {size}, {size}), 0 to 1
```"""

_SAFETENSORS_CODE: Final = """\
```python
from pathlib import Path
from brainmri.training.checkpoints import read_checkpoint
model, meta = read_checkpoint(Path("{name}"))  # takes images normalised by meta["normalisation"], gives logits
```"""


def write_card(card: ModelCard, exported: ExportedNetwork) -> str:
    """Return the card as Markdown."""
    sections = [
        f"# Model card: {card.display_name}, run {card.run_id}",
        _warning(card.data, card.split),
        _purpose(card),
        _file(card, exported),
        _data(card.data),
        _split(card.split),
        _accuracy(card.accuracy),
        _repeats(card),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card.limits),
        "## Settings of the training\n\n" + _table(("setting", "value"), _setting_rows(card.settings)),
        "## Software and machine\n\n" + _table(("what", "version"), _version_rows(card)),
    ]
    return "\n\n".join(sections) + "\n"


def _warning(data: DataFacts, split: SplitFacts) -> str:
    lines = [INTENDED_USE]
    if data.origin == "phantoms":
        lines.append("LEARNED FROM COMPUTED PHANTOMS, NOT FROM PATIENTS. Its accuracy says nothing about patients.")
    elif data.origin != "patients":
        cases = sum(data.cases.values())
        lines.append(f"{data.phantom_cases} OF {cases} CASES ARE COMPUTED PHANTOMS, NOT PATIENTS.")
    if split.shared_cases:
        lines.append("TESTED ON PATIENTS THAT IT LEARNED FROM: other slices of them. Its accuracy is too high.")
    return "\n>\n".join(f"> **{line}**" for line in lines)


def _purpose(card: ModelCard) -> str:
    names = list_words([*card.data.cases])
    return (
        "## What it is for\n\n"
        f"This {card.display_name} tells {names} apart on one slice of a brain MRI: the square around the tumour on "
        f"{list_words(SEQUENCES)} as the three channels of one image. It is for research on such networks and for "
        "teaching. It is not for decisions about patients."
    )


def _file(card: ModelCard, exported: ExportedNetwork) -> str:
    name, size = exported.path.name, card.data.size_px
    rows = [("file", f"`{name}`"), ("sha256", f"`{exported.sha256}`")]
    if exported.file_format == "onnx":
        rows += [
            ("input", f"`intensities`, float32, (N, 3, {size}, {size}), {', '.join(SEQUENCES)}, 0 to 1"),
            ("output", f"`probabilities`, float32, (N, {len(card.data.cases)}), {', '.join(card.data.cases)}"),
        ]
    code = (_ONNX_CODE if exported.file_format == "onnx" else _SAFETENSORS_CODE).format(name=name, size=size)
    parts = ["## The file", _table(("what", "value"), rows)]
    if exported.checked is not None:
        parts.append(
            f"Run with onnxruntime on {exported.checked.samples} test images of this run, no probability differed by "
            f"more than {exported.checked.largest_difference:.1e} from the original's."
        )
    if exported.file_format == "onnx":
        parts.append("Normalisation and softmax are part of the network.")
    return "\n\n".join([*parts, code])


def _data(data: DataFacts) -> str:
    rows = [(display_diagnosis(name), data.images[name], data.cases[name]) for name in data.cases]
    rows.append(("All", sum(data.images.values()), sum(data.cases.values())))
    origin = {
        "patients": "All cases are patients; a case is one patient's pre-treatment examination.",
        "phantoms": "**All cases are computed phantoms. There is no patient among them.**",
    }.get(data.origin, f"**{data.phantom_cases} of the cases are computed phantoms, the others patients.**")
    made = "; ".join(f"{name} {_plain(value)}" for name, value in data.settings.items() if name != "classes")
    return "\n\n".join(
        [
            "## Data",
            f"Data set `{data.dataset}`, images of {data.size_px} × {data.size_px} pixels. {origin}",
            _table(("diagnosis", "images", "cases"), rows),
            *([f"How images were made: {made}."] if made else []),
        ]
    )


def _split(split: SplitFacts) -> str:
    unit = "patients" if split.unit == "patient" else "images"
    held = f"{format_share(split.test_fraction)} of the {unit} of each diagnosis held out for testing"
    if split.validation_fraction:
        held += f", {format_share(split.validation_fraction)} of the others set aside to choose by"
    parts = {"training": split.train, "validation": split.validation, "test": split.test}
    rows = [(name, part.images, part.cases) for name, part in parts.items() if part.images]
    shared = (
        f"**{split.shared_cases} of the {split.test.cases} test cases have images that it learned from.**"
        if split.shared_cases
        else "No test case has an image that it learned from."
    )
    return "\n\n".join(
        [
            "## Split",
            f"At random by {split.unit}, repeat {split.repeat}, seed {split.seed}: {held}.",
            _table(("part", "images", "cases"), rows),
            shared,
        ]
    )


def _accuracy(accuracy: RunAccuracy) -> str:
    rows = [
        (
            display_diagnosis(row.diagnosis),
            row.sensitivity.total,
            _proportion(row.sensitivity),
            _proportion(row.specificity),
        )
        for row in accuracy.classes
    ]
    cases = accuracy.cases
    return "\n\n".join(
        [
            "## Accuracy of this run",
            f"Test images: {_image_sentence(accuracy.images)}",
            f"Test cases: {_proportion(cases)}, {cases.hits} of {cases.total} verdicts right. {VERDICT_RULE}",
            _table(("diagnosis", "test cases", "sensitivity", "specificity"), rows),
            "Ranges in parentheses are 95 % intervals: of images by drawing whole patients anew, of cases by Wilson.",
        ]
    )


def _image_sentence(images: ImageAccuracy) -> str:
    counts = f"{images.right} of {images.images} images of {images.cases} cases right"
    if images.lower is None:
        return f"{format_share(images.share)}, {counts}. {images.remark}"
    return f"{format_share(images.share)} ({format_range(images.lower, images.upper)}), {counts}."


def _repeats(card: ModelCard) -> str:
    rows = [_repeat_row(row, own=row.model == card.architecture) for row in card.repeats]
    columns = ("network", "repeats", "median", "quartiles", "range")
    return "\n\n".join(
        [
            "## Spread over the repeats of the experiment",
            f"Image accuracy of all finished runs of `{card.experiment_id}`.",
            _table(columns, rows),
        ]
    )


def _repeat_row(row: Descriptive, *, own: bool) -> tuple[object, ...]:
    name = display_architecture(row.model)
    return (
        f"**{name}** (this one)" if own else name,
        row.n,
        format_share(row.median),
        format_range(row.q1, row.q3),
        format_range(row.minimum, row.maximum),
    )


def _setting_rows(settings: dict[str, Any]) -> Iterable[tuple[str, str]]:
    return [(f"`{name}`", _plain(value)) for name, value in settings.items()]


def _version_rows(card: ModelCard) -> Iterable[tuple[str, object]]:
    rows = [(name, value) for name, value in card.versions.items()]
    rows += [("device", card.device or "–"), ("trained on (UTC)", card.trained_at or "–")]
    return [*rows, ("epochs trained", card.epochs_trained)]


def _proportion(proportion: Proportion) -> str:
    if proportion.share is None:
        return "none tested"
    return f"{format_share(proportion.share)} ({format_range(proportion.lower, proportion.upper)})"


def _plain(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
