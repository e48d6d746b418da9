"""Panels of the review page that read what is stored of a run: contributions of sequences, checks, similar cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from brainmri import tasks
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.review import TestedCase, file_stamp, stored_maps
from brainmri.dashboard.state import remember_choice
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.wording import format_share
from brainmri.explanation.contribution_summary import ContributionSpread, over_repeats
from brainmri.explanation.contributions import (
    BASELINES,
    BaselineName,
    MissingSequence,
    RunContributions,
    Score,
    contributions_file,
    read_contributions,
)
from brainmri.explanation.faithfulness import Stability
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.neighbours import ANSWERS_FILE, Neighbour, RunFeatures, read_features
from brainmri.explanation.stored_faithfulness import (
    RunFaithfulness,
    faithfulness_file,
    read_faithfulness,
    stability_over_repeats,
)
from brainmri.figures.explanation import draw_contributions, draw_perturbation
from brainmri.figures.palette import CHART_CONFIG
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES, display_diagnosis

PANELS: Final = {
    "cases": "Cases",
    "sequences": "Sequences",
    "checks": "Worth believing?",
    "similar": "Similar cases",
    "change": "Before and after",
}
"""What the address calls a panel, and its label; the last one only where an experiment repeats another."""

_EXPLAIN: Final = "explain"
_METHOD: Final = "gradcam"
_SCORES: Final[dict[Score, str]] = {"probability": "Probability", "logit": "Logit"}
_BASELINES: Final[dict[BaselineName, str]] = {
    "blurred": "Blurred",
    "mean": "Mean of the training images",
    "other-patient": "Other patients",
}
_NEIGHBOURS: Final = 8
_A_ROW: Final = 4
_PICTURE_PX: Final = 150
_T1C: Final = SEQUENCES.index("T1c")


def show_sequences(study: Study, run: FinishedRun, runs: Sequence[FinishedRun], case: TestedCase) -> None:
    """Show what T1, T2 and T1c contributed to what the network says of a case.

    Parameters
    ----------
    study : Study
    run : FinishedRun
    runs : sequence of FinishedRun
        All of the experiment: those of the same network give the spread.
    case : TestedCase
    """
    st.subheader("What each sequence contributed", anchor=False)
    stored = take_inventory(study, run.run_id).baselines
    if not stored:
        _offer(study, run, "what each sequence contributed")
        return
    with st.container(horizontal=True):
        index = st.segmented_control(
            "To the diagnosis",
            range(len(case.classes)),
            format_func=lambda place: display_diagnosis(case.classes[place]),
            default=case.predicted_class,
            required=True,
            key=f"contributed-{run.run_id}-{case.case_id}",
        )
        score: Score = st.segmented_control(
            "Measured in",
            list(_SCORES),
            format_func=_SCORES.__getitem__,
            default="probability",
            required=True,
            key="contribution-score",
        )
        baseline: BaselineName = st.segmented_control(
            "In place of a missing sequence",
            list(stored),
            format_func=_BASELINES.__getitem__,
            default=stored[0],
            required=True,
            key=f"contribution-baseline-{'-'.join(stored)}",
            help="\n".join(f"- **{_BASELINES[name]}**: {BASELINES[name]}" for name in stored),
        )
    games = _contributions(study, run.run_id, baseline)
    if games is None:
        st.info("What was stored is gone. Load the page again.")
        return
    samples = [image.sample_index for image in case.images]
    found = games.of(samples, index, score)
    spread = _spread(study, [one for one in runs if one.architecture == run.architecture], baseline, case, index, score)
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(
            draw_contributions(found, spread),
            theme=None,
            config=CHART_CONFIG,
            key="contributions",
            alt="Bars: what T1, T2 and T1c added to the score of the diagnosis",
        )
    with right:
        for sequence in SEQUENCES:
            st.write(describe_missing(games.without(samples, sequence)))
    st.caption(
        f"{found.describe()} Mean over the {len(samples)} slices that the network saw. What stands in for a missing "
        "sequence decides the answer: compare the choices."
    )


def show_checks(study: Study, run: FinishedRun, runs: Sequence[FinishedRun], case: TestedCase) -> None:
    """Show how far the Grad-CAM map of a slice can be believed."""
    st.subheader("Is the map worth believing?", anchor=False)
    found = _faithfulness(study, run.run_id)
    if found is None:
        _offer(study, run, "how far its maps can be believed")
        return
    by_sample = {image.sample_index: image.slice_index + 1 for image in case.images}
    sample: int = st.segmented_control(
        "Slice",
        list(by_sample),
        format_func=lambda index: str(by_sample[index]),
        default=list(by_sample)[len(by_sample) // 2],
        required=True,
        key=f"checked-{run.run_id}-{case.case_id}",
    )
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


def show_similar(study: Study, run: FinishedRun, case: TestedCase) -> None:
    """Show the images of other patients that the network finds most like this case."""
    st.subheader("What does the network think this looks like?", anchor=False)
    features = _features(study, run.run_id)
    if features is None:
        _offer(study, run, "which images it finds alike")
        return
    middle = case.images[len(case.images) // 2]
    found = features.similar(middle.sample_index, count=_NEIGHBOURS)
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


def describe_missing(missing: MissingSequence) -> str:
    """Say what the network would have said without a sequence."""
    share = format_share(max(missing.probabilities), digits=0)
    said = display_diagnosis(missing.predicted)
    if missing.changes_the_answer:
        return f"Without {missing.sequence} it would say **{said}** ({share}): another answer."
    return f"Without {missing.sequence} it would still say {said} ({share})."


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


def _offer(study: Study, run: FinishedRun, what: str) -> None:
    """Offer to compute and store everything of a run in the background, or show how far that is."""
    task = tasks.latest(study, _EXPLAIN)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, f"Explaining {now.subject or 'a run'}"))
        return
    show_outcome(task, advice="Try again.")
    st.write(
        f"It is not stored yet {what} in this run. Explaining the run asks the stored network about every test image, "
        "in the background: some seconds to some minutes on a processor."
    )
    pressed = st.button("Explain this run", type="primary", icon=":material/neurology:", key="explain-all")
    if pressed and start_task(study, _EXPLAIN, ["explain-all", run.run_id], subject=run.run_id):
        st.rerun()


def _spread(
    study: Study,
    runs: Sequence[FinishedRun],
    baseline: BaselineName,
    case: TestedCase,
    class_index: int,
    score: Score,
) -> ContributionSpread | None:
    stored = [_contributions(study, run.run_id, baseline) for run in runs]
    samples = [image.sample_index for image in case.images]
    return over_repeats([one for one in stored if one is not None], samples, class_index, score)


def _stability(study: Study, runs: Sequence[FinishedRun], sample: int, class_index: int) -> Stability:
    maps = [found for run in runs if (found := stored_maps(study, run.run_id)) is not None]
    return stability_over_repeats(maps, sample, class_index)


def _contributions(study: Study, run_id: str, baseline: BaselineName) -> RunContributions | None:
    stamp = file_stamp(study, run_id, contributions_file(baseline))
    return _read_contributions(study, study.url, run_id, baseline, stamp) if stamp else None


def _faithfulness(study: Study, run_id: str) -> RunFaithfulness | None:
    stamp = file_stamp(study, run_id, faithfulness_file(_METHOD))
    return _read_faithfulness(study, study.url, run_id, stamp) if stamp else None


def _features(study: Study, run_id: str) -> RunFeatures | None:
    stamp = file_stamp(study, run_id, ANSWERS_FILE)
    return _read_features(study, study.url, run_id, stamp) if stamp else None


@st.cache_resource(show_spinner=False, max_entries=40)
def _read_contributions(
    _study: Study, url: str, run_id: str, baseline: BaselineName, stamp: int
) -> RunContributions | None:
    return read_contributions(_study, run_id, baseline)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read_faithfulness(_study: Study, url: str, run_id: str, stamp: int) -> RunFaithfulness | None:
    return read_faithfulness(_study, run_id, _METHOD)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_features(_study: Study, url: str, run_id: str, stamp: int) -> RunFeatures | None:
    return read_features(_study, run_id)
