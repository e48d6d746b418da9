"""The panel of the review page on the images that the network finds alike."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.dashboard.explanations.choices import pick_sequence, pick_slice
from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.explanations.pictures import enlarge
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
_PICTURE_PX: Final = 140
_ROWS: Final = {True: "Most alike, and right", False: "Most alike, and wrong"}
"""By whether the network classifies the images correctly."""
_NONE: Final = {
    True: "It gets no image of another patient right.",
    False: "It gets no image of another patient wrong.",
}


def show_similar(study: Study, run: FinishedRun, case: TestedCase) -> None:
    """Show the images of other patients that the network finds most like a slice of this case: right and wrong ones.

    Parameters
    ----------
    study : Study
    run : FinishedRun
    case : TestedCase
    """
    st.subheader("What does the network think this looks like?", anchor=False)
    alike = features(study, run.run_id)
    if alike is None:
        offer_run(study, run, "which images it finds alike")
        return
    with st.container(horizontal=True):
        image = pick_slice(study, run, case, f"similar-slice-{run.run_id}-{case.case_id}")
        channel = pick_sequence("similar-sequence")
    samples = read_samples(study, case.dataset_hash)
    left, others = st.columns([1, _A_ROW])
    with left:
        st.markdown("**This case**")
        st.image(enlarge(samples[image.sample_index][channel], _PICTURE_PX), width=_PICTURE_PX)
        st.caption(
            f"{case.case_id}, slice {image.slice_index + 1} · **{display_diagnosis(case.diagnosis)}** · the network "
            f"says {display_diagnosis(case.classes[image.predicted_class])} here"
        )
    with others:
        for right, title in _ROWS.items():
            st.markdown(f"**{title}**")
            found = alike.similar(image.sample_index, count=_A_ROW, right=right)
            if not found.neighbours:
                st.write(_NONE[right])
            for column, neighbour in zip(st.columns(_A_ROW), found.neighbours, strict=False):
                with column:
                    _show_neighbour(enlarge(samples[neighbour.sample_index][channel], _PICTURE_PX), neighbour)
    st.caption(
        f"{alike.similar(image.sample_index, count=_NEIGHBOURS).describe()} {SEQUENCES[channel]} is shown; the network "
        "compares all three sequences, by its last activations before the answer. At most one image of each patient."
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
            key=f"similar-{neighbour.sample_index}",
            type="tertiary",
            on_click=remember_choice,
            kwargs={"case": neighbour.case_id},
        )
