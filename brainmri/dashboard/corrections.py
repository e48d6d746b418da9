"""Corrections of a case: another diagnosis, a redrawn region, or left out; and the retraining with all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.access import may, missing
from brainmri.dashboard.findings import reviewer_name
from brainmri.dashboard.formatting import format_count, format_date
from brainmri.dashboard.progress import start_task
from brainmri.dashboard.viewer import DrawnRegion
from brainmri.errors import BrainMRIError
from brainmri.imaging.regions import SquareRegion
from brainmri.review.corrections import (
    MAXIMUM_WORDS,
    Changes,
    changes_since,
    exclude_case,
    read_corrections,
    redraw_region,
    relabel_case,
    withdraw_correction,
)
from brainmri.review.records import Correction
from brainmri.study import Study
from brainmri.vocabulary import DIAGNOSES, display_diagnosis

KINDS: Final = {"relabel": "Diagnosis", "region": "Region", "exclude": "Leave it out"}

_KIND: Final = "correction-kind"
_OPEN: Final = "correction-open"


def draws_region() -> bool:
    """Tell whether the reviewer is redrawing a region, so that the viewer lets them."""
    return may("reviewer") and bool(st.session_state.get(_OPEN)) and st.session_state.get(_KIND) == "region"


def show_corrections(study: Study, case_id: str, *, diagnosis: str, drawn: DrawnRegion | None) -> None:
    """Show what was corrected of a case, and the fields for a further correction.

    Parameters
    ----------
    study : Study
    case_id : str
    diagnosis : str
        The present one.
    drawn : DrawnRegion or None
        What the reviewer has just drawn in the viewer.
    """
    corrections = read_corrections(study, case_id)
    for correction in corrections:
        _show_correction(study, correction)
    if not may("reviewer"):
        return
    if not st.toggle(
        "Correct this case", key=_OPEN, help="The case itself stays as it came; the next data set changes."
    ):
        return
    kind = st.segmented_control(
        "What is wrong?", list(KINDS), format_func=KINDS.__getitem__, default="relabel", required=True, key=_KIND
    )
    remembered = f"drawn-{case_id}"
    if drawn is not None:
        st.session_state[remembered] = drawn
    region: DrawnRegion | None = st.session_state.get(remembered)
    if kind == "region":
        st.caption(describe_region(region))
    with st.form(
        f"correction-{case_id}-{kind}-{len(corrections)}", border=False, clear_on_submit=False, enter_to_submit=False
    ):
        chosen = None
        if kind == "relabel":
            others = [name for name in DIAGNOSES if name != diagnosis]
            chosen = st.selectbox("Diagnosis", others, format_func=display_diagnosis)
        reason = st.text_input(
            "Reason",
            max_chars=MAXIMUM_WORDS,
            placeholder="For example: second histology",
            key=f"reason-{case_id}-{kind}-{len(corrections)}",
        )
        if not st.form_submit_button("Note the correction", icon=":material/edit_note:"):
            return
    author = reviewer_name()
    if not author:
        st.warning("Enter your name or initials above, so that others know who corrected it.")
    elif not reason.strip():
        st.warning("Give a reason: others will want to know.")
    elif kind == "region" and region is None:
        st.warning("Draw the square in the viewer above first.")
    else:
        _attempt(lambda: _note(study, case_id, kind, chosen, region, reason.strip(), author))


def show_changes(study: Study, experiment_id: str, dataset_hash: str) -> None:
    """Show what changed since the experiment's data set, and the button that trains again with it.

    Parameters
    ----------
    study : Study
    experiment_id : str
    dataset_hash : str
        Of its data set.
    """
    changes = changes_since(study, dataset_hash)
    if not changes.case_ids:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Changes since data set {dataset_hash}", anchor=False, width="stretch")
            pressed = may("may-train") and st.button(
                "Train again with these changes",
                type="primary",
                icon=":material/model_training:",
                help="Makes a new data set and repeats the experiment: the same protocol, every patient on the same "
                "side of the same splits.",
            )
        if not may("may-train"):
            st.caption(missing("may-train", to="train again with these changes"))
        st.write(describe_changes(changes))
        st.dataframe(change_rows(changes), hide_index=True, placeholder="–")
    if pressed and start_task(study, "train", ["retrain", experiment_id, "--queue"]):
        st.switch_page("pages/training.py")


def describe_region(region: DrawnRegion | None) -> str:
    """Say what is drawn, or how to draw."""
    if region is None:
        return "Draw a square over the tumour in the viewer above, choose its slices, and confirm it there."
    slices = f"slices {region.first_slice + 1} to {region.last_slice + 1}"
    return f"Drawn: {region.size_px} × {region.size_px} voxels on {slices}."


def describe_changes(changes: Changes) -> str:
    """Say how many cases change."""
    count = format_count(len(changes.case_ids), "case")
    taken = f"; {format_count(len(changes.taken_back), 'correction')} taken back" if changes.taken_back else ""
    return f"{count} would differ: {format_count(len(changes.added), 'correction')} noted{taken}."


def change_rows(changes: Changes) -> list[dict[str, Any]]:
    """Return one row for each correction that is new or taken back."""
    return [
        *_rows(changes.added, "noted"),
        *_rows(changes.taken_back, "taken back"),
    ]


def describe_correction(correction: Correction) -> str:
    """Return a correction in a few words."""
    if correction.kind == "relabel":
        return f"Diagnosis {display_diagnosis(correction.diagnosis)}"
    if correction.kind == "exclude":
        return "Left out"
    first, last = correction.first_slice or 0, correction.last_slice or 0
    return f"Region of {correction.size_px} voxels on slices {first + 1} to {last + 1}"


def _rows(corrections: Sequence[Correction], state: str) -> list[dict[str, Any]]:
    return [
        {
            "Case": one.case_id,
            "Correction": describe_correction(one),
            "Reason": one.reason,
            "By": one.author,
            "Noted": format_date(one.created_at),
            "State": state,
        }
        for one in corrections
    ]


def _show_correction(study: Study, correction: Correction) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(describe_correction(correction), icon=":material/edit_note:", color="orange")
        st.caption(f"{correction.reason} · {correction.author}")
        author = reviewer_name()
        if may("reviewer") and st.button(
            "Take back", key=f"withdraw-correction-{correction.id}", type="tertiary", disabled=not author
        ):
            _attempt(lambda: withdraw_correction(study, correction.id, author=author))


def _note(
    study: Study,
    case_id: str,
    kind: str,
    diagnosis: str | None,
    region: DrawnRegion | None,
    reason: str,
    author: str,
) -> None:
    if kind == "relabel" and diagnosis is not None:
        relabel_case(study, case_id, diagnosis, reason=reason, author=author)
    elif kind == "exclude":
        exclude_case(study, case_id, reason=reason, author=author)
    elif region is not None:
        square = SquareRegion(
            slice_index=region.first_slice, row=region.row, column=region.column, size_px=region.size_px
        )
        redraw_region(study, case_id, square, last_slice=region.last_slice, reason=reason, author=author)
        st.session_state.pop(f"drawn-{case_id}", None)


def _attempt(act: Callable[[], object]) -> None:
    """Do it and draw the page anew; where that is refused, say why."""
    try:
        act()
    except BrainMRIError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()
