"""The parts of the cases page: the table, and the panel of one case."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st
from sqlalchemy import select

from brainmri.dashboard.access import may, missing
from brainmri.dashboard.formatting import fit_table, format_count, format_date, format_voxel
from brainmri.dashboard.pictures import pack_without_run
from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.dashboard.viewer import show_viewer
from brainmri.errors import BrainMRIError
from brainmri.intake.curation import MAXIMUM_REASON, set_diagnosis, set_excluded
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.vocabulary import DIAGNOSES, SEQUENCES, display_diagnosis

_DIAGNOSIS_BADGES: Final = {"glioblastoma": "orange", "PCNSL": "violet", "meningioma": "yellow", "schwannoma": "blue"}
_TABLE_ROWS: Final = 8
_CHANGED: Final = "case_change"


def read_cases(study: Study) -> list[Case]:
    """Return all cases with their series, in the order of import."""
    with study.session() as session:
        return list(session.scalars(select(Case).order_by(Case.case_id)))


def pick_cases(cases: Sequence[Case]) -> list[Case]:
    """Offer filters and return the cases that pass them."""
    present = list(dict.fromkeys(display_diagnosis(case.diagnosis) for case in sorted(cases, key=_diagnosis_order)))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = left.pills("Diagnosis", present, selection_mode="multi", key="case-diagnosis")
    words = right.text_input(
        "Search",
        key="case-search",
        placeholder="Case, description, clinical data …",
        icon=":material/search:",
        help="Finds cases in which all words occur, in any column.",
    )
    kept = [case for case in cases if not chosen or display_diagnosis(case.diagnosis) in chosen]
    wanted = words.casefold().split()
    return [case for case in kept if all(word in _searchable(case) for word in wanted)]


def pick_case(cases: Sequence[Case]) -> Case | None:
    """Show the table and return the case that is chosen in it, or by the address."""
    ids = [case.case_id for case in cases]
    named = query_choice("case", ids)
    selection = st.dataframe(
        [_row(case) for case in cases],
        hide_index=True,
        height=fit_table(len(cases), _TABLE_ROWS),
        column_config=_COLUMNS,
        selection_mode="single-row",
        on_select="rerun",
        selection_default={"selection": {"rows": [ids.index(named)]}} if named else None,
        key=f"cases-{zlib.crc32(repr(ids).encode())}",
    )
    rows = selection["selection"]["rows"]
    chosen = cases[rows[0]] if rows and rows[0] < len(cases) else None
    remember_choice(case=chosen.case_id if chosen else None)
    return chosen


def show_table_foot(shown: Sequence[Case], total: int) -> None:
    """Say how many cases are shown, and offer them as a file."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = format_count(total, "case") if len(shown) == total else f"{len(shown)} of {format_count(total, 'case')}"
        st.caption(f"{count}. Tick a row to see the case; click on a column's name to sort.", width="stretch")
        st.download_button(
            "Download table",
            cases_csv(shown),
            file_name="cases.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )


def show_case(study: Study, case: Case) -> None:
    """Show one case: pictures, corrections, series and clinical data."""
    with st.container(border=True, key="case-panel"):
        _show_case_header(case)
        _show_pictures(study, case)
        _show_corrections(study, case)
        _show_series(case)
        if case.clinical:
            st.markdown("**Clinical data**")
            st.dataframe([{name: _cell(value) for name, value in case.clinical.items()}], hide_index=True)


def show_change() -> None:
    """Say what the last correction did, once."""
    change = st.session_state.pop(_CHANGED, None)
    if change:
        st.success(f"{change} The next data set will have it; networks trained before stay as they are.")


def cases_csv(cases: Sequence[Case]) -> str:
    """Return the table as comma-separated text, one line a case, with the clinical columns."""
    clinical = sorted({name for case in cases for name in case.clinical})
    lines = [
        {
            "case_id": case.case_id,
            "diagnosis": case.diagnosis or "",
            "phantom": case.synthetic,
            "source": case.source,
            "slices": case.slices,
            "rows": case.rows,
            "columns": case.columns,
            "voxel_mm": format_voxel(case.spacing_mm),
            "tumour_mask": case.has_mask,
            "left_out": case.exclusion_reason or case.excluded,
            **{name: case.clinical.get(name, "") for name in clinical},
        }
        for case in cases
    ]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(lines[0]) if lines else ["case_id"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


_COLUMNS: Final[dict[str, Any]] = {
    "Case": st.column_config.TextColumn(width="small"),
    "Diagnosis": st.column_config.TextColumn(width="medium"),
    "Mask": st.column_config.CheckboxColumn("Tumour mask", width="small"),
    "In use": st.column_config.CheckboxColumn(width="small", help="Cases that are left out take no part in training."),
    "Voxel": st.column_config.TextColumn("Voxel (mm)", help="Width × height × distance of slices."),
}


def _row(case: Case) -> dict[str, Any]:
    return {
        "Case": case.case_id,
        "Diagnosis": display_diagnosis(case.diagnosis),
        "Origin": "Phantom" if case.synthetic else "Patient",
        "Source": case.source,
        "Slices": case.slices,
        "Voxel": format_voxel(case.spacing_mm).removesuffix(" mm"),
        "Mask": case.has_mask,
        "In use": not case.excluded,
    }


def _searchable(case: Case) -> str:
    series = [word for one in case.series for word in (one.series_description, one.technical.get("manufacturer"))]
    words = [
        case.case_id,
        display_diagnosis(case.diagnosis),
        "phantom" if case.synthetic else "patient",
        case.source,
        case.exclusion_reason,
        *series,
        *map(str, case.clinical.values()),
    ]
    return " ".join(str(word) for word in words if word).casefold()


def _diagnosis_order(case: Case) -> tuple[int, str]:
    if case.diagnosis in DIAGNOSES:
        return DIAGNOSES.index(case.diagnosis), ""
    return (len(DIAGNOSES) + (case.diagnosis is None), case.diagnosis or "")


def _show_case_header(case: Case) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(case.case_id, width="content", anchor=False)
        st.badge(display_diagnosis(case.diagnosis), color=_badge_colour(case.diagnosis))
        if case.synthetic:
            st.badge("Phantom", icon=":material/science:", color="gray")
        if case.excluded:
            st.badge("Left out", icon=":material/block:", color="red")
        if not case.has_mask:
            st.badge("No tumour mask", icon=":material/warning:", color="orange")
    st.caption(
        f"{case.source} · {case.slices} slices of {case.columns} × {case.rows} · "
        f"voxel {format_voxel(case.spacing_mm)} · imported {format_date(case.imported_at)}"
    )


def _show_pictures(study: Study, case: Case) -> None:
    try:
        packed = pack_without_run(study, case)
    except BrainMRIError as error:
        st.error(str(error), icon=":material/error:")
        return
    show_viewer(packed, key="case-viewer")
    if case.has_mask:
        st.caption("The square around the tumour is what training takes.")
    else:
        st.caption("There is no tumour mask, so training cannot take this case.")


def _show_corrections(study: Study, case: Case) -> None:
    if not may("reviewer"):
        st.caption(missing("reviewer", to="correct cases"))
        return
    left, right = st.columns(2)
    with left.container(horizontal=True, vertical_alignment="bottom"):
        _correct_diagnosis(study, case)
    with right.container(horizontal=True, vertical_alignment="bottom"):
        if case.excluded:
            _offer_return(study, case)
        else:
            _offer_exclusion(study, case)


def _correct_diagnosis(study: Study, case: Case) -> None:
    names: list[str | None] = [None, *DIAGNOSES]
    if case.diagnosis not in names:
        names.append(case.diagnosis)
    diagnosis = st.selectbox(
        "Diagnosis",
        names,
        index=names.index(case.diagnosis),
        format_func=display_diagnosis,
        key=f"diagnosis-{case.case_id}",
    )
    if st.button("Save diagnosis", disabled=diagnosis == case.diagnosis, icon=":material/save:", key="save-diagnosis"):
        set_diagnosis(study, case.case_id, diagnosis)
        _rerun_with(f"{case.case_id}: {display_diagnosis(diagnosis)}.")


def _offer_return(study: Study, case: Case) -> None:
    st.markdown(f"Left out: {case.exclusion_reason}", width="stretch")
    if st.button("Include again", icon=":material/undo:", key="include"):
        set_excluded(study, case.case_id, None)
        _rerun_with(f"{case.case_id} takes part again.")


def _offer_exclusion(study: Study, case: Case) -> None:
    reason = st.text_input(
        "Leave out of training because",
        max_chars=MAXIMUM_REASON,
        placeholder="motion artefact",
        key=f"reason-{case.case_id}",
        help="Nothing is deleted. The reason is kept with the case: name no patient in it.",
    )
    if st.button("Leave out", icon=":material/block:", key="exclude"):
        if not reason.strip():
            st.warning("Write a reason first, a few words.")
            return
        set_excluded(study, case.case_id, reason)
        _rerun_with(f"{case.case_id} is left out.")


def _rerun_with(change: str) -> None:
    st.session_state[_CHANGED] = change
    st.rerun()


def _show_series(case: Case) -> None:
    st.markdown("**Series**")
    technical = list(dict.fromkeys(name for one in case.series for name in one.technical))
    rows = [
        {
            "Sequence": one.sequence,
            "Description": one.series_description or "–",
            "Why": one.evidence,
            "Images": one.images,
            **{_title(name): _cell(one.technical.get(name)) for name in technical},
        }
        for one in sorted(case.series, key=lambda one: SEQUENCES.index(one.sequence))
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Sequence": st.column_config.TextColumn(width="small"),
            "Images": st.column_config.NumberColumn(width="small"),
            "Why": st.column_config.TextColumn("Taken for it because", width="large"),
        },
        key=f"series-{case.case_id}",
    )


def _title(name: str) -> str:
    """Return an attribute's name as a heading: ``repetition_time_ms`` becomes ``Repetition time (ms)``."""
    words = name.split("_")
    unit = f" ({_UNITS[words.pop()]})" if words[-1] in _UNITS else ""
    text = " ".join(words)
    return text[:1].upper() + text[1:] + unit


_UNITS: Final = {"ms": "ms", "mm": "mm", "t": "T", "deg": "°"}


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return " × ".join(_cell(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _badge_colour(diagnosis: str | None) -> Any:
    return _DIAGNOSIS_BADGES.get(diagnosis or "", "gray")
