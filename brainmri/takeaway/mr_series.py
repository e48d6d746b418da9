"""The slices that a network saw, as DICOM MR images without identity.

Only these slices leave the study: from a whole head a face could be drawn. They lie on the grid of the case's T1c, so
that the maps lie exactly on them; T1 and T2 were resampled onto it at import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri import __version__
from brainmri.intake.records import Case
from brainmri.intake.volumes import Placement
from brainmri.takeaway.dicom_identity import BODY_PART, MANUFACTURER, MODEL, DicomIdentity, add_patient_and_study
from brainmri.takeaway.evidence import CaseEvidence
from brainmri.vocabulary import SEQUENCES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SCANNING_SEQUENCES: Final = ("SE", "IR", "GR", "EP", "RM")
_SEQUENCE_VARIANTS: Final = ("SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE")
_NUMBERS: Final = {
    "magnetic_field_strength_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "flip_angle_deg": "FlipAngle",
}
"""Attributes of the study that go back under their DICOM keywords."""
_HIGHEST: Final = 32767  # of a signed 16-bit voxel


def make_mr_series(evidence: CaseEvidence) -> dict[str, list[Dataset]]:
    """Return one MR image for each sequence and each slice that the network saw, from inferior to superior.

    Whole numbers are stored as they are. Others, whose unit is a scanner's own, are scaled by one factor a sequence.
    """
    slices = sorted({one.region.slice_index for one in evidence.tested.slices})
    return {
        name: [_make_image(evidence, name, index, stored, factor) for index in slices]
        for name, (stored, factor) in ((name, _as_stored(evidence.volumes.arrays[name])) for name in SEQUENCES)
    }


def slice_position(placement: Placement, spacing_mm: tuple[float, float, float], slice_index: int) -> list[float]:
    """Return where the centre of a slice's first voxel lies (mm; to the left, back and head)."""
    step = slice_index * spacing_mm[0]
    pairs = zip(placement.origin_mm, placement.slice_direction, strict=True)
    return [start + step * along for start, along in pairs]


def _make_image(
    evidence: CaseEvidence, sequence: str, slice_index: int, stored: NDArray[np.int16], factor: float
) -> Dataset:
    from pydicom.dataset import Dataset  # noqa: PLC0415 - 0.1 s that a page may not need

    identity = DicomIdentity.of(evidence.tested.case)
    image = Dataset()
    add_patient_and_study(image, identity)
    _add_file_head(image, identity.uid(sequence, slice_index))
    image.Modality = "MR"
    image.SeriesInstanceUID = identity.uid(sequence, "series")
    image.SeriesNumber = SEQUENCES.index(sequence) + 1
    image.SeriesDescription = f"{sequence}, slices that the network saw"
    image.BodyPartExamined = BODY_PART
    image.PatientPosition = ""
    image.FrameOfReferenceUID = identity.frame_of_reference_uid
    image.PositionReferenceIndicator = ""
    image.Manufacturer, image.ManufacturerModelName, image.SoftwareVersions = MANUFACTURER, MODEL, __version__
    image.InstanceNumber = slice_index + 1
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    if sequence == "T1c":
        image.ContrastBolusAgent = "Contrast agent, not named"
    _add_technique(image, _technical(evidence.tested.case, sequence))
    _add_plane(image, evidence, slice_index)
    _add_pixels(image, stored[slice_index])
    low, high = (limit * factor for limit in evidence.limits[sequence])
    image.WindowCenter, image.WindowWidth = _number((low + high) / 2), _number(max(high - low, 1))
    return image


def _add_file_head(image: Dataset, uid: str) -> None:
    from pydicom.dataset import FileMetaDataset  # noqa: PLC0415
    from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage  # noqa: PLC0415

    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, UID(uid)
    head = FileMetaDataset()
    head.MediaStorageSOPClassUID, head.MediaStorageSOPInstanceUID = MRImageStorage, UID(uid)
    head.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta = head


def _technical(case: Case, sequence: str) -> Mapping[str, Any]:
    return next((one.technical for one in case.series if one.sequence == sequence), {})


def _add_technique(image: Dataset, technical: Mapping[str, Any]) -> None:
    """Fill the MR image module (PS3.3 C.8.3.1); what the study does not hold is left empty."""
    image.ScanningSequence = _known(technical.get("scanning_sequence"), _SCANNING_SEQUENCES) or "RM"
    image.SequenceVariant = _known(technical.get("sequence_variant"), _SEQUENCE_VARIANTS) or "NONE"
    image.ScanOptions = ""
    image.MRAcquisitionType = _known(technical.get("acquisition_type"), ("2D", "3D")) or ""
    image.RepetitionTime = image.EchoTime = image.EchoTrainLength = ""
    for name, keyword in _NUMBERS.items():
        value = technical.get(name)
        if isinstance(value, (int, float)):
            setattr(image, keyword, _number(value))
    if isinstance(technical.get("echo_train_length"), (int, float)):
        image.EchoTrainLength = int(technical["echo_train_length"])


def _known(value: object, allowed: tuple[str, ...]) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(one) for one in values if one in allowed]


def _add_plane(image: Dataset, evidence: CaseEvidence, slice_index: int) -> None:
    """Fill the image plane module (PS3.3 C.7.6.2)."""
    placement, spacing_mm = evidence.volumes.placement, evidence.volumes.spacing_mm
    image.ImagePositionPatient = [_number(one) for one in slice_position(placement, spacing_mm, slice_index)]
    image.ImageOrientationPatient = [_number(one) for one in (*placement.column_direction, *placement.row_direction)]
    image.PixelSpacing = [_number(spacing_mm[1]), _number(spacing_mm[2])]
    image.SpacingBetweenSlices = _number(spacing_mm[0])
    thickness = _technical(evidence.tested.case, "T1c").get("slice_thickness_mm")
    image.SliceThickness = _number(thickness if isinstance(thickness, (int, float)) else spacing_mm[0])


def _add_pixels(image: Dataset, pixels: NDArray[np.int16]) -> None:
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 1
    image.PixelData = np.ascontiguousarray(pixels, "<i2").tobytes()
    image["PixelData"].VR = "OW"


def _as_stored(volume: NDArray[Any]) -> tuple[NDArray[np.int16], float]:
    """Return voxels as signed 16-bit numbers, and the factor by which they were multiplied."""
    if volume.dtype == np.int16:
        return volume, 1.0
    peak = float(np.abs(volume).max(initial=0))
    factor = _HIGHEST / peak if peak > 0 else 1.0
    return np.round(volume.astype(np.float64) * factor).astype(np.int16), factor


def _number(value: float) -> Any:
    from pydicom.valuerep import DSfloat  # noqa: PLC0415

    return DSfloat(float(value), auto_format=True)
