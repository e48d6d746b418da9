"""Warn of words in a note that could name a patient. It warns and does not block: a person knows better."""

from __future__ import annotations

import re
from typing import Final

_LONG_NUMBER: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){5,}(?!\d)")
"""Six digits or more, also in groups: numbers of patients, examinations and telephones."""

_DATE: Final = re.compile(
    r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,4}年\d{1,2}月\d{1,2}日)(?!\d)"
)

_NAME: Final = re.compile(r"\b[^\W\d_a-z][^\W\d_A-Z]+[ ,^]+[^\W\d_a-z][^\W\d_A-Z]+\b|\w\^\w|[\u4e00-\u9fff]{2,}")
"""Two capitalised words side by side, a name as DICOM writes it (PS3.5 6.2.1), or a word of ideographs."""

_BIRTH: Final = re.compile(r"\b(?:born|birth|birthday|DOB)\b|生年月日", re.IGNORECASE)


def warn_of_identity(note: str) -> str | None:
    """Say what in a note could name a patient.

    Parameters
    ----------
    note : str

    Returns
    -------
    str or None
        A sentence that asks to look again, or None where nothing is suspicious.
    """
    dated = _DATE.search(note)
    undated = _DATE.sub(" ", note)
    if dated and (_NAME.search(undated) or _BIRTH.search(undated)):
        return (
            "The note could hold a name with a date of birth. Notes are kept in the study: remove what names a patient."
        )
    if _LONG_NUMBER.search(undated):
        return "The note holds a long number, as patients and examinations have. Remove it if it names a patient."
    return None
