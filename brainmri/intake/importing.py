"""Import files: from folders of DICOM and NIfTI to cases of the study."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import select

from brainmri.intake.cases import PARTIAL, BuiltCase, Outcome, build_case
from brainmri.intake.deidentify import Identity, collect_identity, is_identifying_column, screen_clinical
from brainmri.intake.files import list_files
from brainmri.intake.labels import LabelRow, Labels, read_labels
from brainmri.intake.patients import Patient, attach_masks, group_dicom_patients
from brainmri.intake.phantoms import PHANTOM_MANUFACTURER
from brainmri.intake.records import Case, Series
from brainmri.intake.report import ImportedCase, ImportReport, KnownCase, Refusal, UsedSeries
from brainmri.intake.scanning import Mapper, Scan, group_nifti_patients, scan_files, workers
from brainmri.intake.sequences import NOT_RECOGNISED
from brainmri.intake.series import drop_copies
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES

__all__ = ["ImportReport", "ImportedCase", "KnownCase", "Refusal", "UsedSeries", "import_paths"]

Progress = Callable[[float, str], None]

OTHER: Final = "other"
MANY_FILES: Final = 4000
"""From here on headers are read by several processes: starting them takes as long as 3000 headers."""
MANY_PATIENTS: Final = 8
_HEADER_SHARE: Final = 0.3
"""Share of the time that headers take, for the progress bar."""


@dataclass
class _Ledger:
    """What the report will say, while the import goes on."""

    cases: list[ImportedCase] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    known: list[KnownCase] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_paths(
    study: Study,
    paths: Sequence[Path],
    *,
    labels: Path | None = None,
    progress: Progress | None = None,
    processes: int | None = None,
) -> ImportReport:
    """Import DICOM and NIfTI files.

    Files that cannot be used are refused one by one, and the rest goes on. The result does not depend on file names, on
    the order of files, or on the number of processes.

    Parameters
    ----------
    study : Study
    paths : sequence of Path
        Files and folders, searched recursively.
    labels : Path, optional
        CSV file with the columns ``patient_id``, ``diagnosis`` and any further clinical ones.
    progress : callable, optional
    processes : int, optional
        Default: one for few files and patients, else as many as there are cores.

    Returns
    -------
    ImportReport
        Cases made, series found, what was refused and why.

    Raises
    ------
    UsageError
        Where a path does not exist or the table of labels cannot be used.
    """
    report = progress or _no_progress
    table = Labels() if labels is None else read_labels(labels)
    files = list_files(paths, without=labels)
    cores = os.cpu_count() or 1
    with workers(processes or (cores if len(files) > MANY_FILES else 1)) as mapper:
        scan = scan_files(files, mapper=mapper, progress=_part(report, 0.0, _HEADER_SHARE))
    ledger = _Ledger(refused=list(scan.refused))
    patients = _find_patients(scan, ledger)
    with workers(processes or (cores if len(patients) > MANY_PATIENTS else 1)) as mapper:
        _build_cases(study, ledger, patients, table, mapper=mapper, progress=_part(report, _HEADER_SHARE, 1.0))
    _note_other_series(ledger, patients)
    _note_labels(ledger, table, patients)
    report(1.0, f"{len(ledger.cases)} cases imported")
    counts = _count_series(patients)
    return ImportReport(tuple(ledger.cases), counts, tuple(ledger.refused), tuple(ledger.known), tuple(ledger.notes))


def _find_patients(scan: Scan, ledger: _Ledger) -> list[Patient]:
    headers, copies = drop_copies(scan.headers)
    dicom = group_dicom_patients(headers)
    nifti, masks, refused = group_nifti_patients(scan.nifti)
    dicom, left = attach_masks(dicom, masks)
    ledger.refused += [*copies, *refused, *(Refusal(path, "a mask without images of its patient") for path in left)]
    return sorted([*dicom, *nifti], key=lambda patient: patient.names)


def _build_cases(
    study: Study, ledger: _Ledger, patients: list[Patient], table: Labels, *, mapper: Mapper, progress: Progress
) -> None:
    """Make the cases one after the other; several processes read and resample, this one numbers and stores."""
    cases_folder = study.case_folder("case").parent
    cases_folder.mkdir(parents=True, exist_ok=True)
    _remove_partial(cases_folder)
    try:
        outcomes = mapper(partial(build_case, cases_folder=cases_folder), patients)
        for done, patient in enumerate(patients):
            progress(done / len(patients), f"Building cases: patient {done + 1} of {len(patients)}")
            _settle(study, ledger, patient, next(outcomes), table)
    finally:
        _remove_partial(cases_folder)


def _settle(study: Study, ledger: _Ledger, patient: Patient, outcome: Outcome, table: Labels) -> None:
    """Store what became of one patient."""
    ledger.refused += outcome.refused
    built = outcome.case
    if built is None:
        return
    row = table.find(patient.names)
    known = _find_known(study, built.content_digest)
    if known is not None:
        shutil.rmtree(built.folder)
        ledger.known.append(KnownCase(patient.place, known.case_id, f"the same images are there as {known.case_id}"))
        if row is not None and row.diagnosis != known.diagnosis:
            ledger.notes.append(
                f"{known.case_id} is there as {known.diagnosis or 'not labelled'}; row {row.number} of the table of "
                f"labels says {row.diagnosis or 'nothing'}. The stored diagnosis stays; change it on the cases page."
            )
        return
    case_id = _store(study, built, row, _identity(patient, row))
    sequences = {name: UsedSeries(one.description, one.evidence) for name, one in built.series.items()}
    ledger.cases.append(ImportedCase(case_id, row.diagnosis if row else None, sequences))
    ledger.notes += [f"{case_id}: {note}" for note in outcome.notes]


def _store(study: Study, built: BuiltCase, row: LabelRow | None, identity: Identity) -> str:
    """Rename the files of a case into place, then insert its row."""
    case_id = _next_case_id(study)
    folder = study.case_folder(case_id)
    shutil.rmtree(folder, ignore_errors=True)  # left by a crash before its row was written
    built.folder.chmod(0o755)
    built.folder.rename(folder)
    first = built.series["T1c"]
    slices, rows, columns = built.shape
    case = Case(
        case_id=case_id,
        diagnosis=row.diagnosis if row else None,
        synthetic=first.manufacturer == PHANTOM_MANUFACTURER,
        source=first.source,
        content_digest=built.content_digest,
        slices=slices,
        rows=rows,
        columns=columns,
        spacing_mm=list(built.spacing_mm),
        has_mask=built.has_mask,
        clinical=screen_clinical(row.clinical, identity) if row else {},
        series=[
            Series(
                sequence=name,
                series_description=one.description,
                evidence=one.evidence,
                images=one.images,
                technical={**one.technical, **built.moved.get(name, {})},
            )
            for name, one in built.series.items()
        ],
    )
    with study.session() as session:
        session.add(case)
    return case_id


def _identity(patient: Patient, row: LabelRow | None) -> Identity:
    """Return the words of the patient's headers, names and identifying columns."""
    cells = row.clinical.items() if row else ()
    named = collect_identity([*patient.names, *(text for column, text in cells if is_identifying_column(column))])
    return patient.identity.union([named])


def _find_known(study: Study, content_digest: str) -> Case | None:
    with study.session() as session:
        return session.scalar(select(Case).where(Case.content_digest == content_digest))


def _next_case_id(study: Study) -> str:
    with study.session() as session:
        ids = session.scalars(select(Case.case_id)).all()
    numbers = [int(one.removeprefix("case-")) for one in ids if one.removeprefix("case-").isdigit()]
    return f"case-{max(numbers, default=0) + 1:04d}"


def _note_other_series(ledger: _Ledger, patients: list[Patient]) -> None:
    """Refuse series that nothing tells, and count those of other kinds."""
    others = [one for patient in patients for exam in patient.examinations for one in exam.series if not one.sequence]
    unknown = [one for one in others if one.evidence.startswith(NOT_RECOGNISED)]
    ledger.refused += [Refusal(one.place, one.evidence.rstrip(".")) for one in unknown]
    if len(others) > len(unknown):
        ledger.notes.append(
            f"Series of other kinds (FLAIR, diffusion and so on), not used: {len(others) - len(unknown)}."
        )


def _note_labels(ledger: _Ledger, table: Labels, patients: list[Patient]) -> None:
    """Say which cases have no label, and which labels have no images; rows are named by number."""
    bare = [case.case_id for case in ledger.cases if case.diagnosis is None]
    if bare and table.rows:
        ledger.notes.append(
            f"Not labelled, because the table of labels does not name their patients: {', '.join(bare)}."
        )
    elif bare:
        ledger.notes.append(f"No table of labels was given: not labelled: {', '.join(bare)}.")
    used = {row.number for patient in patients if (row := table.find(patient.names))}
    unused = sorted(row.number for row in table.rows.values() if row.number not in used)
    if unused:
        ledger.notes.append(
            f"Rows of the table of labels without images: {', '.join(str(number) for number in unused)}."
        )
    dropped = [name for name in table.columns if is_identifying_column(name)]
    if dropped:
        ledger.notes.append(f"Columns of the table of labels left out because they identify: {', '.join(dropped)}.")


def _count_series(patients: list[Patient]) -> dict[str, int]:
    found: Counter[str] = Counter(
        one.sequence or OTHER for patient in patients for exam in patient.examinations for one in exam.series
    )
    return {name: found[name] for name in (*SEQUENCES, OTHER)}


def _remove_partial(cases_folder: Path) -> None:
    for folder in cases_folder.glob(f"{PARTIAL}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, step: progress(start + fraction * (end - start), step)


def _no_progress(fraction: float, step: str) -> None:
    """Report to nobody."""
