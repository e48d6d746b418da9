"""What is known of cases besides their images: scanner, field strength, quality, age, sex, size of the tumour."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from brainmri.imaging.records import Sample
from brainmri.intake.records import Case, Series
from brainmri.study import Study

AGE_COLUMNS: Final = ("age", "age years", "age in years", "patient age", "age at diagnosis", "age at scan")
SEX_COLUMNS: Final = ("sex", "gender", "patient sex")
"""Columns of the table of labels, in any case, with spaces or underscores."""

REFERENCE_SEQUENCE: Final = "T1c"
"""The series whose scanner counts as that of the case: the grid is its own."""

THICKEST_SLICE_MM: Final = 5.0
"""Of T1, T2 and T1c in the protocol of the trial RTOG 0825 for brain tumours (substudy ACRIN 6686).

As tabulated in https://pmc.ncbi.nlm.nih.gov/articles/PMC7968800/table/T3
"""
LOWEST_FIELD_T: Final = 1.5
"""The consensus protocol for brain tumours gives parameters for 1.5 T and 3 T.

Ellingson et al., Neuro-Oncology 2015, https://doi.org/10.1093/neuonc/nov095
"""
NOTHING_NOTED: Final = "nothing noted"
QUALITY: Final = {
    "thick slices": f"T1, T2 or T1c has slices of more than {THICKEST_SLICE_MM:g} mm, more than protocols for brain "
    "tumours recommend.",
    "patient moved": "The patient moved between the sequences; T1 or T2 was moved back onto T1c at import.",
    "low field": f"A scanner of less than {LOWEST_FIELD_T:g} T.",
    NOTHING_NOTED: "None of these. What the files do not say counts as not noted; noise and artefacts are not "
    "measured.",
}
"""What is known of the quality of images, by its name, and what it means."""

_SEXES: Final = {"f": "female", "female": "female", "w": "female", "m": "male", "male": "male"}
_OLDEST: Final = 120


@dataclass(frozen=True, kw_only=True)
class CaseAttributes:
    """One case; None for what is not known.

    Parameters
    ----------
    case_id : str
    scanner : str or None
        Manufacturer and model.
    field_strength_t : float or None
        To the half tesla.
    age_years : float or None
    sex : str or None
        ``female`` or ``male``.
    tumour_side_mm : float or None
        Side of the largest square region around the tumour, with its margin.
    quality : tuple of str
        Of `QUALITY`, `NOTHING_NOTED` alone.
    """

    case_id: str
    scanner: str | None = None
    field_strength_t: float | None = None
    age_years: float | None = None
    sex: str | None = None
    tumour_side_mm: float | None = None
    quality: tuple[str, ...] = (NOTHING_NOTED,)


def read_case_attributes(study: Study, dataset_hash: str) -> dict[str, CaseAttributes]:
    """Read what is known of the cases of a data set, by ``case_id``."""
    largest = select(Sample.case_id, func.max(Sample.size_px)).where(Sample.dataset_hash == dataset_hash)
    with study.session() as session:
        size_px = {row[0]: row[1] for row in session.execute(largest.group_by(Sample.case_id))}
        cases = session.execute(
            select(Case.case_id, Case.clinical, Case.spacing_mm).where(Case.case_id.in_(list(size_px)))
        ).all()
        series = session.execute(
            select(Series.case_id, Series.sequence, Series.technical).where(Series.case_id.in_(list(size_px)))
        ).all()
    # the reference sequence comes last, and so stays
    technical = {
        one.case_id: one.technical for one in sorted(series, key=lambda one: one.sequence == REFERENCE_SEQUENCE)
    }
    of_case = defaultdict[str, list[Mapping[str, Any]]](list)
    for one in series:
        of_case[one.case_id].append(one.technical)
    return {
        case.case_id: CaseAttributes(
            case_id=case.case_id,
            scanner=_scanner(technical.get(case.case_id, {})),
            field_strength_t=_field_strength(technical.get(case.case_id, {})),
            age_years=_age(_column(case.clinical, AGE_COLUMNS)),
            sex=_SEXES.get(str(_column(case.clinical, SEX_COLUMNS)).strip().casefold()),
            tumour_side_mm=float(size_px[case.case_id] * case.spacing_mm[1]),
            quality=_quality(of_case[case.case_id]),
        )
        for case in cases
    }


def _column(clinical: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    folded = {" ".join(re.split(r"[\W_]+", name.casefold())).strip(): value for name, value in clinical.items()}
    return next((folded[name] for name in names if name in folded), None)


def _scanner(technical: Mapping[str, Any]) -> str | None:
    words = [str(technical[name]).strip() for name in ("manufacturer", "model") if technical.get(name)]
    if len(words) == 2 and words[1].casefold().startswith(words[0].casefold()):
        words = words[1:]
    return " ".join(words) or None


def _field_strength(technical: Mapping[str, Any]) -> float | None:
    """Return the field strength to the half tesla: 2.89 T is called 3 T, and 1.494 T 1.5 T."""
    value = _number(technical.get("magnetic_field_strength_t"))
    if value is not None and value > 100:  # some old scanners write gauss
        value /= 10_000
    return round(2 * value) / 2 if value is not None and 0.25 <= value <= 20 else value


def _quality(series: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what is known of the quality of a case, in the order of `QUALITY`."""
    thickness = [_number(one.get("slice_thickness_mm")) for one in series]
    strength = [_field_strength(one) for one in series]
    noted = {
        "thick slices": any(value is not None and value > THICKEST_SLICE_MM for value in thickness),
        "patient moved": any("moved_mm" in one for one in series),
        "low field": any(value is not None and value < LOWEST_FIELD_T for value in strength),
    }
    return tuple(name for name in QUALITY if noted.get(name)) or (NOTHING_NOTED,)


def _age(value: Any) -> float | None:
    """Return an age in years, from a number or from DICOM's form ``063Y``; ages that cannot be are not known."""
    text = str(value).strip().upper()
    months = re.fullmatch(r"(\d{3})M", text)
    years = float(months.group(1)) / 12 if months else _number(text.removesuffix("Y"))
    return years if years is not None and 0 <= years <= _OLDEST else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
