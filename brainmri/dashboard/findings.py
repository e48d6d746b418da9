"""The panel in which reviewers write down what they find of a case, and see what others found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from brainmri.dashboard.access import author_name, may, missing
from brainmri.dashboard.formatting import fit_table, format_date
from brainmri.errors import BrainMRIError
from brainmri.review.findings import (
    MAXIMUM_NAME,
    MAXIMUM_NOTE,
    Entry,
    add_finding,
    change_finding,
    read_earlier_findings,
    read_findings,
    withdraw_finding,
)
from brainmri.review.identity import warn_of_identity
from brainmri.review.records import DIFFICULTY_RANGE, VERDICTS, Finding, Verdict
from brainmri.study import Study

_REVIEWER: Final = "reviewer"
_MOST_ROWS: Final = 5
_NAME_PX: Final = 220
_VERDICT_HELP: Final = "\n".join(f"- **{name.capitalize()}**: {text}" for name, text in VERDICTS.items())


def show_findings(study: Study, experiment_id: str, *, case_id: str, run_id: str) -> None:
    """Show the reviewer's own finding as a form, and those of others as a table.

    Parameters
    ----------
    study : Study
    experiment_id, case_id : str
    run_id : str
        The run that is on the screen.
    """
    findings = read_findings(study, experiment_id, case_id)
    header = st.container(horizontal=True, vertical_alignment="center")
    header.subheader("Finding", anchor=False, width="stretch")
    reviewer = _ask_name(header)
    own = next((one for one in findings if one.reviewer == reviewer), None)
    if may("reviewer"):
        _show_form(study, experiment_id, case_id, run_id, reviewer, own)
    else:
        st.caption(missing("reviewer", to="write findings"))
    others = [one for one in findings if one is not own]
    if others:
        st.markdown(f"**Others found** · {describe_agreement(findings)}" if len(findings) > 1 else "**Others found**")
        st.dataframe(finding_rows(others), hide_index=True, height=fit_table(len(others), _MOST_ROWS), placeholder="–")
    _show_earlier(read_earlier_findings(study, experiment_id, case_id))


def reviewer_name() -> str:
    """Return the name of who signed in, else what the visitor has entered; empty where there is nothing."""
    return author_name() or str(st.session_state.get(_REVIEWER) or "").strip()


def _ask_name(place: DeltaGenerator) -> str:
    """Return the name of who signed in, else ask for one."""
    signed = author_name()
    if signed is not None:
        place.text_input(
            "Reviewer", signed, key="reviewer-signed-in", disabled=True, label_visibility="collapsed", width=_NAME_PX
        )
        return signed  # never what the field holds: a browser can change a disabled one
    return place.text_input(
        "Reviewer",
        key=_REVIEWER,
        persist_state="session",
        max_chars=MAXIMUM_NAME,
        placeholder="Your name or initials",
        label_visibility="collapsed",
        width=_NAME_PX,
    ).strip()


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return one row for each finding."""
    return [
        {
            "Reviewer": one.reviewer,
            "Finding": one.verdict.capitalize(),
            "Difficulty": one.difficulty,
            "Note": one.note or None,
            "Teaching": "yes" if one.bookmarked else None,
            "Changed": format_date(one.changed_at),
        }
        for one in findings
    ]


def describe_agreement(findings: Sequence[Finding]) -> str:
    """Say how far the reviewers of one case agree."""
    counts = Counter(one.verdict for one in findings).most_common()
    if len(counts) == 1:
        return f"all {len(findings)} reviewers say {counts[0][0]}"
    if counts[0][1] == 1:
        return f"{len(findings)} reviewers, each another verdict"
    if counts[0][1] == counts[1][1]:
        words = ", ".join(f"{verdict} {count}" for verdict, count in counts)
        return f"{len(findings)} reviewers, divided: {words}"
    return f"{counts[0][1]} of {len(findings)} reviewers say {counts[0][0]}"


def earlier_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return one row for each finding of an earlier experiment, with the name of that."""
    rows = finding_rows(findings)
    return [{"Found in": one.experiment_id, **row} for one, row in zip(findings, rows, strict=True)]


def _show_earlier(findings: Sequence[Finding]) -> None:
    """Show what was found before this experiment repeated another; it stays with that one."""
    if not findings:
        return
    names = ", ".join(dict.fromkeys(one.experiment_id for one in findings))
    st.markdown(f"**Found in {names}**, which this experiment repeats")
    st.dataframe(earlier_rows(findings), hide_index=True, height=fit_table(len(findings), _MOST_ROWS), placeholder="–")


def _show_form(study: Study, experiment_id: str, case_id: str, run_id: str, reviewer: str, own: Finding | None) -> None:
    """Show the form. It belongs to the version that it began with, so that another window takes nothing out of it."""
    began = f"finding-began-{experiment_id}-{case_id}-{reviewer}"
    latest = 0 if own is None else own.version
    version: int = st.session_state.setdefault(began, latest)
    if version != latest:
        _show_other_version(own, began, latest)
    # without a saved finding the form does not depend on the name, which may be entered after all else
    name = f"finding-{experiment_id}-{case_id}-{reviewer if version else ''}-{version}"
    with st.form(name, border=False, enter_to_submit=False):
        with st.container(key="finding-verdict"):  # for the keys
            verdict: Verdict | None = st.segmented_control(
                "What explains it?",
                list(VERDICTS),
                format_func=lambda verdict: verdict.capitalize(),
                default=cast(Verdict, own.verdict) if own else None,
                help=_VERDICT_HELP,
                key=f"{name}-verdict",
            )
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        lowest, highest = DIFFICULTY_RANGE
        difficulty = left.segmented_control(
            "Difficulty",
            list(range(lowest, highest + 1)),
            default=own.difficulty if own else None,
            help="From 1, easy, to 5, very hard, as you judge it. May stay open.",
            key=f"{name}-difficulty",
        )
        bookmarked = right.toggle(
            "For teaching",
            own.bookmarked if own else False,
            key=f"{name}-bookmarked",
            help="Bookmark the case for teaching sessions.",
        )
        with st.container(key="finding-note"):
            note = st.text_area(
                "Note",
                own.note if own else "",
                max_chars=MAXIMUM_NOTE,
                height=80,
                help="Nothing that names a patient: notes are kept in the study.",
                key=f"{name}-note",
            )
        with st.container(horizontal=True, vertical_alignment="center", key="finding-save"):
            saved = st.form_submit_button(
                "Save changes" if version else "Save finding", type="primary", icon=":material/save:"
            )
            withdrawn = bool(version) and st.form_submit_button("Take back", icon=":material/undo:")
            if own is not None:
                st.caption(f"Saved {format_date(own.changed_at)}. Earlier versions are kept.")
    if own is not None and (warning := warn_of_identity(own.note)):
        st.warning(warning, icon=":material/privacy_tip:")
    if withdrawn:
        _attempt(began, lambda: withdraw_finding(study, experiment_id, case_id, reviewer, version=version))
    elif saved and not reviewer:
        st.warning("Enter your name or initials above, so that others know whose finding it is.")
    elif saved and verdict is None:
        st.warning("Choose what explains it; a note alone is no finding.")
    elif saved and verdict is not None:
        entry = Entry(verdict=verdict, difficulty=difficulty, note=note.strip(), bookmarked=bookmarked, run_id=run_id)
        _attempt(began, lambda: _save(study, experiment_id, case_id, reviewer, entry, version))


def _show_other_version(own: Finding | None, began: str, latest: int) -> None:
    """Say that the finding changed elsewhere, and offer what is stored now."""
    now = "was taken back" if own is None else f"says now: {own.verdict}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"This finding was changed in another window and {now}. What you wrote is still here, not saved.")
        st.button("Show the stored one", on_click=st.session_state.__setitem__, args=(began, latest))


def _save(study: Study, experiment_id: str, case_id: str, reviewer: str, entry: Entry, version: int) -> Finding:
    if not version:
        return add_finding(study, experiment_id, case_id, reviewer, entry)
    return change_finding(study, experiment_id, case_id, reviewer, entry, version=version)


def _attempt(began: str, save: Callable[[], Finding]) -> None:
    """Save, and draw the page anew; where that is refused, say why and keep what was written."""
    try:
        saved = save()
    except BrainMRIError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[began] = 0 if saved.withdrawn else saved.version
    st.rerun()
