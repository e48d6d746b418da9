"""What T1, T2 and T1c contribute to one network's answers, over all patients of a diagnosis."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from brainmri.dashboard.explanations.offers import offer_task
from brainmri.dashboard.explanations.stored import contributions
from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import predictions
from brainmri.dashboard.results.panels import show_figure, show_heading, show_table
from brainmri.dashboard.review import file_stamp
from brainmri.dashboard.state import current_study
from brainmri.explanation.contribution_summary import DiagnosisContributions, by_diagnosis
from brainmri.explanation.contributions import BASELINE_NAMES, BASELINES, BaselineName, Score, contributions_file
from brainmri.explanation.inventory import take_inventory
from brainmri.figures.explanation import draw_diagnosis_contributions
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_SCORES: Final[dict[Score, str]] = {"probability": "Probability", "logit": "Logit"}


def show_contributions(chosen: Choice, network: str) -> None:
    """Show the mean contribution of each sequence to each diagnosis, from what is stored of the network's runs."""
    study = current_study()
    name = display_architecture(network)
    run_ids = [run.run_id for run in predictions(chosen).runs if run.architecture == network]
    stored = {run_id: found for run_id in run_ids if (found := take_inventory(study, run_id).baselines)}
    with show_heading("What each sequence contributed"):
        if stored:
            score, baseline = _choose(stored)
    if not stored:
        experiment_id = chosen.experiment.experiment_id
        offer_task(
            study,
            experiment_id,
            f"It is not stored yet what each sequence contributed in the runs of {name}. Explaining all runs of the "
            "experiment asks each network about its test images, in the background: some minutes on a processor. From "
            f"a terminal: `python -m brainmri explain-all {experiment_id}`",
            label="Explain all runs",
        )
        return
    explained = [run_id for run_id, found in stored.items() if baseline in found]
    summary = _summarise(study, chosen, network, explained, baseline, score)
    left, right = st.columns([3, 2])
    with left:
        show_figure(
            draw_diagnosis_contributions(summary),
            key=f"contributions-{network}",
            alt="Bars: what T1, T2 and T1c add on average to the score of each diagnosis, with 95 % intervals",
        )
    with right:
        show_table(contribution_rows(summary))
        for one in summary:
            st.write(describe_strongest(one))
    st.caption(
        f"Shapley values in the held-out patients of each diagnosis (number in brackets), for that diagnosis; in place "
        f"of a missing sequence {BASELINES[baseline]}. From {len(explained)} of {len(run_ids)} runs of {name}. Each "
        "patient counts once: the mean over slices, then over runs. 95 % interval: other patients of the same kind, "
        "the networks as they are trained (bootstrap of 2,000 draws of patients)."
    )
    if len(explained) < len(run_ids):
        st.caption(
            f":material/info: The other runs are explained by `python -m brainmri explain-all "
            f"{chosen.experiment.experiment_id}`, or one by one on the page Case review."
        )


def contribution_rows(summary: tuple[DiagnosisContributions, ...]) -> list[dict[str, str | None]]:
    """Return one row for each diagnosis and sequence, probabilities in percentage points."""
    rows: list[dict[str, str | None]] = []
    for one in summary:
        scale = 100.0 if one.score == "probability" else 1.0
        for place, sequence in enumerate(SEQUENCES):
            interval = None
            if one.low is not None and one.high is not None:
                interval = f"{scale * one.low[place]:+.1f} to {scale * one.high[place]:+.1f}"
            rows.append(
                {
                    "Diagnosis": display_diagnosis(one.class_name),
                    "Sequence": sequence,
                    "Mean": f"{scale * one.mean[place]:+.1f}",
                    "95 % interval": interval,
                }
            )
    return rows


def describe_strongest(one: DiagnosisContributions) -> str:
    """Say which sequence added most to a diagnosis, and whether the patients leave a doubt of its sign."""
    place = int(np.argmax(one.mean))
    diagnosis, sequence = display_diagnosis(one.class_name), SEQUENCES[place]
    if one.mean[place] <= 0:
        return f"**{diagnosis}**: no sequence raises its score on average."
    if one.low is None:
        return f"**{diagnosis}**: {sequence} adds most, in one patient."
    if one.low[place] <= 0:
        return f"**{diagnosis}**: {sequence} adds most, and these patients leave open whether it adds anything."
    return f"**{diagnosis}**: {sequence} adds most on average."


def _choose(stored: dict[str, tuple[BaselineName, ...]]) -> tuple[Score, BaselineName]:
    score: Score = st.segmented_control(
        "Measured in",
        list(_SCORES),
        format_func=_SCORES.__getitem__,
        default="probability",
        required=True,
        key="network_contribution_score",
        label_visibility="collapsed",
    )
    offered = [name for name in BASELINES if any(name in found for found in stored.values())]
    baseline: BaselineName = st.segmented_control(
        "In place of a missing sequence",
        offered,
        format_func=BASELINE_NAMES.__getitem__,
        default=offered[0],
        required=True,
        key=f"network_contribution_baseline-{'-'.join(offered)}",
        label_visibility="collapsed",
    )
    return score, baseline


def _summarise(
    study: Study, chosen: Choice, network: str, run_ids: list[str], baseline: BaselineName, score: Score
) -> tuple[DiagnosisContributions, ...]:
    stamps = tuple(str(file_stamp(study, run_id, contributions_file(baseline))) for run_id in run_ids)
    key = (*chosen.cache_key, *run_ids, *stamps)
    return _summary(key, baseline, score, study, chosen, network, run_ids)


@st.cache_resource(max_entries=32, show_spinner="Drawing patients …")
def _summary(
    key: tuple[str, ...],
    baseline: BaselineName,
    score: Score,
    _study: Study,
    _chosen: Choice,
    _network: str,
    _run_ids: list[str],
) -> tuple[DiagnosisContributions, ...]:
    runs = [found for run_id in _run_ids if (found := contributions(_study, run_id, baseline)) is not None]
    return by_diagnosis(runs, _cases_by_diagnosis(_chosen, _network), score=score)


def _cases_by_diagnosis(chosen: Choice, network: str) -> dict[str, dict[str, list[int]]]:
    """Return for each diagnosis the samples of each case that any run of the network tested."""
    own = predictions(chosen).of(network)
    found: dict[str, dict[str, list[int]]] = {}
    triples = np.unique(np.stack([own.true_class, own.case, own.sample_index], axis=1), axis=0)
    for true_class, case, sample in triples.tolist():
        found.setdefault(own.classes[true_class], {}).setdefault(own.case_ids[case], []).append(sample)
    return found
