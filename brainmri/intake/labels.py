"""Read the table of labels: a patient, a diagnosis and further clinical columns in each row."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from brainmri.errors import UsageError
from brainmri.vocabulary import normalise_diagnosis

PATIENT: Final = "patient_id"
DIAGNOSIS: Final = "diagnosis"


@dataclass(frozen=True)
class LabelRow:
    """One row of the table."""

    number: int
    """Line of the file, the header being 1."""
    diagnosis: str | None
    clinical: Mapping[str, str]
    """Further columns as they came."""


@dataclass(frozen=True)
class Labels:
    """The table of labels, by patient."""

    rows: Mapping[str, LabelRow] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    """Further columns, in the order of the file."""

    def find(self, names: Iterable[str]) -> LabelRow | None:
        """Return the row of a patient that may be called by several names, the first that matches."""
        return next((self.rows[_key(name)] for name in names if name and _key(name) in self.rows), None)


def read_labels(path: Path) -> Labels:
    """Read a CSV file with the columns ``patient_id`` and ``diagnosis``.

    UTF-8 with or without a byte order mark, separated by comma, semicolon or tab; the case of the header, and spaces
    around cells, do not matter.

    Raises
    ------
    UsageError
        Where the file cannot be read, lacks a column, or gives one patient two diagnoses.
    """
    lines = _read_lines(path)
    if not lines:
        raise UsageError(f"The table of labels {path} is empty. It needs the columns {PATIENT} and {DIAGNOSIS}.")
    (_, header), body = lines[0], lines[1:]
    keys = [cell.casefold().replace(" ", "_") for cell in header]
    missing = [name for name in (PATIENT, DIAGNOSIS) if name not in keys]
    if missing:
        raise UsageError(
            f"The table of labels {path} has no column {' and no column '.join(missing)}. Found: {', '.join(header)}. "
            f"The first line must name {PATIENT} and {DIAGNOSIS}."
        )
    rows: dict[str, LabelRow] = {}
    for number, cells in body:
        _add(rows, number, dict(zip(keys, cells, strict=False)), dict(zip(header, cells, strict=False)), path)
    return Labels(rows, tuple(name for name, key in zip(header, keys, strict=True) if key not in (PATIENT, DIAGNOSIS)))


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, stripped, with their line numbers."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The table of labels {path} cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The table of labels {path} is not UTF-8. Save it as 'CSV UTF-8' and try again.") from error
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise UsageError(f"The table of labels {path} cannot be read: {error}.") from error
    return [(number, row) for number, row in rows if any(row)]


def _add(rows: dict[str, LabelRow], number: int, cells: dict[str, str], named: dict[str, str], path: Path) -> None:
    patient = _key(cells.get(PATIENT, ""))
    if not patient:
        raise UsageError(
            f"Row {number} of the table of labels {path} names no patient. Fill in {PATIENT}, or delete it."
        )
    diagnosis = normalise_diagnosis(cells.get(DIAGNOSIS, "")) or None
    before = rows.get(patient)
    if before is not None and before.diagnosis != diagnosis:
        raise UsageError(
            f"Rows {before.number} and {number} of the table of labels {path} give the same patient two diagnoses "
            f"({before.diagnosis or 'none'}, {diagnosis or 'none'}). Keep one of them."
        )
    if before is None:
        further = {
            name: text for name, text in named.items() if name.casefold().replace(" ", "_") not in (PATIENT, DIAGNOSIS)
        }
        rows[patient] = LabelRow(number, diagnosis, further)


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
