"""The table of labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainmri.errors import UsageError
from brainmri.intake.labels import read_labels


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_usual_separator_and_a_byte_order_mark_are_read(tmp_path: Path, separator: str, encoding: str) -> None:
    text = (
        separator.join([" Patient_ID ", "DIAGNOSIS", "Age"])
        + "\r\n"
        + separator.join([" P1 ", "GBM", "61"])
        + "\r\n\r\n"
    )
    labels = read_labels(write(tmp_path, text, encoding))
    row = labels.find(["unknown", "p1"])
    assert row is not None
    assert (row.number, row.diagnosis, dict(row.clinical)) == (2, "glioblastoma", {"Age": "61"})
    assert labels.columns == ("Age",)


def test_a_patient_without_a_diagnosis_is_not_labelled(tmp_path: Path) -> None:
    row = read_labels(write(tmp_path, "patient_id,diagnosis\nP1,\n")).find(["P1"])
    assert row is not None
    assert row.diagnosis is None


def test_a_missing_column_is_named_with_those_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column diagnosis\. Found: patient_id, entity"):
        read_labels(write(tmp_path, "patient_id,entity\nP1,GBM\n"))


def test_two_diagnoses_of_one_patient_are_refused_by_row(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Rows 2 and 4 .* two diagnoses \(glioblastoma, PCNSL\)"):
        read_labels(write(tmp_path, "patient_id,diagnosis\nP1,GBM\nP2,GBM\np1,lymphoma\n"))


def test_the_same_diagnosis_twice_is_no_conflict(tmp_path: Path) -> None:
    assert len(read_labels(write(tmp_path, "patient_id,diagnosis\nP1,GBM\nP1,glioblastoma\n")).rows) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"patient_id,diagnosis\n,GBM\n", "Row 2 .* names no patient"),
        ("patient_id,diagnosis\nP1,Tumör\n".encode("cp1252"), "is not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_labels(path)


def test_a_table_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        read_labels(tmp_path / "none.csv")
