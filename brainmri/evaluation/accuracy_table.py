"""Tables of accuracies that come as a file: the columns model, repeat and accuracy."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final

from brainmri.errors import EvaluationError, UsageError
from brainmri.evaluation.repeats import NUMBER, Repeats, repeat_key

COLUMNS: Final = ("model", "repeat", "accuracy")

_MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–"})


def read_accuracy_csv(path: Path) -> dict[str, list[float]]:
    """Read accuracies of models over repeats as sequences by model.

    Models come in the order of their first row. Sequences are as long as one another, and the same place is the same
    repeat; a repeat that a model lacks is not-a-number. Otherwise as `read_accuracy_table`.
    """
    return read_accuracy_table(path).accuracies


def read_accuracy_table(path: Path) -> Repeats:
    """Read accuracies of models over repeats, side by side.

    The columns ``model``, ``repeat`` and ``accuracy`` may stand in any order, among others, separated by comma,
    semicolon (with decimal point or comma) or tab. Accuracies are kept as they come, as shares or in per cent.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark.

    Returns
    -------
    Repeats
        Models in the order of their first row, repeats by number where all are numbers, else in the order of their
        first row. An empty accuracy (also ``NA``, ``NaN``) is not-a-number: a missing repeat.

    Raises
    ------
    UsageError
        Where there is no such file.
    EvaluationError
        Where the table cannot be understood; the message names the row as a spreadsheet counts it.
    """
    header, rows, separator = _read_rows(path)
    places = _find_columns(path, header)
    seen: dict[tuple[str, str], int] = {}
    records: list[tuple[str, str, float]] = []
    for number, row in rows:
        model, repeat, text = (row[place].strip() if place < len(row) else "" for place in places)
        _check_key(path, number, model, repeat, seen)
        value = _read_number(path, number, text, decimal_comma=separator == ";")
        records.append((model, repeat, value))
    if not records:
        raise EvaluationError(f"The table {path} has a header and no rows; expected one row for each model and repeat.")
    return Repeats.align(records)


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """Return the header, the rows that are not empty with their numbers, and the separator."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvaluationError(f"The table {path} is no UTF-8 text; save it as CSV in UTF-8.") from error
    except OSError as error:
        raise UsageError(f"The table {path} cannot be read: {error.strerror}.") from error
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        numbered = list(enumerate(csv.reader(text.splitlines(), delimiter=separator), start=1))
    except csv.Error as error:
        raise EvaluationError(f"The table {path} cannot be read as CSV: {error}.") from error
    filled = [(number, row) for number, row in numbered if any(cell.strip() for cell in row)]
    if not filled:
        raise EvaluationError(f"The table {path} is empty; expected the columns {', '.join(COLUMNS)}.")
    return filled[0][1], filled[1:], separator


def _find_columns(path: Path, header: list[str]) -> list[int]:
    names = [name.strip().casefold() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise EvaluationError(
            f"The table {path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"found {', '.join(name.strip() or '(no name)' for name in header)}. "
            f"Expected {', '.join(COLUMNS)}."
        )
    double = [column for column in COLUMNS if names.count(column) > 1]
    if double:
        raise EvaluationError(f"The table {path} has the column {double[0]} more than once; keep one of them.")
    return [names.index(column) for column in COLUMNS]


def _check_key(path: Path, number: int, model: str, repeat: str, seen: dict[tuple[str, str], int]) -> None:
    """Refuse a row without model or repeat, and a second row of the same model and repeat."""
    for name, value in (("model", model), ("repeat", repeat)):
        if not value:
            raise EvaluationError(f"Row {number} of {path} has no {name}. Fill it in, or delete the row.")
    key = (model, repeat_key(repeat))
    if key in seen:
        raise EvaluationError(
            f"Rows {seen[key]} and {number} of {path} are both {model}, repeat {repeat}; expected one row for each. "
            "Delete one of them."
        )
    seen[key] = number


def _read_number(path: Path, number: int, text: str, *, decimal_comma: bool) -> float:
    if text.casefold() in _MISSING:
        return math.nan
    plain = text.replace(",", ".") if decimal_comma else text
    if not NUMBER.fullmatch(plain):
        raise EvaluationError(
            f"Row {number} of {path}: the accuracy '{text}' is no number. Write a share such as 0.952 or a per cent "
            "value such as 95.2 without a sign; leave the cell empty where the repeat is missing."
        )
    return float(plain)
