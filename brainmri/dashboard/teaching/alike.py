"""Similar cases of other patients, for readers: pictures and diagnoses, no names, and none that is still to be read."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.explanations.pictures import enlarge
from brainmri.dashboard.explanations.stored import features
from brainmri.dashboard.teaching.images import NetworkView
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.teaching.sessions import read_cases
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_SHOWN: Final = 4
_CHANNEL: Final = 2
_PICTURE_PX: Final = 120


def show_alike(study: Study, session_id: str, network: NetworkView) -> None:
    """Show the images that the network finds most like this case, none of them of a case of the session."""
    st.markdown("**Similar cases of other patients**")
    alike = features(study, network.run_id)
    if alike is None:
        st.caption("None are stored for this network yet.")
        return
    case = network.case
    image = case.images[len(case.images) // 2]
    in_session = {row.case_id for row in read_cases(study, session_id)}
    found = alike.similar(image.sample_index, count=_SHOWN + len(in_session)).neighbours
    others = [one for one in found if one.case_id not in in_session][:_SHOWN]
    samples = read_samples(study, case.dataset_hash)
    for column, one in zip(st.columns(_SHOWN), others, strict=False):
        column.image(enlarge(samples[one.sample_index][_CHANNEL], _PICTURE_PX), width=_PICTURE_PX)
        column.caption(display_diagnosis(one.true_class))
    st.caption(f"{list(SEQUENCES)[_CHANNEL]} is shown. The network compares all three sequences.")
