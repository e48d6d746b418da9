"""The section with every test: what holds, all networks at once, pair by pair, and on the same cases."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.every_test_data import case_tests
from brainmri.dashboard.results.every_test_on_cases import show_areas, show_case_tests, show_patients
from brainmri.dashboard.results.every_test_pairs import (
    show_effect_sizes,
    show_mean_ranks,
    show_pairs,
    show_posterior,
)
from brainmri.dashboard.results.loaded import findings
from brainmri.dashboard.results.panels import show_gaps, show_heading, show_table
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.rows_of_tests import (
    assumption_rows,
    conclusions_by_topic,
    describe_disagreement,
    disagree,
    omnibus_notes,
    omnibus_rows,
)
from brainmri.evaluation.wording import name_architectures

_PARTS: Final = {"repeats": "Pair by pair over the repeats", "cases": "On the same cases"}


def show(chosen: Choice) -> None:
    """Show the section."""
    if not show_gaps(chosen):
        _show_cases(chosen)
        return
    found = findings(chosen)
    _show_conclusions(chosen, found)
    _show_omnibus(chosen, found)
    if _choose_part() == "repeats":
        _show_repeats(chosen, found)
    else:
        _show_cases(chosen)


def _choose_part() -> str:
    """Let the reader choose what is compared in detail; only that is computed and drawn."""
    part: str = st.segmented_control(
        "Compare",
        list(_PARTS),
        format_func=lambda name: _PARTS[name],
        default="repeats",
        required=True,
        key="tests_part",
        persist_state="session",
        label_visibility="collapsed",
    )
    return part


def _show_repeats(chosen: Choice, found: Findings) -> None:
    show_pairs(found)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        show_posterior(chosen, found)
    with right.container(border=True, height="stretch"):
        show_effect_sizes(found)
    show_mean_ranks(found)


def _show_cases(chosen: Choice) -> None:
    show_case_tests(chosen)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        show_areas(chosen)
    with right.container(border=True, height="stretch"):
        show_patients(chosen)


def _show_conclusions(chosen: Choice, found: Findings) -> None:
    with st.container(border=True):
        show_heading(f"What holds: {chosen.metric_name}")
        sayings, checks = st.columns([3, 2], gap="large")
        with sayings:
            if disagreement := describe_disagreement(found):
                callout = st.warning if disagree(found) else st.info
                callout(disagreement, icon=":material/balance:")
            for heading, text in conclusions_by_topic(found):
                st.markdown(f"**{heading}.** {text}")
            for note in found.notes:
                st.caption(f":material/info: {name_architectures(note)}")
        with checks:
            st.markdown("###### What the tests take for granted")
            for checked, sentence in assumption_rows(found):
                st.markdown(f"**{checked}.** {sentence}")


def _show_omnibus(chosen: Choice, found: Findings) -> None:
    tests = case_tests(chosen)
    cochran = None if isinstance(tests, str) else tests.cochran
    with st.container(border=True):
        show_heading("All networks at once")
        show_table(
            omnibus_rows(found, cochran),
            column_config={
                "Test": st.column_config.TextColumn(width=185),
                "Takes for granted": st.column_config.TextColumn(width=320),
                "p": st.column_config.TextColumn(alignment="right", width=65),
                "In words": st.column_config.TextColumn(width="medium"),
            },
        )
        for note in omnibus_notes(found, cochran):
            st.caption(f":material/info: {note}")
        st.caption(
            "Each asks whether any network differs from any other. None of those over repeats allows for the overlap "
            "of the splits; the corrected t-test below does, pair by pair. Repeated measures: with the correction of "
            "Greenhouse and Geisser. Cochran's Q counts verdicts on cases, whichever metric is chosen."
        )
