"""The panel of the review page on what each sequence contributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from brainmri.dashboard.explanations.asking import CaseWish, ask_for_case, can_ask
from brainmri.dashboard.explanations.choices import pick_diagnosis
from brainmri.dashboard.explanations.offers import offer_run
from brainmri.dashboard.explanations.stored import contributions, gradients, stored_baselines
from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.state import explain_errors
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.wording import format_share
from brainmri.explanation.contribution_summary import ContributionSpread, over_repeats
from brainmri.explanation.contributions import BASELINE_NAMES, BASELINES, BaselineName, MissingSequence, Score
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.sequence_gradients import GradientContributions
from brainmri.figures.explanation import draw_contributions
from brainmri.figures.palette import CHART_CONFIG
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_SCORES: Final[dict[Score, str]] = {"probability": "Probability", "logit": "Logit"}


@st.fragment
@explain_errors()
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
    stored = stored_baselines(study, run.run_id, case.case_id)
    if not stored:
        if can_ask(study, run.run_id):
            ask_for_case(study, CaseWish(run_id=run.run_id, case_id=case.case_id, part="contributions"))
        else:
            offer_run(study, run, "what each sequence contributed")
        return
    with st.container(horizontal=True):
        index = pick_diagnosis(case, "To the diagnosis", f"contributed-{run.run_id}-{case.case_id}")
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
            format_func=BASELINE_NAMES.__getitem__,
            default=stored[0],
            required=True,
            key=f"contribution-baseline-{'-'.join(stored)}",
            help="\n".join(f"- **{BASELINE_NAMES[name]}**: {BASELINES[name]}" for name in stored),
        )
    games = contributions(study, run.run_id, baseline, case_id=case.case_id)
    if games is None:
        st.info("What was stored is gone. Load the page again.")
        return
    samples = [image.sample_index for image in case.images]
    found = games.of(samples, index, score)
    spread = _spread(study, [one for one in runs if one.architecture == run.architecture], baseline, case, index, score)
    other = _gradients(study, run, samples, index)
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(
            draw_contributions(found, spread, other=other if (score, baseline) == ("logit", "blurred") else None),
            theme=None,
            config=CHART_CONFIG,
            key="contributions",
            alt="Bars: what T1, T2 and T1c added to the score of the diagnosis",
        )
    with right:
        for sequence in SEQUENCES:
            st.write(describe_missing(games.without(samples, sequence)))
        blurred = contributions(study, run.run_id, "blurred")
        if other is not None and blurred is not None:
            st.write(other.compare(blurred.of(samples, index, "logit").values))
    st.caption(
        f"{found.describe()} Mean over the {len(samples)} slices that the network saw. What stands in for a missing "
        "sequence decides the answer: compare the choices."
    )
    if not take_inventory(study, run.run_id).baselines:  # only this case was explained
        offer_run(study, run, "what the other choices in place of a missing sequence give", key="explain-rest")


def _gradients(
    study: Study, run: FinishedRun, samples: Sequence[int], class_index: int
) -> GradientContributions | None:
    """Return the Integrated Gradients of a case; None where none are stored, or of another diagnosis only."""
    stored = gradients(study, run.run_id)
    return None if stored is None else stored.of(samples, class_index)


def describe_missing(missing: MissingSequence) -> str:
    """Say what the network would have said without a sequence."""
    share = format_share(max(missing.probabilities), digits=0)
    said = display_diagnosis(missing.predicted)
    if missing.changes_the_answer:
        return f"Without {missing.sequence} it would say **{said}** ({share}): another answer."
    return f"Without {missing.sequence} it would still say {said} ({share})."


def _spread(
    study: Study,
    runs: Sequence[FinishedRun],
    baseline: BaselineName,
    case: TestedCase,
    class_index: int,
    score: Score,
) -> ContributionSpread | None:
    stored = [contributions(study, run.run_id, baseline, case_id=case.case_id) for run in runs]
    samples = [image.sample_index for image in case.images]
    return over_repeats([one for one in stored if one is not None], samples, class_index, score)
