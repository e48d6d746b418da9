"""The exercise "Where would you look?": the mark against the tumour, for the reader and for the instructor."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from brainmri.dashboard.formatting import fit_table
from brainmri.dashboard.viewer import PackedVolumes, ViewedSquare, pack_case, pack_volumes, without_position
from brainmri.evaluation.wording import format_range, format_share
from brainmri.intake.volumes import read_case
from brainmri.study import Study
from brainmri.teaching.locating import LocatingScore, Tumour, locate, read_tumour, score_locating
from brainmri.teaching.plans import Mark


def pack_tumour(study: Study, case_id: str, key: str) -> bytes:
    """Return a case for the viewer with squares around its tumour; only once the reader has marked it."""
    return pack_case(key, without_position(_volumes(study, study.url, case_id)), squares=_squares(study, case_id))


def show_located(study: Study, case_id: str, mark: Mark | None) -> None:
    """Say whether the mark is inside the tumour, and how far away it is."""
    if mark is None:
        st.markdown(":gray-badge[no mark]")
        return
    found = locate(mark, read_tumour(study, case_id))
    st.markdown(":green-badge[found]" if found.inside else ":red-badge[outside]")
    st.write(found.sentence)


def show_own_locating(study: Study, session_id: str, reader: str) -> None:
    """Show how well a reader found the tumours."""
    score = next(one for one in score_locating(study, session_id) if one.reader == reader)
    left, right = st.columns(2)
    left.metric(
        "Marks inside the tumour",
        format_share(score.inside.share, digits=0),
        delta=f"{score.inside.hits} of {score.inside.n} · 95 %: {format_range(score.inside.lower, score.inside.upper)}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    right.metric("Distance, median", _millimetres(score), border=True, height="stretch")


def show_all_locating(study: Study, session_id: str, names: dict[str, str]) -> None:
    """Show how well each reader found the tumours, by the name that stands for them."""
    rows: list[dict[str, Any]] = [
        {
            "Reader": names[one.reader],
            "Inside the tumour": format_share(one.inside.share, digits=0),
            "95 %": format_range(one.inside.lower, one.inside.upper),
            "Marks": one.inside.n,
            "Distance, median": _millimetres(one),
        }
        for one in score_locating(study, session_id)
    ]
    st.markdown("**Where would you look?**")
    if rows:
        st.dataframe(rows, hide_index=True, height=fit_table(len(rows), 20))
    else:
        st.write("Nobody has joined yet.")


def _millimetres(score: LocatingScore) -> str:
    return "–" if score.median_mm is None else f"{score.median_mm:.0f} mm"


def _squares(study: Study, case_id: str) -> list[ViewedSquare]:
    """Return the smallest square around the tumour on each slice that has some."""
    tumour: Tumour = read_tumour(study, case_id)
    squares = []
    for slice_index in np.flatnonzero(tumour.voxels.any(axis=(1, 2))):
        rows, columns = np.nonzero(tumour.voxels[slice_index])
        row, column = int(rows.min()), int(columns.min())
        size_px = 1 + max(int(rows.max()) - row, int(columns.max()) - column)
        squares.append(ViewedSquare(slice_index=int(slice_index), row=row, column=column, size_px=size_px))
    return squares


@st.cache_resource(show_spinner=False, max_entries=4)
def _volumes(_study: Study, url: str, case_id: str) -> PackedVolumes:
    volumes = read_case(_study, case_id)
    return pack_volumes(volumes.arrays, volumes.spacing_mm, volumes.placement)
