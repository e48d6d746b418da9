"""The import of a folder from the cases page. What an import prints names files: it is shown, and not stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.formatting import fit_table, format_count
from brainmri.dashboard.progress import may_start, missing_for, show_outcome, show_task, start_task, watch_task
from brainmri.errors import UsageError
from brainmri.study import Study
from brainmri.tasks import Task

_PRINTING_S: Final = 10.0
"""How long an import may take to print its report after it has closed its row."""
_NOTES_AT_ONCE: Final = 5
_SEQUENCES: Final = (("T1", "T1"), ("T2", "T2"), ("T1c", "T1c"), ("other", "other series"))


def show_import(study: Study, *, expanded: bool, phantoms: bool = False) -> None:
    """Show the form, or the import that runs; and what became of the newest one.

    Parameters
    ----------
    study : Study
    expanded : bool
        Show the form at once, for an empty study.
    phantoms : bool
        The study holds phantoms, beside which patients do not belong.
    """
    task = tasks.latest(study, "import")
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, "Importing"))
        return
    if task is not None:
        _show_end(study, task)
    if tasks.is_running(study, "demo"):
        st.info(
            "The demo study is being created; its cases appear here once they are imported. Your own images need a "
            "study of their own: start brainmri with another folder in BRAINMRI_STUDY.",
            icon=":material/science:",
        )
        return
    if not may_start("import"):
        st.caption(f":material/lock: {missing_for('import')}")
        return
    with st.expander("Import images", icon=":material/create_new_folder:", expanded=expanded):
        if phantoms:
            st.warning(
                "This study holds phantoms. Import patients into a study of their own: start brainmri with another "
                "folder in BRAINMRI_STUDY.",
                icon=":material/science:",
            )
        _show_form(study)


def import_arguments(folder: str, labels: str) -> list[str]:
    """Return the arguments of the command that imports what the form names.

    Parameters
    ----------
    folder : str
        As typed; quotation marks around it, which a file manager's copy adds, are dropped.
    labels : str
        Table of labels, or nothing.

    Raises
    ------
    UsageError
        Where a path is missing; the message says which.
    """
    source = _path(folder)
    if source is None:
        raise UsageError("Name the folder that holds the images.")
    if not source.exists():
        raise UsageError(f"There is no folder '{source}' on the computer that runs brainmri. Check the spelling.")
    table = _path(labels)
    if table is None:
        return ["import", str(source), "--json"]
    if not table.is_file():
        raise UsageError(f"There is no table '{table}' on the computer that runs brainmri. Check the spelling.")
    return ["import", str(source), "--labels", str(table), "--json"]


def _path(text: str) -> Path | None:
    stripped = text.strip().strip("\"'").strip()
    return Path(stripped).expanduser().absolute() if stripped else None


def _show_form(study: Study) -> None:
    with st.form("import", border=False, enter_to_submit=False):
        left, right = st.columns(2)
        folder = left.text_input(
            "Folder with DICOM or NIfTI files",
            placeholder="/data/archive-export",
            help="A folder on the computer that runs brainmri. It is searched with all its folders; any file names do.",
        )
        labels = right.text_input(
            "Table of diagnoses (CSV), if there is one",
            placeholder="/data/labels.csv",
            help="With the columns patient_id and diagnosis; further columns are kept as clinical data, but for those "
            "that identify a patient.",
        )
        st.caption(
            "Names, numbers and dates of patients are not copied. A case needs T1, T2 and T1c; a tumour mask (DICOM "
            "SEG, or a NIfTI file with mask or seg in its name) lets it take part in training."
        )
        if st.form_submit_button("Import", type="primary", icon=":material/download:"):
            _start(study, folder, labels)


def _start(study: Study, folder: str, labels: str) -> None:
    try:
        arguments = import_arguments(folder, labels)
    except UsageError as error:
        st.error(str(error), icon=":material/error:")
        return
    if start_task(study, "import", arguments):
        st.rerun()


def _show_end(study: Study, task: Task) -> None:
    """Show the report of the newest import where this server started it, else how it ended."""
    output = tasks.read_output(study, task.id, timeout_s=_PRINTING_S)
    if output is None:
        show_outcome(task, advice="")
        return
    report = _read_report(output.stdout)
    with st.container(border=True, key="import-report"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Import finished" if report else "Import not finished")
            st.button(
                "Close",
                key="close-report",
                icon=":material/close:",
                type="tertiary",
                on_click=tasks.forget_output,
                args=(study, task.id),
            )
        if report is None:
            st.error(_reason(task, output.stderr), icon=":material/error:")
        else:
            _show_report(report)


def _show_report(report: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        st.badge(format_count(report["cases"], "new case"), color="green" if report["cases"] else "gray")
        for key, name in _SEQUENCES:
            st.badge(f"{report['series'].get(key, 0)} {name}", color="gray")
        if report["refused"]:
            st.badge(f"{len(report['refused'])} not used", color="orange")
    known = report.get("already_present", [])
    if known:
        st.write(
            f"{format_count(len(known), 'patient')} already in the study: {', '.join(k['case_id'] for k in known)}."
        )
    _show_notes(report.get("notes", []))
    if report["refused"]:
        _show_refused(report["refused"])
    elif report["cases"]:
        st.write("Every file was used.")


def _show_notes(notes: Sequence[str]) -> None:
    """Show a few notes at once, many on request."""
    text = "  \n".join(notes)
    if len(notes) <= _NOTES_AT_ONCE:
        st.caption(text)
        return
    with st.expander(format_count(len(notes), "note")), st.container(height=240, border=False):
        st.caption(text)


def _show_refused(refused: Sequence[dict[str, str]]) -> None:
    st.markdown("**Not used, and why**")
    st.dataframe(
        [{"File, series or patient": one["path"], "Reason": one["reason"]} for one in refused],
        hide_index=True,
        column_config={"File, series or patient": st.column_config.TextColumn(width="medium")},
        height=fit_table(len(refused), 8),
        key="refused",
    )
    st.caption("This list is not stored, because file names may name patients. It is gone when you close it.")


def _read_report(stdout: str) -> dict[str, Any] | None:
    try:
        report = json.loads(stdout)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def _reason(task: Task, stderr: str) -> str:
    """Return the last line that the command line printed about the failure, without its own name in front."""
    lines = [
        line.removeprefix("brainmri import: ") for line in stderr.splitlines() if line.startswith("brainmri import:")
    ]
    return lines[-1] if lines else task.message or "The import ended without a message."
