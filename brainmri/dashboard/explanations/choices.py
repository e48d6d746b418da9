"""What a visitor chooses in the explanation panels: a diagnosis, a slice, a sequence."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.case_maps import maps_of_run
from brainmri.dashboard.explanations.stored import METHOD
from brainmri.dashboard.review import TestedCase, TestedImage
from brainmri.evaluation.reading import FinishedRun
from brainmri.explanation.map_summary import strongest_sample
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_MOST_BUTTONS: Final = 14
"""Slices that fit into a row of buttons; more get a slider."""


def pick_diagnosis(case: TestedCase, label: str, key: str) -> int:
    """Let the visitor choose one of the diagnoses, first that of the network; return its class index."""
    chosen: int = st.segmented_control(
        label,
        range(len(case.classes)),
        format_func=lambda place: display_diagnosis(case.classes[place]),
        default=case.predicted_class,
        required=True,
        key=key,
    )
    return chosen


def pick_sequence(key: str) -> int:
    """Let the visitor choose a sequence, first T1c; return its channel."""
    chosen: int = st.segmented_control(
        "Sequence",
        range(len(SEQUENCES)),
        format_func=SEQUENCES.__getitem__,
        default=SEQUENCES.index("T1c"),
        required=True,
        key=key,
        persist_state="session",
    )
    return chosen


def pick_slice(study: Study, run: FinishedRun, case: TestedCase, key: str) -> TestedImage:
    """Let the visitor choose a slice, first the one with most evidence for what the network says of the case."""
    by_sample = {image.sample_index: image for image in case.images}
    start = _strongest(study, run, case)
    options = list(by_sample)
    if len(options) == 1:
        return by_sample[start]
    help_text = "First the slice whose Grad-CAM map has most evidence for the network's answer."

    def number(sample: int) -> str:
        return str(by_sample[sample].slice_index + 1)

    if len(options) > _MOST_BUTTONS:
        chosen = st.select_slider("Slice", options, value=start, format_func=number, key=key, help=help_text)
    else:
        chosen = st.segmented_control(
            "Slice", options, format_func=number, default=start, required=True, key=key, help=help_text
        )
    return by_sample[chosen]


def _strongest(study: Study, run: FinishedRun, case: TestedCase) -> int:
    """Return the sample of the slice with most evidence; the middle one where no maps are stored."""
    samples = [image.sample_index for image in case.images]
    found = maps_of_run(study, run.run_id, METHOD)
    if found is None or not set(samples) <= set(found.sample_index.tolist()):
        return samples[len(samples) // 2]
    return strongest_sample(found, samples, case.predicted_class)
