"""The panel of the review page on how far a map can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from brainmri.dashboard.case_maps import maps_of_run
from brainmri.dashboard.explanations.choices import pick_slice
from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.explanations.stored import METHOD, faithfulness
from brainmri.dashboard.review import TestedCase
from brainmri.evaluation.reading import FinishedRun
from brainmri.explanation.faithfulness import Stability
from brainmri.explanation.stored_faithfulness import stability_over_repeats
from brainmri.figures.explanation import draw_perturbation
from brainmri.figures.palette import CHART_CONFIG
from brainmri.study import Study


def show_checks(study: Study, run: FinishedRun, runs: Sequence[FinishedRun], case: TestedCase) -> None:
    """Show how far the Grad-CAM map of a slice can be believed."""
    st.subheader("Is the map worth believing?", anchor=False)
    found = faithfulness(study, run.run_id)
    if found is None:
        offer_run(study, run, "how far its maps can be believed")
        return
    sample = pick_slice(study, run, case, f"checked-{run.run_id}-{case.case_id}").sample_index
    left, right = st.columns(2)
    curves = found.curves(sample)
    with left:
        st.plotly_chart(
            draw_perturbation(curves),
            theme=None,
            config=CHART_CONFIG,
            key="perturbation",
            alt="Probability while the image is blurred, and while it is unblurred, strongest evidence first",
        )
    with right:
        for place in ("tumour", "centre"):
            if (energy := found.energy(sample, place)) is not None:
                st.write(energy.describe())
        st.write(curves.describe())
        own = [one for one in runs if one.architecture == run.architecture]
        st.write(_stability(study, own, sample, case.predicted_class).describe())
        st.write(found.randomisation.describe())
    st.caption("Grad-CAM of the predicted diagnosis. The last sentence is of the network, the others of this slice.")


def _stability(study: Study, runs: Sequence[FinishedRun], sample: int, class_index: int) -> Stability:
    found = [one for run in runs if (one := maps_of_run(study, run.run_id, METHOD)) is not None]
    return stability_over_repeats(found, sample, class_index)
