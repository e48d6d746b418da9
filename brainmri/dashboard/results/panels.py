"""What the panels of all sections share: headings, figures, tables and links into review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import measured
from brainmri.figures.palette import CHART_CONFIG

_FORMAT: Final = "figure_format"
_FORMATS: Final[dict[str, dict[str, Any]]] = {
    "SVG": CHART_CONFIG["toImageButtonOptions"],
    "PNG": {"format": "png", "scale": 3},
}


def choose_figure_format() -> None:
    """Let the reader choose what the camera above a figure saves."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        st.caption("The camera above a figure saves it as", width="content")
        st.segmented_control(
            "Format of saved figures",
            list(_FORMATS),
            default="SVG",
            required=True,
            key=_FORMAT,
            persist_state="session",
            label_visibility="collapsed",
            help="SVG: a drawing that stays sharp at every size. PNG: a picture of three times the size on the screen.",
        )


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
    config = {**CHART_CONFIG, "toImageButtonOptions": _FORMATS[st.session_state.get(_FORMAT, "SVG")]}
    if not selectable:
        st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt)
        return []
    clicked = st.plotly_chart(
        figure, theme=None, config=config, key=key, alt=alt, on_select="rerun", selection_mode="points"
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
