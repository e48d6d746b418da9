"""A page with nothing but a viewer in which a point can be marked; it counts what it is told."""

import numpy as np
import streamlit as st

from brainmri.dashboard.viewer import MarkedPoint, ViewedSquare, pack_case, pack_volumes, show_viewer

SHAPE = (9, 96, 96)
BLIND_CASE = 2
"""Shown without what a network said of it until that is revealed."""


@st.cache_resource
def made_up_case(number: int, blind: bool = False) -> bytes:
    """Return a head in noisy air with a signed map: for the first diagnosis on the left, against it on the right."""
    draw = np.random.default_rng(number)
    rows, columns = np.mgrid[:96, :96] - 48
    head = np.broadcast_to(rows**2 + columns**2 < 30**2, SHAPE)
    arrays = {
        name: (np.hypot(draw.normal(0, 12, SHAPE), draw.normal(0, 12, SHAPE)) + 300 * head).astype(np.int16)
        for name in ("T1", "T2", "T1c")
    }
    maps = np.zeros((2, 1, 4, 4), np.float32)
    maps[0, 0, :, 0], maps[0, 0, :, 3] = 1, -1
    maps[1] = -0.5
    squares = [ViewedSquare(slice_index=4, row=28, column=28, size_px=40)]
    volumes = pack_volumes(arrays, (5.0, 2.0, 2.0))
    if blind:
        return pack_case(f"key {number}", volumes)
    classes = ("PCNSL", "Glioma")
    chosen = 1 if number == BLIND_CASE else 0
    return pack_case(f"key {number}", volumes, squares=squares, maps=maps, classes=classes, chosen=chosen, signed=True)


st.set_page_config(layout="wide")
st.title("Mark")
case = st.session_state.setdefault("case", 0)
marks = st.session_state.setdefault("marks", {1: MarkedPoint(slice_index=4, row=40, column=50)})
packed = made_up_case(case, blind=case == BLIND_CASE and not st.session_state.get("revealed"))
closed = bool(st.session_state.get("closed"))
point = show_viewer(packed, key="viewer", mark_point=True, mark=marks.get(case), closed=closed)
told = st.session_state.setdefault("told", [])
if point is not None:
    marks[case] = point
    told.append((point.slice_index, point.row, point.column))
st.markdown(f"Told {told} in case {case}")
st.text_input("Note")
st.button("Other case", on_click=lambda: st.session_state.update(case=1 - case))
st.button("Blind case", on_click=lambda: st.session_state.update(case=BLIND_CASE))
st.button("Reveal", on_click=lambda: st.session_state.update(revealed=True))
st.button("Close", on_click=lambda: st.session_state.update(closed=True))
