"""The section that compares the networks as published: distribution, analysis of variance, Tukey's test, runs."""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import comparison, confusions, findings, runs
from brainmri.dashboard.results.panels import open_review, show_figure, show_gaps, show_heading, show_table
from brainmri.evaluation.analysis import tukey_letters
from brainmri.evaluation.comparison import Comparison
from brainmri.evaluation.measure import measure_of
from brainmri.evaluation.metric_text import describe_spread, format_metric, is_share, title_difference
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.published import PUBLISHED_ACCURACIES, PUBLISHED_SOURCE
from brainmri.evaluation.summary import descriptive_rows, run_rows, runs_csv, tukey_rows
from brainmri.evaluation.wording import OVERLAP_CAVEAT, describe_anova, explain_anova, name_architectures
from brainmri.figures.comparison import draw_distribution, draw_tukey_intervals
from brainmri.figures.confusions import CellValues, draw_confusions
from brainmri.training.architecture_names import display_architecture

_CELL_VALUES: Final[dict[CellValues, str]] = {"share": "Share of the true class", "count": "Mean count a run"}


def show(chosen: Choice) -> None:
    """Show the section."""
    if not show_gaps(chosen):
        return
    found = comparison(chosen)
    _show_medians(chosen, found)
    _show_distribution(chosen, found)
    _show_tables(chosen, found)
    _show_confusions(chosen)
    _show_runs(chosen)


def _show_medians(chosen: Choice, found: Comparison) -> None:
    rows = found.descriptive
    for column, row in zip(st.columns(len(rows)), rows, strict=True):
        column.metric(
            display_architecture(row.model),
            format_metric(row.median, chosen.metric),
            delta=describe_spread(row, chosen.metric),
            delta_color="off",
            delta_arrow="off",
            border=True,
            help=f"{chosen.metric_name}: median over the repeats, and the range from the lower to the upper quartile.",
        )


def _show_distribution(chosen: Choice, found: Comparison) -> None:
    left, right = st.columns([3, 2])
    with left.container(border=True, height="stretch"):
        comparable = chosen.metric == Metric("accuracy")
        with show_heading(f"{chosen.metric_name} over repeats"):
            overlay = st.toggle(
                "Published study",
                key="overlay",
                persist_state="session",
                help=PUBLISHED_SOURCE if comparable else "The published study reports accuracies only.",
                disabled=not comparable,
            )
        points = show_figure(
            draw_distribution(
                found.descriptive,
                runs(chosen),
                metric=chosen.metric,
                classes=chosen.experiment.classes,
                published=PUBLISHED_ACCURACIES if overlay and comparable else (),
                level=chosen.level,
            ),
            key="distribution",
            alt=f"Box plot of the {chosen.metric_name} of each network, one point a repeat",
            selectable=True,
        )
        st.caption("Box: quartiles and median. Point: one repeat; click it to review that run.")
    with right.container(border=True, height="stretch"):
        _show_differences(chosen, found)
    if points and points[0].get("customdata"):
        open_review(chosen, run=points[0]["customdata"][0])


def _show_differences(chosen: Choice, found: Comparison) -> None:
    show_heading("Do the networks differ?")
    for note in found.notes:
        st.info(name_architectures(note), icon=":material/info:")
    if explained := explain_anova(found.anova):
        st.write(f"One-way ANOVA: **{describe_anova(found.anova)}**. {explained}")
        show_figure(
            draw_tukey_intervals(found.tukey, metric=chosen.metric),
            key="intervals",
            alt="Differences of the means with simultaneous 95 % intervals",
        )
        st.caption(f":material/warning: {OVERLAP_CAVEAT} **Every test** has those that allow for the overlap.")


def _show_tables(chosen: Choice, found: Comparison) -> None:
    tested = bool(found.tukey)
    left, right = st.columns([5, 4]) if tested else (st.container(), None)
    number = st.column_config.NumberColumn(format="%.1f %%" if is_share(chosen.metric) else "%.3f")
    signed = st.column_config.NumberColumn(format="%+.1f" if is_share(chosen.metric) else "%+.3f")
    with left.container(border=True, height="stretch"):
        show_heading("Median and spread")
        show_table(
            descriptive_rows(found, tukey_letters(found, measure_of(chosen.metric)), chosen.metric),
            column_config=dict.fromkeys(("Median", "Mean", "SD"), number),
        )
        letters = " Networks that share a letter are not told apart by Tukey's test." if tested else ""
        st.caption(f"n: repeats. IQR: from the lower to the upper quartile. SD: standard deviation.{letters}")
    if right is None:
        return
    with right.container(border=True, height="stretch"):
        show_heading("Pair by pair")
        show_table(
            tukey_rows(found, chosen.metric),
            column_config={"Difference": signed, "p": st.column_config.TextColumn(alignment="right")},
        )
        st.caption(f"Tukey HSD. {title_difference(chosen.metric)} of the means, simultaneous 95 % intervals.")


def _show_confusions(chosen: Choice) -> None:
    with st.container(border=True):
        with show_heading("What is mistaken for what"):
            values = st.segmented_control(
                "Show",
                list(_CELL_VALUES),
                format_func=_CELL_VALUES.__getitem__,
                default="share",
                required=True,
                key="confusion_values",
                label_visibility="collapsed",
            )
        show_figure(
            draw_confusions(list(confusions(chosen).values()), values=values),
            key="confusions",
            alt="Confusion matrices, one a network: rows true, columns predicted diagnosis",
        )


def _show_runs(chosen: Choice) -> None:
    listed = runs(chosen)
    number = st.column_config.NumberColumn(format="%.1f %%" if is_share(chosen.metric) else "%.3f")
    with st.container(border=True):
        show_heading("Runs")
        show_table(
            run_rows(listed, chosen.metric, chosen.experiment.classes),
            column_config={
                chosen.metric_name: number,
                "Images/s": st.column_config.NumberColumn(format="%.0f", help="Training images seen a second."),
                "Time": st.column_config.NumberColumn(format="%.0f s", help="Training and testing."),
                "Review": st.column_config.ButtonColumn("", key="open_run", type="tertiary", width="small"),
            },
            height=318,
        )
        with st.container(horizontal=True):
            _show_downloads(chosen)
    if opened := st.session_state.get("open_run"):
        open_review(chosen, run=listed[opened.row].run_id)


def _show_downloads(chosen: Choice) -> None:
    name = f"{chosen.experiment.experiment_id}-{chosen.level}-{chosen.metric.name}"
    st.download_button(
        "Values of the runs (CSV)",
        runs_csv(runs(chosen), chosen.metric),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Comparison (JSON)",
        lambda: json.dumps(findings(chosen).to_json(), indent=2, ensure_ascii=False),  # when it is asked for
        file_name=f"{name}-comparison.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
