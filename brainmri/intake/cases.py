"""Make the files of one case: read, resample, write. Runs in a worker process, one patient at a time."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.dicom import as_stored, read_series
from brainmri.intake.elements import READ_ERRORS
from brainmri.intake.grid import DrawnMask, GriddedCase, bring_to_grid, drawn_on, strip, to_lps
from brainmri.intake.nifti import read_nifti
from brainmri.intake.patients import MaskFile, Patient, candidates, choose_examination, explain_second
from brainmri.intake.report import Refusal
from brainmri.intake.segmentation import read_segmentation
from brainmri.intake.series import FoundSeries
from brainmri.intake.volumes import MASK, volume_path
from brainmri.vocabulary import SEQUENCES

PARTIAL: Final = ".partial-"
"""Beginning of the names of folders that are not finished."""


@dataclass(frozen=True)
class BuiltCase:
    """A case whose files are written to a temporary folder, ready to be renamed."""

    folder: Path
    series: Mapping[str, FoundSeries]
    content_digest: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    has_mask: bool
    moved: Mapping[str, Mapping[str, float]]
    """Of sequences that were moved back onto T1c: how far, in the words of the technical attributes."""


@dataclass(frozen=True)
class Outcome:
    """What became of one patient."""

    case: BuiltCase | None
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """Sentences without a subject, to be put behind the case's name."""


def build_case(patient: Patient, cases_folder: Path) -> Outcome:
    """Make the files of a patient's case in a temporary folder.

    Parameters
    ----------
    patient : Patient
    cases_folder : Path
        Where the temporary folder is made, on the disk of the finished ones.

    Returns
    -------
    Outcome
        Whatever is wrong with the patient's files is in it, in words; nothing is raised for them.
    """
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # its warnings name files
    examination, refused = choose_examination(patient)
    if examination is None:
        return Outcome(None, tuple(refused))
    try:
        images, used = dict[str, sitk.Image](), dict[str, FoundSeries]()
        for name in SEQUENCES:
            images[name], used[name] = _read_first_usable(candidates(examination, name), refused)
        masks, mask_notes = _read_masks(examination.masks, images, used, refused)
        gridded = bring_to_grid(images, masks)
        case = _write(gridded, images, used, cases_folder)
    except RefusedFile as error:
        return Outcome(None, (*refused, Refusal(patient.place, f"the patient cannot be used: {error}")))
    except READ_ERRORS as error:
        reason = f"the patient's images cannot be brought together ({type(error).__name__})"
        return Outcome(None, (*refused, Refusal(patient.place, reason)))
    return Outcome(case, tuple(refused), (*gridded.notes, *mask_notes, *_frame_notes(used)))


def _read_first_usable(series: list[FoundSeries], refused: list[Refusal]) -> tuple[sitk.Image, FoundSeries]:
    """Read the best series of a sequence; a broken one gives way to the next."""
    reasons = []
    for index, one in enumerate(series):
        try:
            image = read_series(one.slices) if one.path is None else read_nifti(one.path)
        except RefusedFile as error:
            refused.append(Refusal(one.place, f"{one.sequence} series: {error}"))
            reasons.append(str(error))
            continue
        refused += [Refusal(other.place, explain_second(one, other)) for other in series[index + 1 :]]
        return sitk.Cast(image, _stored_type(image)), one
    raise RefusedFile(f"no usable {series[0].sequence} series is left ({'; '.join(reasons)})")


def _stored_type(image: sitk.Image) -> int:
    return sitk.sitkInt16 if as_stored(sitk.GetArrayViewFromImage(image)).dtype.kind == "i" else sitk.sitkFloat32


def _read_masks(
    masks: tuple[MaskFile, ...],
    images: Mapping[str, sitk.Image],
    used: Mapping[str, FoundSeries],
    refused: list[Refusal],
) -> tuple[list[DrawnMask], list[str]]:
    found, read = list[DrawnMask](), _masks_of(masks, used)
    for mask in read:
        try:
            image = read_segmentation(mask.path) if mask.source == "DICOM" else read_nifti(mask.path)
        except RefusedFile as error:
            refused.append(Refusal(mask.path, f"mask: {error}"))
            continue
        named = next((name for name, one in used.items() if one.uid in mask.referenced_series), None)
        found.append(DrawnMask(image, named or drawn_on(image, images)))
    refused += [Refusal(one.path, "mask: drawn on a series that is not used") for one in masks if one not in read]
    notes = [f"{len(found)} masks were combined into one."] if len(found) > 1 else []
    return found, notes


def _masks_of(masks: tuple[MaskFile, ...], used: Mapping[str, FoundSeries]) -> tuple[MaskFile, ...]:
    """Return the masks drawn on the T1c, else on any used series, else all of them."""
    for series in ([used["T1c"]], list(used.values())):
        uids = {one.uid for one in series}
        drawn = tuple(mask for mask in masks if mask.source == "NIfTI" or uids & set(mask.referenced_series))
        if drawn:
            return drawn
    return masks


def _frame_notes(used: Mapping[str, FoundSeries]) -> list[str]:
    """Say where the scanner itself does not vouch for the alignment (PS3.3 C.7.4.1)."""
    frame = used["T1c"].frame_of_reference
    other = [name for name, one in used.items() if one.frame_of_reference and frame and one.frame_of_reference != frame]
    if not other:
        return []
    return [f"{' and '.join(other)} and T1c have different frames of reference: check that they lie on one another."]


def _write(
    gridded: GriddedCase, images: Mapping[str, sitk.Image], used: Mapping[str, FoundSeries], cases_folder: Path
) -> BuiltCase:
    folder = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=cases_folder))
    try:
        for name, image in gridded.images.items():
            sitk.WriteImage(strip(image), volume_path(folder, name))
        if gridded.mask is not None:
            sitk.WriteImage(gridded.mask, volume_path(folder, MASK))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    grid = gridded.images["T1c"]
    columns, rows, slices = grid.GetSize()
    column_mm, row_mm, slice_mm = grid.GetSpacing()
    return BuiltCase(
        folder=folder,
        series=used,
        content_digest=_digest(images),
        shape=(slices, rows, columns),
        spacing_mm=(slice_mm, row_mm, column_mm),
        has_mask=gridded.mask is not None,
        moved={
            name: {"moved_mm": round(one.moved_mm, 1), "rotated_deg": round(one.rotated_deg, 1)}
            for name, one in gridded.movements.items()
        },
    )


def _digest(images: Mapping[str, sitk.Image]) -> str:
    """Return a sha256 over the voxels as read, in LPS order, so that DICOM and NIfTI of one image agree."""
    digest = hashlib.sha256()
    for name in SEQUENCES:
        array = sitk.GetArrayFromImage(to_lps(images[name]))
        digest.update(f"{name} {array.shape} {array.dtype.str}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
