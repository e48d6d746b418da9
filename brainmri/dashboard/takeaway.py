"""Buttons that let a case leave the review page: as a page, as PDF, and as DICOM objects."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from brainmri.dashboard.review import TestedCase, read_verdicts
from brainmri.evaluation.reading import FinishedRun, read_finished_runs
from brainmri.study import Study
from brainmri.takeaway import dicom_export, pdf
from brainmri.takeaway.files import SUFFIXES, FileFormat, file_stem, make_file
from brainmri.takeaway.summary import PURPOSE

_LABELS: Final[dict[FileFormat, tuple[str, str, str]]] = {
    "html": ("Page (HTML)", ":material/html:", "text/html"),
    "pdf": ("Page (PDF)", ":material/picture_as_pdf:", "application/pdf"),
    "dicom": ("DICOM (zip)", ":material/folder_zip:", "application/zip"),
}
"""Label, icon and media type of each button."""


def show_takeaway(study: Study, experiment_id: str, run: FinishedRun, case: TestedCase) -> None:
    """Show a popover with one download button for each format; a file is made when its button is pressed.

    Parameters
    ----------
    study : Study
    experiment_id : str
    run : FinishedRun
        A run that tested the case.
    case : TestedCase
    """
    verdicts = read_verdicts(study, experiment_id, len(read_finished_runs(study, experiment_id)))
    missing = missing_libraries()
    with st.popover("Take away", icon=":material/download:"):
        st.write("This case under this network, without identity. The files open without this software.")
        for name, (label, icon, media_type) in _LABELS.items():
            st.download_button(
                label,
                partial(make_file, study, run.run_id, case.case_id, name, verdicts=verdicts),
                file_name=f"{file_stem(case.case_id, run.run_id)}{SUFFIXES[name]}",
                mime=media_type,
                icon=icon,
                on_click="ignore",
                width="stretch",
                disabled=name in missing,
                key=f"take-{name}-{run.run_id}-{case.case_id}",
            )
        for sentence in missing.values():
            st.caption(sentence)
        st.caption(
            "DICOM holds the slices that the network saw, the maps as values and as coloured pictures, and the verdict "
            f"as a structured report. Read the notes before you hand a page on. {PURPOSE}"
        )


def missing_libraries() -> dict[FileFormat, str]:
    """Return for each format whose library is not installed the sentence that says what to install."""
    found: dict[FileFormat, str] = {}
    if not pdf.has_reportlab():
        found["pdf"] = pdf.INSTALL
    if not dicom_export.has_highdicom():
        found["dicom"] = dicom_export.INSTALL
    return found
