"""The section on leakage: the same networks under both kinds of split, and images that give others away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.leakage_data import choose_other, experiment_pair, leakage, other_experiments
from brainmri.dashboard.results.leakage_pairs import show_duplicates
from brainmri.dashboard.results.panels import show_figure, show_heading, show_table
from brainmri.evaluation.metric_text import is_share
from brainmri.evaluation.side_by_side import (
    HOW_SURE,
    WHY_IT_LEAKS,
    SideBySide,
    describe_leakage,
    describe_other_settings,
    of_two_experiments,
    side_by_side_rows,
    under_both_splits,
)
from brainmri.evaluation.wording import label_experiment, name_architectures
from brainmri.figures.leakage import draw_side_by_side
from brainmri.training.presets import PRESETS


def show(chosen: Choice) -> None:
    """Show the section."""
    other = _choose_other(chosen)
    with st.container(border=True):
        if other is None:
            _show_way_on(chosen)
        elif other.experiment.classes != chosen.experiment.classes:
            show_heading("Cannot be compared")
            st.write("The two experiments tell different diagnoses apart. Choose one on the same diagnoses.")
        elif other.experiment.settings.split_by != chosen.experiment.settings.split_by:
            _show_both_splits(chosen, other)
        else:
            _show_one_kind(chosen, other)
    show_duplicates(chosen, other)


def _choose_other(chosen: Choice) -> Choice | None:
    """Let the reader choose the second experiment; None where there is none."""
    labels = {one.experiment_id: label_experiment(one) for one in other_experiments(chosen)}
    if not labels:
        return None
    if st.session_state.get("leakage_other") not in labels:
        st.session_state.pop("leakage_other", None)  # was the first one, or is gone
    experiment_id = st.selectbox(
        "Compare with",
        list(labels),
        format_func=labels.__getitem__,
        key="leakage_other",
        persist_state="session",
        width=330,
        help="Experiments whose splits divide the other thing, images or patients, come first.",
    )
    return choose_other(chosen, experiment_id)


def _show_way_on(chosen: Choice) -> None:
    """Say what to do where there is no second experiment."""
    wanted = "as-published" if chosen.experiment.settings.split_by == "patient" else "by-patient"
    preset = PRESETS[wanted]
    divided = "images" if wanted == "as-published" else "patients"
    show_heading("The same networks under both splits")
    st.write(WHY_IT_LEAKS)
    st.write(
        f"There is no second experiment yet. Train the same networks on splits of {divided}, with the protocol "
        f"“{preset.title}”, and the difference appears here with its interval."
    )
    if st.button(f"Train with “{preset.title}”", icon=":material/model_training:", key="train_other_split"):
        st.session_state["preset"] = wanted
        st.switch_page("pages/training.py")


def _show_both_splits(chosen: Choice, other: Choice) -> None:
    by_image, by_patient = (chosen, other) if chosen.experiment.settings.split_by == "image" else (other, chosen)
    show_heading("The same networks under both splits")
    found = leakage(by_image, by_patient)
    if isinstance(found, str):
        st.info(name_architectures(found), icon=":material/info:")
        st.write(WHY_IT_LEAKS)
        return
    compared = under_both_splits(found)
    st.write(f"**{describe_leakage(compared, chosen.metric)}** {WHY_IT_LEAKS}")
    _show_compared(compared, chosen, caption=HOW_SURE)
    _show_cautions(by_image, by_patient)


def _show_one_kind(chosen: Choice, other: Choice) -> None:
    pair = experiment_pair(chosen, other)
    show_heading(f"{pair.a} and {pair.b}")
    unit = f"{chosen.experiment.settings.split_by}s"
    st.write(f"Both divide {unit}: their difference is no leakage, but that of two trainings. {pair.how}")
    if pair.differences:
        _show_compared(of_two_experiments(pair), chosen, caption=f"Difference: {pair.a} − {pair.b}.")
    for note in pair.notes:
        st.caption(f":material/info: {name_architectures(note)}")
    _show_cautions(chosen, other)


def _show_compared(compared: SideBySide, chosen: Choice, *, caption: str) -> None:
    show_figure(
        draw_side_by_side(compared, metric=chosen.metric, classes=chosen.experiment.classes, level=chosen.level),
        key="side_by_side",
        alt=f"Means of each network by {compared.first} and {compared.second}, and their differences with intervals",
    )
    show_table(
        side_by_side_rows(compared, chosen.metric),
        column_config=_columns(compared, shares=is_share(chosen.metric)),
    )
    st.caption(caption)
    for note in dict.fromkeys(one.note for one in compared.networks if one.note):
        st.caption(f":material/info: {note}")


def _show_cautions(first: Choice, second: Choice) -> None:
    if first.experiment.dataset_hash != second.experiment.dataset_hash:
        st.caption(":material/warning: They used different data sets, which may explain part of the difference.")
    if differing := describe_other_settings(first.experiment.settings, second.experiment.settings):
        st.caption(f":material/warning: {differing}")


def _columns(compared: SideBySide, *, shares: bool) -> dict[str, Any]:
    value = st.column_config.NumberColumn(format="%.1f %%" if shares else "%.3f")
    return {
        compared.first: value,
        compared.second: value,
        "Difference": st.column_config.NumberColumn(format="%+.1f" if shares else "%+.3f"),
    }
