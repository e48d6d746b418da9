"""The panel that shows what corrections changed: an experiment beside the one that it repeats."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainmri.dashboard.formatting import fit_table
from brainmri.errors import EvaluationError
from brainmri.evaluation.wording import format_p, format_points
from brainmri.review.before_after import BeforeAfter, NetworkChange, read_before_after
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

_MOST_ROWS = 12


def show_before_after(study: Study, experiment_id: str, *, finished: int) -> None:
    """Show the networks and the cases before and after the corrections.

    Parameters
    ----------
    study : Study
    experiment_id : str
        One that repeats another on corrected samples.
    finished : int
        Its finished runs: another number is another answer.
    """
    st.subheader("Before and after the corrections", anchor=False)
    found = _read(study, study.url, experiment_id, finished)
    if isinstance(found, str):
        st.info(found, icon=":material/info:")
        return
    st.dataframe(network_rows(found), hide_index=True, placeholder="–")
    st.caption(
        f"{found.after} less {found.before}, on the cases that both tested, measured by the corrected diagnoses. "
        "Over splits: corrected resampled t-test, which allows for their overlap. On cases: McNemar's test (mid-p) on "
        "each case once; won and lost count cases."
    )
    rows = case_rows(found)
    st.dataframe(rows, hide_index=True, height=fit_table(len(rows), _MOST_ROWS), placeholder="–")
    st.caption("Verdicts of all networks and repeats; cases that changed most come first.")


def network_rows(found: BeforeAfter) -> list[dict[str, Any]]:
    """Return one row for each network, differences in percentage points."""
    return [_network_row(one) for one in found.networks]


def case_rows(found: BeforeAfter) -> list[dict[str, Any]]:
    """Return one row for each case."""
    return [
        {
            "Case": one.case_id,
            "Diagnosis": display_diagnosis(one.diagnosis),
            "Verdicts": one.tested,
            "Wrong before": one.wrong_before,
            "Wrong after": one.wrong_after,
            "Change": one.wrong_after - one.wrong_before,
        }
        for one in found.cases
    ]


def _network_row(one: NetworkChange) -> dict[str, Any]:
    splits, cases = one.splits, one.cases
    ends = f"{format_points(splits.lower)} to {format_points(splits.upper)}" if splits.lower is not None else None
    return {
        "Network": display_architecture(one.architecture),
        "Splits": splits.n,
        "Difference (points)": format_points(splits.difference),
        "95 % interval": ends,
        "p over splits": format_p(splits.p),
        "Cases": cases.cases,
        "Won": cases.only_a,
        "Lost": cases.only_b,
        "p on cases": format_p(cases.p_mid),
    }


@st.cache_resource(show_spinner="Comparing before and after …", max_entries=8)
def _read(_study: Study, url: str, experiment_id: str, finished: int) -> BeforeAfter | str:
    try:
        return read_before_after(_study, experiment_id)
    except EvaluationError as reason:
        return str(reason)
