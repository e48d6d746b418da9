"""Leave identity behind: an allow-list of technical attributes, and texts screened word by word.

Nothing is copied because it looks harmless. Attributes are kept by name; the few texts among them (descriptions typed
by people) lose every word that equals a part of the patient's name, a number, a date or a person of the examination.

References
----------
DICOM PS3.15 Annex E (basic profile, and the options to clean descriptors and to retain device information).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from brainmri.intake.words import split_words

REMOVED: Final = "[removed]"

TECHNICAL_KEYWORDS: Final[dict[str, str]] = {
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "model",
    "MagneticFieldStrength": "magnetic_field_strength_t",
    "MRAcquisitionType": "acquisition_type",
    "ScanningSequence": "scanning_sequence",
    "SequenceVariant": "sequence_variant",
    "ScanOptions": "scan_options",
    "SequenceName": "sequence_name",
    "ImageType": "image_type",
    "RepetitionTime": "repetition_time_ms",
    "EchoTime": "echo_time_ms",
    "InversionTime": "inversion_time_ms",
    "FlipAngle": "flip_angle_deg",
    "EchoTrainLength": "echo_train_length",
    "SliceThickness": "slice_thickness_mm",
    "SpacingBetweenSlices": "spacing_between_slices_mm",
    "PixelSpacing": "pixel_spacing_mm",
    "Rows": "rows",
    "Columns": "columns",
    "PixelBandwidth": "pixel_bandwidth_hz",
    "NumberOfAverages": "averages",
}
"""DICOM keywords that are kept, and their names in the study."""

IDENTITY_KEYWORDS: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientBirthName",
    "PatientMotherBirthName",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy",
    "RequestingPhysician",
    "OperatorsName",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "DeviceSerialNumber",
)
"""DICOM keywords whose values are looked for in the texts that are kept."""

_IDENTIFYING_COLUMNS: Final = split_words(
    "id ids pid patient name names firstname lastname surname forename givenname familyname fullname initials "
    "birth birthdate birthday birthplace dob born address street zip zipcode postcode postal city town phone "
    "telephone tel mobile fax email mail contact mrn ssn nhs insurance license passport accession uid path file "
    "filename folder url date dates physician doctor surgeon radiologist hospital institution vorname nachname "
    "geburtsdatum geburtstag geb anschrift adresse strasse straße plz ort wohnort telefon versicherung fallnummer "
    "aufnahmenummer"
)
"""Words in a column's name that mean identity. Dates of care count among them (45 CFR 164.514(b)(2)(i))."""
_IDENTIFYING_PARTS: Final = ("patientid", "patientname", "birth", "氏名", "患者", "生年月日", "住所", "電話", "名前")
_SHORTEST_GLUED_PART: Final = 4
"""A part of a name this long is removed inside other words too (``T1SMITH``); shorter ones only as whole words."""
_SHORTEST_NUMBER: Final = 5
"""Shorter numbers are looked for only where they are a whole name: the 12 of ``P-12`` may be anybody's age."""
_DATE_OR_NUMBER: Final = re.compile(r"(?<!\d)(?:\d{6,}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4})(?!\d)")
"""Dates, and digits as long as a hospital's numbers."""


@dataclass(frozen=True)
class Identity:
    """Words that name a patient or a person of the examination; held in memory while texts are screened."""

    words: frozenset[str] = frozenset()

    def union(self, others: Iterable[Identity]) -> Identity:
        """Return the words of this identity and of others."""
        return Identity(self.words.union(*(other.words for other in others)))


def collect_identity(values: Iterable[str]) -> Identity:
    """Collect the words of names, numbers and dates.

    Parameters
    ----------
    values : iterable of str
        As in the file, for example ``"DOE^JANE"`` or ``"19500102"``.
    """
    return _collect(tuple(values))


@lru_cache(maxsize=1024)  # the slices of a series repeat one another
def _collect(values: tuple[str, ...]) -> Identity:
    words: set[str] = set()
    for value in values:
        text = _fold(value)
        parts = re.split(r"[\s^=,;_/\\|.\-]+", text)
        words.update(part for part in parts if len(part) >= 2 and not (part.isdigit() and len(part) < _SHORTEST_NUMBER))
        words.update([text] if len(text) >= 2 else [])
        words.update(part for part in parts if len(part) == 1 and not part.isascii())  # 林
        if re.fullmatch(r"\d{8}", text):
            words.update(_spellings_of_date(text))
    return Identity(frozenset(words))


def screen_text(text: str, identity: Identity) -> str:
    """Replace words of the identity, dates and long numbers by ``[removed]``.

    Parameters
    ----------
    text : str
    identity : Identity

    Returns
    -------
    str
        The text with single spaces; the replaced parts cannot be told from one another.
    """
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    for word in sorted(identity.words, key=lambda one: (-len(one), one)):
        pattern = re.escape(word)
        if len(word) < _SHORTEST_GLUED_PART and word.isascii():
            pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
        text = re.sub(pattern, "\0", text, flags=re.IGNORECASE)
    text = _DATE_OR_NUMBER.sub("\0", text)
    return re.sub(r"\0+", REMOVED, text)


def screen_technical(technical: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """Return technical attributes with their texts screened."""
    return {name: _screen_value(value, identity) for name, value in technical.items()}


def is_identifying_column(column: str) -> bool:
    """Return whether a column of the table of labels names, numbers or dates a person."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    words = re.split(r"[\W_]+", _fold(spaced))
    joined = "".join(words)
    return any(word in _IDENTIFYING_COLUMNS for word in words) or any(
        part in joined for part in (*_IDENTIFYING_PARTS, *(c for c in _IDENTIFYING_COLUMNS if len(c) > 8))
    )


def screen_clinical(cells: Mapping[str, str], identity: Identity) -> dict[str, Any]:
    """Return the clinical columns of one patient without identity.

    Columns that identify are dropped, and so are cells that equal a word of the identity; other texts are screened.
    Numbers become numbers.
    """
    kept: dict[str, Any] = {}
    for column, value in cells.items():
        text = value.strip()
        if not text or is_identifying_column(column) or _fold(text) in identity.words:
            continue
        number = _as_number(text)
        kept[column] = screen_text(text, identity) if number is None else number
    return kept


def _screen_value(value: Any, identity: Identity) -> Any:
    if isinstance(value, str):
        return screen_text(value, identity)
    if isinstance(value, (list, tuple)):
        return [_screen_value(one, identity) for one in value]
    return value


def _as_number(text: str) -> int | float | None:
    """Return a plain number of at most five digits; longer ones are screened as text, and ``007`` stays a text."""
    if re.fullmatch(r"-?(0|[1-9]\d{0,4})", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9]\d{0,4})\.\d{1,6}", text):
        return float(text)
    return None


def _spellings_of_date(digits: str) -> list[str]:
    year, month, day = digits[:4], digits[4:6], digits[6:]
    orders = ((year, month, day), (day, month, year), (month, day, year))
    return [sign.join(order) for order in orders for sign in ("-", ".", "/", "")]


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
