"""What the panels of all sections share: headings, figures, tables and links into review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import measured
from brainmri.figures.palette import CHART_CONFIG


def show_gaps(chosen: Choice) -> bool:
    """Say where the chosen metric is undefined; return whether any run has it."""
    by_run = measured(chosen)
    for note in by_run.notes:
        st.info(note, icon=":material/info:")
    if any(value is not None for value in by_run.values):
        return True
    st.info(f"No run has a value of {chosen.metric_name}: there is nothing to compare over the repeats.")
    return False


def show_heading(text: str) -> DeltaGenerator:
    """Show the heading of a panel, and return its row, with room for controls at the right."""
    row = st.container(horizontal=True, vertical_alignment="center")
    row.subheader(text, width="stretch")
    return row


def show_figure(figure: go.Figure, *, key: str, alt: str, selectable: bool = False) -> list[dict[str, Any]]:
    """Show a figure; return the points that were clicked, none where it is not selectable."""
    if not selectable:
        st.plotly_chart(figure, theme=None, config=CHART_CONFIG, key=key, alt=alt)
        return []
    clicked = st.plotly_chart(
        figure, theme=None, config=CHART_CONFIG, key=key, alt=alt, on_select="rerun", selection_mode="points"
    )
    points: list[dict[str, Any]] = clicked.selection.points
    return points


def show_table(rows: Sequence[dict[str, Any]], **options: Any) -> None:
    """Show rows as a table, whose toolbar sorts, searches and downloads; ``options`` are those of `st.dataframe`."""
    st.dataframe(list(rows), hide_index=True, placeholder="–", **options)


def review_query(chosen: Choice, **further: str) -> dict[str, str]:
    """Return what the address of the review page carries."""
    return {"experiment": chosen.experiment.experiment_id, **further}


def review_link(chosen: Choice, *, label: str, **further: str) -> None:
    """Link to a case or a run on the review page."""
    st.page_link(
        "pages/review.py", label=label, icon=":material/frame_inspect:", query_params=review_query(chosen, **further)
    )


def open_review(chosen: Choice, **further: str) -> None:
    """Go to a case or a run on the review page."""
    st.switch_page("pages/review.py", query_params=review_query(chosen, **further))
