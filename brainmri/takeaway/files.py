"""A case to take away as a file: an HTML page, a PDF page, or DICOM objects in a zip file or a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from brainmri.errors import UsageError
from brainmri.evaluation.verdicts import Verdicts
from brainmri.study import Study
from brainmri.takeaway.dicom_export import encode, make_objects, zip_objects
from brainmri.takeaway.evidence import CaseEvidence, read_evidence, read_tested
from brainmri.takeaway.gathering import summarise_case
from brainmri.takeaway.page import write_page
from brainmri.takeaway.pdf import write_pdf
from brainmri.takeaway.summary import CaseSummary

FileFormat = Literal["html", "pdf", "dicom"]

SUFFIXES: Final[dict[FileFormat, str]] = {"html": ".html", "pdf": ".pdf", "dicom": ".zip"}
"""Of the one file that holds each format."""


@dataclass(frozen=True, kw_only=True)
class WrittenCase:
    """What was written of a case.

    Parameters
    ----------
    paths : tuple of Path
        One file, or the folder of the DICOM objects.
    files : int
        How many files that are.
    remark : str or None
        What is not in them, and how to get it.
    """

    paths: tuple[Path, ...]
    files: int
    remark: str | None


def file_stem(case_id: str, run_id: str) -> str:
    """Return the name, without ending, of what is taken away of a case under a run."""
    return f"{case_id}-{run_id}"


def make_file(
    study: Study, run_id: str, case_id: str, file_format: FileFormat, *, verdicts: Verdicts | None = None
) -> bytes:
    """Return a case as one file.

    Parameters
    ----------
    study : Study
    run_id, case_id : str
    file_format : {'html', 'pdf', 'dicom'}
        DICOM objects come in a zip file.
    verdicts : Verdicts, optional
        Of all finished runs of the experiment, where they have been read already.

    Raises
    ------
    UsageError
        Where a library is missing.
    BrainMRIError
        As `brainmri.takeaway.gathering.summarise_case`.
    """
    evidence, summary = _read(study, run_id, case_id, verdicts)
    if file_format == "html":
        return write_page(summary).encode("utf-8")
    if file_format == "pdf":
        return write_pdf(summary)
    return zip_objects(make_objects(evidence, summary), file_stem(case_id, run_id))


def write_case(study: Study, run_id: str, case_id: str, file_format: FileFormat, output: Path) -> WrittenCase:
    """Write a case to a file or a folder.

    Parameters
    ----------
    study : Study
    run_id, case_id : str
    file_format : {'html', 'pdf', 'dicom'}
    output : Path
        A file with the ending of the format (``.zip`` for DICOM), or a folder to write into.

    Raises
    ------
    UsageError
        Where a library is missing, or nothing can be written there.
    BrainMRIError
        As `brainmri.takeaway.gathering.summarise_case`.
    """
    output = output.expanduser()
    suffix = SUFFIXES[file_format]
    if output.suffix.lower() in {".html", ".pdf", ".zip", ".dcm"} and output.suffix.lower() != suffix:
        raise UsageError(f"The output {output} ends with {output.suffix}; expected {suffix}, or a folder.")
    evidence, summary = _read(study, run_id, case_id, None)
    remark = None if summary.map_layer else _without_maps(summary, file_format)
    name = file_stem(case_id, run_id)
    is_file = output.suffix.lower() == suffix
    if file_format == "dicom" and not is_file:
        objects = {file: encode(one) for file, one in make_objects(evidence, summary).items()}
        _write_folder(output / name, objects)
        return WrittenCase(paths=(output / name,), files=len(objects), remark=remark)
    path = output if is_file else output / f"{name}{suffix}"
    if file_format == "dicom":
        content = zip_objects(make_objects(evidence, summary), name)
    else:
        content = write_page(summary).encode("utf-8") if file_format == "html" else write_pdf(summary)
    _write_file(path, content)
    return WrittenCase(paths=(path,), files=1, remark=remark)


def _read(study: Study, run_id: str, case_id: str, verdicts: Verdicts | None) -> tuple[CaseEvidence, CaseSummary]:
    evidence = read_evidence(study, read_tested(study, run_id, case_id))
    return evidence, summarise_case(study, run_id, case_id, evidence=evidence, verdicts=verdicts)


def _without_maps(summary: CaseSummary, file_format: FileFormat) -> str:
    left_out = "The DICOM objects hold no map" if file_format == "dicom" else "The page shows no map"
    return (
        f"{left_out}: the run {summary.run_id} has none yet. To make them: python -m brainmri explain-run "
        f"{summary.run_id}"
    )


def _write_file(path: Path, content: bytes) -> None:
    """Write under a temporary name and rename the file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"Nothing can be written to {path}: {error.strerror}. Choose another --output.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is there already and is not empty; objects of two exports would mix. Remove it, or choose "
            "another --output."
        )
    for name, content in contents.items():
        _write_file(folder / name, content)
