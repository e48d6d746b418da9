"""Read DICOM objects by the words of the standard, without the library that made them."""

from __future__ import annotations

import numpy as np
from pydicom import Dataset

CODE = tuple[str, str]


def code_of(item: Dataset) -> CODE:
    """Return value and scheme of a code sequence's only item."""
    return str(item[0].CodeValue), str(item[0].CodingSchemeDesignator)


def groups_of(report: Dataset) -> list[Dataset]:
    """Return the measurement groups of a report (TID 1500: 126010 Imaging Measurements, 125007 Measurement Group)."""
    for item in report.ContentSequence:
        if code_of(item.ConceptNameCodeSequence) == ("126010", "DCM"):
            return [one for one in item.ContentSequence if code_of(one.ConceptNameCodeSequence) == ("125007", "DCM")]
    return []


def codes_in(group: Dataset, name: CODE) -> list[CODE]:
    """Return the coded values under a concept name."""
    return [
        code_of(one.ConceptCodeSequence)
        for one in group.ContentSequence
        if one.ValueType == "CODE" and code_of(one.ConceptNameCodeSequence) == name
    ]


def numbers_in(group: Dataset) -> dict[CODE, float]:
    """Return the numbers of a group by their concept name."""
    return {
        code_of(one.ConceptNameCodeSequence): float(one.MeasuredValueSequence[0].NumericValue)
        for one in group.ContentSequence
        if one.ValueType == "NUM"
    }


def texts_in(group: Dataset) -> list[str]:
    """Return the texts of a group."""
    return [str(one.TextValue) for one in group.ContentSequence if one.ValueType == "TEXT"]


def patient_coordinate(position: list, orientation: list, spacing: list, row: int, column: int) -> np.ndarray:
    """Return where a pixel lies, by the equation of PS3.3 C.7.6.2.1.1."""
    along_columns, along_rows = np.array(orientation[:3], float), np.array(orientation[3:], float)
    return np.array(position, float) + along_columns * float(spacing[1]) * column + along_rows * float(spacing[0]) * row
