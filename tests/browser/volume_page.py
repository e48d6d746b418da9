"""A page with nothing but the volume view of a made-up case."""

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK
import streamlit as st

from brainmri.dashboard.volume import pack_files, show_packed


@st.cache_resource
def made_up_case() -> bytes:
    """Return two sequences of noise, and a cube in them as the tumour."""
    draw = np.random.default_rng(3)
    cube = np.zeros((16, 24, 24), np.uint8)
    cube[4:8, 10:16, 10:16] = 1
    arrays = {name: draw.integers(1, 900, cube.shape).astype(np.int16) for name in ("T1", "T1c")}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, array in {**arrays, "mask": cube}.items():
            path = Path(folder) / f"{name}.nii.gz"
            SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), path)
            files[name] = path.read_bytes()
    return pack_files(files)


st.set_page_config(layout="wide")
st.title("Volume")
show_packed(made_up_case(), key="volume")
st.button("Again")
