"""The section of the cases: which are hard, for which networks, and whose label is worth a second look."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from brainmri.dashboard.formatting import fit_table, format_count
from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import predictions
from brainmri.dashboard.results.panels import open_review, show_figure, show_heading, show_table
from brainmri.dashboard.state import explain_errors
from brainmri.evaluation.case_listing import NO_CASE, case_rows, describe_suspected, filter_cases
from brainmri.evaluation.difficulty import DIFFICULTIES, CaseRow, Difficulty, count_difficulties, tabulate_cases
from brainmri.evaluation.label_errors import LabelErrors, find_label_errors
from brainmri.evaluation.verdicts import VERDICT_RULES
from brainmri.figures.cases import MOST_CASES, draw_hard_cases
from brainmri.vocabulary import display_diagnosis

_MOST_ROWS: Final = 14


def show(chosen: Choice) -> None:
    """Show the section."""
    rows = _tabulated((*chosen.cache_key, chosen.rule), chosen)
    if not rows:
        st.info("No finished run has tested a case yet.", icon=":material/info:")
        return
    for note in predictions(chosen).notes:
        st.info(note, icon=":material/info:")
    _show_listing(chosen, rows, _labels(chosen.cache_key, chosen))


@st.fragment
@explain_errors()
def _show_listing(chosen: Choice, rows: tuple[CaseRow, ...], labels: LabelErrors) -> None:
    suspected = {label.case_id for label in labels.suspected}
    kept = _choose_cases(chosen, rows, suspected)
    with st.container(border=True):
        show_heading("Hard cases by network")
        if not kept:
            st.write(NO_CASE)
        else:
            _show_map(chosen, kept, suspected)
    with st.container(border=True):
        show_heading(format_count(len(kept), "case"))
        _show_table(chosen, kept, labels)
        st.caption(
            f"Hardest first. Wrong: share of the runs that tested the case whose verdict was wrong; behind it each "
            f"network's. {VERDICT_RULES[chosen.rule]}"
        )
    with st.container(border=True):
        show_heading("Labels worth a second look")
        st.write(describe_suspected(labels.cases))
        for note in labels.notes:
            st.caption(f":material/info: {note}")
        st.caption(
            "Confident learning (Northcutt 2021): a label is suspected where the networks that tested the case give "
            "another diagnosis at least the probability that they usually give it where it is right, and more than "
            "any other such one."
        )


def _choose_cases(chosen: Choice, rows: tuple[CaseRow, ...], suspected: set[str]) -> tuple[CaseRow, ...]:
    """Let the reader choose by kind, diagnosis, label and name."""
    counts = count_difficulties(rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds: list[Difficulty] = st.pills(
            "Kind",
            list(DIFFICULTIES),
            selection_mode="multi",
            format_func=lambda kind: f"{kind.capitalize()} · {counts[kind]}",
            key="case_kinds",
            help="\n".join(f"- **{kind.capitalize()}**: {text}" for kind, text in DIFFICULTIES.items()),
        )
        diagnoses: list[str] = st.pills(
            "Diagnosis",
            list(chosen.experiment.classes),
            selection_mode="multi",
            format_func=display_diagnosis,
            key="case_diagnoses",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Case",
            placeholder="Search a case",
            icon=":material/search:",
            key="case_text",
            width=220,
            label_visibility="collapsed",
        )
        only = st.toggle(f"Label worth a second look · {len(suspected)}", key="case_suspected", disabled=not suspected)
    return filter_cases(
        rows, kinds=kinds, diagnoses=diagnoses, text=text, among=suspected if only and suspected else None
    )


def _show_map(chosen: Choice, kept: tuple[CaseRow, ...], suspected: set[str]) -> None:
    points = show_figure(
        draw_hard_cases(kept, suspected=suspected),
        key="hard_cases",
        alt="Heat map: for each case and network the share of runs whose verdict was wrong",
        selectable=True,
    )
    further = f"The {MOST_CASES} hardest of {len(kept)} cases. " if len(kept) > MOST_CASES else ""
    st.caption(
        f"{further}A cell: share of the network's runs that tested the case and were wrong; empty where none tested "
        "it. Click a cell to review the case."
    )
    if points and points[0].get("customdata"):
        case_id, run_id = points[0]["customdata"][:2]
        open_review(chosen, case=case_id, run=run_id)


def _show_table(chosen: Choice, kept: tuple[CaseRow, ...], labels: LabelErrors) -> None:
    show_table(
        case_rows(kept, {label.case_id: label for label in labels.cases}),
        column_config=_columns(),
        height=fit_table(len(kept), _MOST_ROWS),
    )
    if opened := st.session_state.get("open_case"):
        row = kept[opened.row]
        open_review(chosen, case=row.case_id, run=row.example_run_id)


def _columns() -> dict[str, Any]:
    return {
        "Wrong": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width=120),
        "Runs": st.column_config.NumberColumn(help="Runs that tested the case."),
        "Kind": st.column_config.TextColumn(width=122),
        "Truth": st.column_config.NumberColumn(
            format="%.0f %%", help="Mean probability that these runs gave to the true diagnosis."
        ),
        "Second look": st.column_config.TextColumn(
            help="Another diagnosis that the networks are confident of, with its probability. The label may be right.",
        ),
        "Review": st.column_config.ButtonColumn("", key="open_case", type="tertiary", width="small"),
    }


@st.cache_resource(max_entries=16, show_spinner=False)
def _tabulated(key: tuple[str, ...], _chosen: Choice) -> tuple[CaseRow, ...]:
    return tabulate_cases(predictions(_chosen), rule=_chosen.rule)


@st.cache_resource(max_entries=16, show_spinner=False)
def _labels(key: tuple[str, ...], _chosen: Choice) -> LabelErrors:
    return find_label_errors(predictions(_chosen), out_of_sample=_chosen.experiment.settings.split_by == "patient")
