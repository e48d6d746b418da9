"""A page with nothing but a viewer in which a region can be drawn; it counts what it is told."""

import numpy as np
import streamlit as st

from brainmri.dashboard.viewer import pack_case, pack_volumes, show_viewer
from brainmri.intake.volumes import Placement

SHAPE = (12, 80, 100)
AIR = 10


@st.cache_resource
def made_up_case() -> bytes:
    """Return three sequences of noise with air of 0 along the left edge: it is not sent."""
    draw = np.random.default_rng(3)
    arrays = {name: draw.integers(1, 900, SHAPE).astype(np.int16) for name in ("T1", "T2", "T1c")}
    for array in arrays.values():
        array[:, :, :AIR] = 0
    placement = Placement(
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    return pack_case("made up", pack_volumes(arrays, (5.0, 2.0, 2.0), placement))


st.set_page_config(layout="wide")
st.title("Draw")
region = show_viewer(made_up_case(), key="viewer", draw_region=True)
told = st.session_state.setdefault("told", [])
if region is not None:
    told.append((region.row, region.column, region.size_px, region.first_slice, region.last_slice))
st.markdown(f"Told {told}")
st.button("Again")
