"""Group series and masks into patients and examinations, and choose what a case is made from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from brainmri.intake.deidentify import Identity
from brainmri.intake.headers import SliceHeader
from brainmri.intake.report import Refusal
from brainmri.intake.series import FoundSeries, common_place, group_series
from brainmri.vocabulary import SEQUENCES

_NO_NAMES: Final = frozenset(
    ["", "anonymous", "anonymized", "anonymised", "anon", "unknown", "none", "na", "n/a", "0", "xxx"]
)
"""Patient IDs that many patients share after careless anonymisation: their studies are kept apart."""


@dataclass(frozen=True)
class MaskFile:
    """A file that holds a tumour mask."""

    path: Path
    source: Literal["DICOM", "NIfTI"]
    referenced_series: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examination:
    """One visit of a patient."""

    order: tuple[str, ...]
    """Sorts examinations by time."""
    series: tuple[FoundSeries, ...]
    masks: tuple[MaskFile, ...]

    def found(self) -> list[str]:
        """Return the sequences that were found, in the order of `SEQUENCES`."""
        there = {one.sequence for one in self.series}
        return [name for name in SEQUENCES if name in there]

    def complete(self) -> bool:
        """Return whether all three sequences were found."""
        return len(self.found()) == len(SEQUENCES)


@dataclass(frozen=True)
class Patient:
    """A patient's examinations. Names and identity stay in memory."""

    names: tuple[str, ...]
    """What the table of labels may call the patient, best first."""
    identity: Identity
    place: Path
    examinations: tuple[Examination, ...]


def group_dicom_patients(headers: Iterable[SliceHeader]) -> list[Patient]:
    """Group DICOM headers into patients by Patient ID.

    Where the ID is empty or a placeholder, each study counts as a patient. Studies of one day count as one
    examination, unless one of them is complete by itself; so do studies without a date that make exactly one case.
    """
    by_patient: dict[str, list[SliceHeader]] = defaultdict(list)
    headers = list(headers)
    studies: dict[str, str] = {}
    for header in headers:  # some converters write another study UID into every slice
        studies[header.series_uid] = min(header.study_uid, studies.get(header.series_uid, header.study_uid))
    for header in headers:
        name = header.patient_id.casefold()
        study = studies[header.series_uid] if header.series_uid else header.study_uid
        by_patient[f"study {study}" if name in _NO_NAMES else f"id {name}"].append(header)
    return [_dicom_patient(group) for _, group in sorted(by_patient.items())]


def choose_examination(patient: Patient) -> tuple[Examination | None, list[Refusal]]:
    """Choose the earliest complete examination of a patient, which is the one before treatment.

    Returns
    -------
    examination : Examination or None
        None where no examination has all three sequences.
    refused : list of Refusal
        The patient, or the examinations that are not used.
    """
    chosen = next((one for one in patient.examinations if one.complete()), None)
    if chosen is None:
        return None, [Refusal(patient.place, describe_missing(patient))]
    refused = []
    for other in patient.examinations:
        if other is chosen or not other.series:
            continue
        when = "a later" if other.order > chosen.order else "an incomplete earlier"
        reason = (
            f"{when} examination of the same patient; the earliest complete one is used, as the one before treatment"
        )
        refused.append(Refusal(_place_of(other), reason))
    return chosen, refused


def describe_missing(patient: Patient) -> str:
    """Say which sequences of a patient were found, and which are missing."""
    best = max(patient.examinations, key=lambda one: len(one.found()))
    found = best.found()
    missing = [name for name in SEQUENCES if name not in found]
    there = [*found, *(["a mask"] if best.masks else [])]
    others = sum(one.sequence is None for one in best.series)
    if others:
        there.append(f"{others} other series")
    visits = len([one for one in patient.examinations if one.series])
    of_them = f" in the fullest of {visits} examinations" if visits > 1 else ""
    return (
        f"incomplete patient: {_join(missing)} {'is' if len(missing) == 1 else 'are'} missing{of_them}; "
        f"found {_join(there) if there else 'no series'}. A case needs T1, T2 and T1c"
        f"{'' if patient.names else ' (without a patient ID, each study counts as a patient)'}"
    )


def candidates(examination: Examination, sequence: str) -> list[FoundSeries]:
    """Return the series of a sequence, the one to use first.

    Axial before other planes, then more slices, then finer pixels, then the earlier one; ties are settled by UID.
    """
    return sorted((one for one in examination.series if one.sequence == sequence), key=_rank)


def explain_second(first: FoundSeries, second: FoundSeries) -> str:
    """Say why another series of the same sequence is used in the place of this one."""
    if first.plane != second.plane and _rank(first)[0] != _rank(second)[0]:
        why = f"it is {second.plane} and the used one {first.plane}"
    elif first.images != second.images:
        why = f"it has {second.images} slices and the used one {first.images}"
    elif first.in_plane_mm != second.in_plane_mm:
        why = f"its pixels measure {second.in_plane_mm:g} mm and those of the used one {first.in_plane_mm:g} mm"
    elif first.acquired != second.acquired:
        why = "it was acquired later than the used one"
    else:
        why = "it equals the used one in plane, slices, pixel size and time"
    return f"second {second.sequence} series, not used because {why}"


def attach_masks(patients: Sequence[Patient], masks: Sequence[Path]) -> tuple[list[Patient], list[Path]]:
    """Give NIfTI masks to the DICOM patients whose ID their names hold, or whose images lie beside them.

    Parameters
    ----------
    patients : sequence of Patient
    masks : sequence of Path
        NIfTI masks without NIfTI images.

    Returns
    -------
    patients : list of Patient
        In the same order, with masks.
    left : list of Path
        Masks that belong to nobody, or to nobody for sure.
    """
    folders = [{folder for path in _files_of(patient) for folder in path.parents} for patient in patients]
    given: dict[int, list[MaskFile]] = defaultdict(list)
    left = []
    for mask in masks:
        owner = _owner(mask, patients, folders)
        if owner is None:
            left.append(mask)
        else:
            given[owner].append(MaskFile(mask, "NIfTI"))
    return [_with_masks(patient, given[index]) for index, patient in enumerate(patients)], left


def _dicom_patient(headers: list[SliceHeader]) -> Patient:
    images = [header for header in headers if not header.segmentation]
    masks = [header for header in headers if header.segmentation]
    first = headers[0]
    names = tuple(name for name in (first.patient_id, first.patient_name) if name.casefold() not in _NO_NAMES)
    return Patient(
        names=names,
        identity=Identity().union(header.identity for header in headers),
        place=common_place(sorted({header.path for header in headers})),
        examinations=tuple(_examinations(group_series(images), masks)),
    )


def _examinations(series: list[FoundSeries], masks: list[SliceHeader]) -> list[Examination]:
    """Return examinations in the order of time."""
    by_study: dict[str, list[FoundSeries]] = defaultdict(list)
    for one in series:
        by_study[one.slices[0].study_uid].append(one)
    studies = [_examination(group, [uid], masks) for uid, group in by_study.items()]
    if any(study.complete() for study in studies):
        return sorted(studies, key=lambda one: one.order)
    by_day: dict[str, list[str]] = defaultdict(list)
    for uid, group in by_study.items():
        by_day[group[0].slices[0].study_date or uid].append(uid)
    undated = [uid for uid, group in by_study.items() if not group[0].slices[0].study_date]
    pooled = _examination([one for uid in undated for one in by_study[uid]], undated, masks)
    if sorted(one.sequence for one in pooled.series if one.sequence) == sorted(SEQUENCES):
        return [pooled]
    days = [_examination([one for uid in uids for one in by_study[uid]], uids, masks) for uids in by_day.values()]
    return sorted(days, key=lambda one: one.order) or [_examination([], [one.study_uid for one in masks], masks)]


def _examination(series: list[FoundSeries], studies: list[str], masks: list[SliceHeader]) -> Examination:
    order = min(((one.slices[0].study_date, one.slices[0].study_time, one.uid) for one in series), default=("",))
    own = sorted((one for one in masks if one.study_uid in studies), key=lambda one: (one.sop_instance_uid, one.path))
    return Examination(order, tuple(series), tuple(MaskFile(one.path, "DICOM", one.referenced_series) for one in own))


def _owner(mask: Path, patients: Sequence[Patient], folders: Sequence[set[Path]]) -> int | None:
    """Return the one patient whose ID a mask's name holds, or whose files are in the nearest folder above it."""
    named = [index for index, patient in enumerate(patients) if patient.names and _holds(mask.name, patient.names[0])]
    if len(named) == 1:
        return named[0]
    for folder in mask.parents:
        near = [index for index, below in enumerate(folders) if folder in below]
        if near:
            return near[0] if len(near) == 1 else None
    return None


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text, flags=re.IGNORECASE) is not None


def _files_of(patient: Patient) -> list[Path]:
    return [header.path for one in patient.examinations for series in one.series for header in series.slices]


def _with_masks(patient: Patient, masks: list[MaskFile]) -> Patient:
    if not masks:
        return patient
    chosen = choose_examination(patient)[0] or patient.examinations[0]
    examinations = tuple(
        Examination(one.order, one.series, (*one.masks, *masks)) if one is chosen else one
        for one in patient.examinations
    )
    return Patient(patient.names, patient.identity, patient.place, examinations)


def _rank(series: FoundSeries) -> tuple[object, ...]:
    return (series.plane != "axial", -series.images, series.in_plane_mm, series.acquired, series.uid)


def _place_of(examination: Examination) -> Path:
    return common_place(sorted(one.place for one in examination.series))


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
