"""The panel of the review page that shows where all networks look in one slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri.dashboard.case_maps import STRONGEST_SD, maps_of_run
from brainmri.dashboard.explanations.choices import pick_diagnosis, pick_sequence, pick_slice
from brainmri.dashboard.explanations.pictures import beside_colour_bar, enlarge
from brainmri.dashboard.explanations.stored import METHOD
from brainmri.dashboard.review import TestedCase, TestedImage, read_verdicts
from brainmri.dashboard.state import explain_errors
from brainmri.evaluation.case_verdicts import CaseVerdict, verdicts_on_case
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.verdicts import Verdicts
from brainmri.evaluation.wording import format_share
from brainmri.explanation.map_summary import MapSpread, map_share, spread_over_repeats
from brainmri.explanation.maps import overlay
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_LARGE_PX: Final = 200
_SMALL_PX: Final = 92


@dataclass(frozen=True, kw_only=True)
class _Network:
    """What one architecture says of a case and a slice."""

    architecture: str
    verdict: CaseVerdict | None
    """By the repeat that is shown; None where no repeat tested the slice."""
    share: NDArray[np.float32] | None
    """Its map, as a share of strong evidence; None where the run has none."""
    spread: MapSpread | None
    """Over the repeats that have maps of the slice."""
    probabilities: NDArray[np.float64]
    """Of the diagnosis, by every repeat that tested the case: shape (n,)."""


@st.fragment
@explain_errors()
def show_architectures(
    study: Study, experiment_id: str, runs: Sequence[FinishedRun], case: TestedCase, *, run: FinishedRun
) -> None:
    """Show the Grad-CAM maps of one slice by every architecture side by side, and over their repeats.

    Parameters
    ----------
    study : Study
    experiment_id : str
    runs : sequence of FinishedRun
        All of the experiment.
    case : TestedCase
    run : FinishedRun
        The run that the page shows; the other networks are shown by the same repeat where they can be.
    """
    st.subheader("Where does each network look?", anchor=False)
    with st.container(horizontal=True):
        index = pick_diagnosis(case, "Evidence for", f"networks-class-{run.run_id}-{case.case_id}")
        channel = pick_sequence("networks-sequence")
        image = pick_slice(study, run, case, f"networks-slice-{run.run_id}-{case.case_id}")
    verdicts = read_verdicts(study, experiment_id, len(runs))
    found = [
        _compare(study, verdicts, architecture, run.repeat, case.case_id, image, index)
        for architecture in dict.fromkeys(one.architecture for one in runs)
    ]
    grey = enlarge(read_samples(study, case.dataset_hash)[image.sample_index][channel], _LARGE_PX)
    first, *columns = st.columns(1 + len(found))
    with first:
        _show_slice(grey, SEQUENCES[channel], image)
    diagnosis = display_diagnosis(case.classes[index])
    for column, network in zip(columns, found, strict=True):
        with column:
            _show_network(grey, network, diagnosis, repeat=run.repeat)
    st.caption(
        f"Grad-CAM for {diagnosis}, one map over all three sequences. One scale for all pictures: the brightest colour "
        "is what only one in twenty of a network's own test images exceeds. The values of two networks have no common "
        "unit: a brighter map is strong for that network, and does not make it surer than another. The small pictures: "
        "the mean over the repeats that tested the slice, and how far they lie apart (standard deviation)."
    )


def _compare(
    study: Study,
    verdicts: Verdicts,
    architecture: str,
    repeat: int,
    case_id: str,
    image: TestedImage,
    class_index: int,
) -> _Network:
    """Read what one architecture says; its shown run is that of the repeat, else the first that tested the slice."""
    own = [one for one in verdicts_on_case(verdicts, case_id).verdicts if one.architecture == architecture]
    stored = {one.run_id: found for one in own if (found := maps_of_run(study, one.run_id, METHOD)) is not None}
    tested = [one for one in own if one.run_id in stored and image.sample_index in stored[one.run_id].sample_index]
    shown = min(tested or own, key=lambda one: (one.repeat != repeat, one.repeat), default=None)
    return _Network(
        architecture=architecture,
        verdict=shown,
        share=map_share(stored[shown.run_id], image.sample_index, class_index, _LARGE_PX)
        if shown is not None and shown in tested
        else None,
        spread=spread_over_repeats(list(stored.values()), image.sample_index, class_index, _LARGE_PX),
        probabilities=_probabilities(verdicts, architecture, case_id, class_index),
    )


def _probabilities(verdicts: Verdicts, architecture: str, case_id: str, class_index: int) -> NDArray[np.float64]:
    """Return the probability of a diagnosis by every repeat of an architecture that tested the case: shape (n,)."""
    own = [place for place, one in enumerate(verdicts.runs) if one.architecture == architecture]
    rows = np.isin(verdicts.run, own) & (verdicts.case == verdicts.case_ids.index(case_id))
    return verdicts.probabilities[rows, class_index].astype(np.float64)


def _show_slice(grey: NDArray[np.uint8], sequence: str, image: TestedImage) -> None:
    """Show the slice without a map, and the scale of colours."""
    st.markdown(f"**{sequence}**, slice {image.slice_index + 1}")
    st.caption("as the networks saw it")
    picture = beside_colour_bar(grey)
    st.image(picture, width=picture.shape[1])
    st.caption("Bar: none below, strong evidence above.")


def _show_network(grey: NDArray[np.uint8], network: _Network, diagnosis: str, *, repeat: int) -> None:
    """Show one network's verdict, its map, and its repeats."""
    name = display_architecture(network.architecture)
    verdict = network.verdict
    if verdict is None:
        st.markdown(f"**{name}**")
        st.write("No finished repeat tested this case.")
        return
    other = "" if verdict.repeat == repeat else f" (repeat {repeat} did not)"
    st.markdown(
        f"**{name}** says {display_diagnosis(verdict.diagnosis)} {'✓' if verdict.is_right else '✗'} "
        f"{format_share(verdict.probability, digits=0)}"
    )
    if network.share is None:
        st.caption(f"repeat {verdict.repeat}{other}")
        st.write("No map is stored of this slice. Open a run of this network to make its maps.")
        return
    st.caption(f"repeat {verdict.repeat}{other} · {describe_peak(network.share, diagnosis)}")
    st.image(overlay(grey, network.share), width=_LARGE_PX)
    if network.spread is not None:
        _show_spread(grey, network.spread)
    st.caption(describe_repeats(network.probabilities, network.spread, diagnosis))


def _show_spread(grey: NDArray[np.uint8], spread: MapSpread) -> None:
    if spread.n < 2 or spread.sd is None:
        return
    with st.container(horizontal=True, gap="small"):
        st.image(overlay(grey, spread.mean), width=_SMALL_PX, caption="Mean")
        st.image(overlay(grey, spread.sd / STRONGEST_SD), width=_SMALL_PX, caption="Spread (SD)")


def describe_peak(share: NDArray[np.float32], diagnosis: str) -> str:
    """Say how strong the strongest place of a map is, a share of strong evidence; shape (H, W)."""
    peak = float(share.max())
    if peak <= 0:
        return f"**no positive evidence for {diagnosis}**"
    return f"strongest place {format_share(min(peak, 1.0), digits=0)} of the scale" + (" or more" if peak > 1 else "")


def describe_repeats(probabilities: NDArray[np.float64], spread: MapSpread | None, diagnosis: str) -> str:
    """Say what all repeats of a network give a diagnosis, and how many of their maps are empty.

    Parameters
    ----------
    probabilities : ndarray, shape (n,), float64
        Of the diagnosis, one a repeat that tested the case.
    spread : MapSpread or None
        Of the maps of the slice.
    diagnosis : str
        As people read it.
    """
    mean = format_share(float(probabilities.mean()), digits=0)
    if len(probabilities) == 1:
        return f"{diagnosis} {mean} by the one repeat that tested the case."
    text = (
        f"{diagnosis} {mean} ± {100 * float(probabilities.std(ddof=1)):.0f} (mean ± SD of the {len(probabilities)} "
        "repeats that tested the case)."
    )
    if spread is not None and spread.empty:
        verb = "has" if spread.empty == 1 else "have"
        text += f" {spread.empty} of {spread.n} maps {verb} no positive evidence."
    return text
