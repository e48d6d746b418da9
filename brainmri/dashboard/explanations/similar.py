"""The panel of the review page on the images that the network finds alike."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.explanations.stored import features
from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.state import remember_choice
from brainmri.evaluation.reading import FinishedRun
from brainmri.explanation.neighbours import Neighbour
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_NEIGHBOURS: Final = 8
_A_ROW: Final = 4
_PICTURE_PX: Final = 150
_T1C: Final = SEQUENCES.index("T1c")


def show_similar(study: Study, run: FinishedRun, case: TestedCase) -> None:
    """Show the images of other patients that the network finds most like this case."""
    st.subheader("What does the network think this looks like?", anchor=False)
    alike = features(study, run.run_id)
    if alike is None:
        offer_run(study, run, "which images it finds alike")
        return
    middle = case.images[len(case.images) // 2]
    found = alike.similar(middle.sample_index, count=_NEIGHBOURS)
    samples = read_samples(study, case.dataset_hash)
    for start in range(0, len(found.neighbours), _A_ROW):
        first, *others = st.columns(1 + _A_ROW)
        if start == 0:
            first.image(samples[middle.sample_index][_T1C], width=_PICTURE_PX)
            first.caption(f"**This case**, slice {middle.slice_index + 1}")
        for column, neighbour in zip(others, found.neighbours[start : start + _A_ROW], strict=False):
            with column:
                _show_neighbour(samples[neighbour.sample_index][_T1C], neighbour)
    st.caption(
        f"{found.describe()} The middle slice is compared. T1c is shown; the network compares all three sequences, by "
        "its last activations before the answer."
    )


def _show_neighbour(picture: NDArray[np.uint8], neighbour: Neighbour) -> None:
    sign = "✓" if neighbour.right else f"✗ {display_diagnosis(neighbour.predicted_class)}"
    seen = "trained on" if neighbour.part == "train" else "held out"
    st.image(picture, width=_PICTURE_PX)
    st.caption(
        f"{neighbour.case_id} · **{display_diagnosis(neighbour.true_class)}** {sign} · {seen} · similarity "
        f"{1 - neighbour.distance:.2f}"
    )
    if neighbour.part == "test":
        st.button(
            "Open",
            key=f"similar-{neighbour.case_id}",
            type="tertiary",
            on_click=remember_choice,
            kwargs={"case": neighbour.case_id},
        )
