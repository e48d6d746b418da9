"""Screening of texts and tables."""

from __future__ import annotations

import pytest

from brainmri.intake.deidentify import (
    collect_identity,
    is_identifying_column,
    screen_clinical,
    screen_technical,
    screen_text,
)

IDENTITY = collect_identity(["DOE^Jane Mary", "PID-774411", "19510623", "Li^An=李^安=り^あん"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AX T1 POST", "AX T1 POST"),
        ("AX T1 Doe", "AX T1 [removed]"),
        ("T1_DOE_jane_post", "T1_[removed]_[removed]_post"),
        ("T1JANE", "T1[removed]"),
        ("T1 PID-774411", "T1 [removed]"),
        ("T1 774411", "T1 [removed]"),
        ("T1 1951-06-23", "T1 [removed]"),
        ("T1 23.06.1951", "T1 [removed]"),
        ("T1 06/23/1951 2mm", "T1 [removed] 2mm"),
        ("T1 20200131", "T1 [removed]"),
        ("T1 1.2.2020", "T1 [removed]"),
        ("T1 李", "T1 [removed]"),
        ("axial scan, an AN", "axial scan, [removed] [removed]"),
        ("T1  2.5mm   256x256", "T1 2.5mm 256x256"),
    ],
)
def test_words_of_the_identity_dates_and_long_numbers_are_removed(text: str, expected: str) -> None:
    assert screen_text(text, IDENTITY) == expected


def test_technical_attributes_lose_identity_in_nested_texts() -> None:
    technical = {"scan_options": ["FC", "DOE"], "echo_time_ms": 12.0, "rows": 256}
    assert screen_technical(technical, IDENTITY) == {
        "scan_options": ["FC", "[removed]"],
        "echo_time_ms": 12.0,
        "rows": 256,
    }


@pytest.mark.parametrize(
    "column",
    [
        "name", "Patient Name", "PatientName", "birth_date", "DOB", "Address", "phone", "MRN", "accession",
        "AccessionNumber", "study uid", "surgery_date", "Geburtsdatum", "氏名", "hospital_id",
        "e-mail", "file path", "surname",
        "Postal Code",
    ],
)  # fmt: skip
def test_columns_that_identify_are_recognised(column: str) -> None:
    assert is_identifying_column(column)


@pytest.mark.parametrize(
    "column", ["age", "sex", "KPS", "idh_status", "mgmt", "side", "survival_days", "ki67", "grade"]
)
def test_clinical_columns_are_kept(column: str) -> None:
    assert not is_identifying_column(column)


def test_cells_that_equal_the_identity_are_dropped_and_others_screened() -> None:
    cells = {
        "age": "67", "volume_ml": "12.5", "code": "PID-774411", "note": "Mrs Doe, left frontal", "name": "x",
        "id2": "007", "empty": " ", "site": "007",
    }  # fmt: skip
    assert screen_clinical(cells, IDENTITY) == {
        "age": 67,
        "volume_ml": 12.5,
        "note": "Mrs [removed], left frontal",
        "id2": "007",
        "site": "007",
    }
