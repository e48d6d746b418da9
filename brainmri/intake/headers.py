"""Read the header of one DICOM file: what identification, sorting and de-identification need, and nothing else."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from brainmri.errors import RefusedFile
from brainmri.intake.deidentify import IDENTITY_KEYWORDS, TECHNICAL_KEYWORDS, Identity, collect_identity
from brainmri.intake.elements import (
    READ_ERRORS,
    Elements,
    quiet,
    read_elements,
    read_number,
    read_numbers,
    read_plain,
    read_text,
    read_texts,
    read_whole,
)
from brainmri.intake.sequences import SeriesAttributes

LARGEST_MATRIX: Final = 4096
"""More rows or columns are a broken header: clinical MR has at most 2048, and nothing is allocated for a claim."""

SEGMENTATION_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
_ENHANCED_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.3", "1.2.840.10008.5.1.4.1.1.4.4")
_MODALITIES: Final = {
    "CT": "a CT image", "PT": "a PET image", "NM": "a nuclear medicine image", "US": "an ultrasound image",
    "CR": "a radiograph", "DX": "a radiograph", "XA": "an angiogram", "MG": "a mammogram",
    "RTDOSE": "a dose distribution", "OT": "an image of no named modality (OT)", "SC": "a secondary capture",
}  # fmt: skip
_TAGS: Final = [
    *IDENTITY_KEYWORDS, *TECHNICAL_KEYWORDS,
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "MediaStorageSOPClassUID", "Modality", "StudyInstanceUID",
    "SeriesInstanceUID", "FrameOfReferenceUID", "StudyTime", "SeriesTime", "AcquisitionTime", "SeriesNumber",
    "AcquisitionNumber", "InstanceNumber", "SeriesDescription", "ProtocolName", "DiffusionBValue", "AngioFlag",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence", "ContrastBolusVolume", "BodyPartExamined", "ImagePositionPatient",
    "ImageOrientationPatient", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation",
    "ReferencedSeriesSequence",
]  # fmt: skip


@dataclass
class SliceHeader:
    """The header of one file. Identity stays in memory."""

    path: Path
    segmentation: bool
    sop_instance_uid: str
    series_uid: str
    study_uid: str
    frame_of_reference: str
    patient_id: str
    patient_name: str
    study_date: str
    study_time: str
    acquired: str
    """Acquisition (or series) date and time, sortable."""
    series_number: int
    acquisition_number: int
    instance_number: int
    description: str
    rows: int
    columns: int
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, ...]
    transfer_syntax: str
    attributes: SeriesAttributes
    technical: tuple[tuple[str, Any], ...]
    identity: Identity
    referenced_series: tuple[str, ...]


def read_header(path: Path) -> SliceHeader:
    """Read the header of a DICOM file without its pixels.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SliceHeader
        Of an MR image, or of a segmentation.

    Raises
    ------
    RefusedFile
        Where it is anything else, or broken; the message says what was found.
    """
    with quiet():
        try:
            with path.open("rb") as stream:
                dataset = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
                return _to_header(path, dataset, stream)
        except RecursionError as error:
            raise RefusedFile("a DICOM file whose header is nested too deeply to be read") from error
        except READ_ERRORS as error:
            raise RefusedFile(f"a broken DICOM file: its header cannot be read ({type(error).__name__})") from error


def _to_header(path: Path, dataset: FileDataset, stream: BinaryIO) -> SliceHeader:
    elements = read_elements(dataset)
    syntax = transfer_syntax(dataset)
    segmentation = read_text(elements, "SOPClassUID") in SEGMENTATION_CLASSES
    if not segmentation:
        _refuse_other_objects(elements, str(dataset.file_meta.get("MediaStorageSOPClassUID", "")))
        _refuse_unusable_image(elements)
        _refuse_truncated(elements, syntax, stream)
    date, time = (
        next(filter(None, (read_text(elements, f"{level}{part}") for level in ("Acquisition", "Series", "Study"))), "")
        for part in ("Date", "Time")
    )
    return SliceHeader(
        path=path,
        segmentation=segmentation,
        sop_instance_uid=read_text(elements, "SOPInstanceUID"),
        series_uid=read_text(elements, "SeriesInstanceUID"),
        study_uid=read_text(elements, "StudyInstanceUID"),
        frame_of_reference=read_text(elements, "FrameOfReferenceUID"),
        patient_id=read_text(elements, "PatientID"),
        patient_name=read_text(elements, "PatientName"),
        study_date=read_text(elements, "StudyDate"),
        study_time=read_text(elements, "StudyTime"),
        acquired=f"{date}{time}",
        series_number=read_whole(elements, "SeriesNumber"),
        acquisition_number=read_whole(elements, "AcquisitionNumber"),
        instance_number=read_whole(elements, "InstanceNumber"),
        description=read_text(elements, "SeriesDescription") or read_text(elements, "ProtocolName"),
        rows=read_whole(elements, "Rows"),
        columns=read_whole(elements, "Columns"),
        position_mm=read_numbers(elements, "ImagePositionPatient"),
        orientation=read_numbers(elements, "ImageOrientationPatient"),
        pixel_spacing_mm=read_numbers(elements, "PixelSpacing"),
        transfer_syntax=str(syntax),
        attributes=_attributes(elements),
        technical=tuple((name, read_plain(elements, keyword)) for keyword, name in TECHNICAL_KEYWORDS.items()),
        identity=collect_identity(one for key in IDENTITY_KEYWORDS for one in read_texts(elements, key)),
        referenced_series=tuple(
            read_text(read_elements(item), "SeriesInstanceUID")
            for item in elements.get("ReferencedSeriesSequence") or ()
        ),
    )


def transfer_syntax(dataset: FileDataset) -> UID:
    """Return how the pixels are encoded; a file without meta information is taken as it was read."""
    named = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if named:
        return UID(str(named))
    implicit = dataset.original_encoding[0]
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _refuse_other_objects(elements: Elements, media_class: str) -> None:
    sop_class = read_text(elements, "SOPClassUID")
    modality = read_text(elements, "Modality").upper()
    if _DIRECTORY_CLASS in (sop_class, media_class):
        raise RefusedFile("a DICOMDIR: a table of contents without an image; the files it lists are read by themselves")
    if sop_class in _ENHANCED_CLASSES or (modality == "MR" and read_whole(elements, "NumberOfFrames") > 1):
        raise RefusedFile(
            "an Enhanced (multi-frame) MR object, which is not read yet: export it as classic MR images, one file a "
            "slice, or convert it to NIfTI with dcm2niix"
        )
    if not sop_class and not modality:
        raise RefusedFile("not a DICOM or NIfTI file, or one whose header is lost")
    if not read_whole(elements, "Rows") or not read_whole(elements, "Columns"):
        name = UID(sop_class).name if sop_class else modality
        hint = "; export the contours as DICOM SEG or NIfTI" if modality == "RTSTRUCT" else ""
        raise RefusedFile(f"a DICOM object without an image ({name}){hint}")
    if modality != "MR":
        found = _MODALITIES.get(modality, f"an image of the modality {modality or 'none'}")
        raise RefusedFile(f"{found}; only MR is used")


def _refuse_unusable_image(elements: Elements) -> None:
    rows, columns = read_whole(elements, "Rows"), read_whole(elements, "Columns")
    if max(rows, columns) > LARGEST_MATRIX:
        raise RefusedFile(
            f"its header claims {rows} × {columns} pixels; at most {LARGEST_MATRIX} × {LARGEST_MATRIX} are read"
        )
    colours = read_text(elements, "PhotometricInterpretation")
    if read_whole(elements, "SamplesPerPixel", 1) != 1 or colours not in ("MONOCHROME2", ""):
        raise RefusedFile(f"not a plain grey image ({colours}): a screen shot or a colour map")
    needed = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    missing = [keyword for keyword, count in needed.items() if len(read_numbers(elements, keyword)) != count]
    if missing:
        raise RefusedFile(f"its place in space is not recorded ({', '.join(missing)} missing)")
    if min(read_numbers(elements, "PixelSpacing")) <= 0:
        raise RefusedFile("its pixel spacing is not positive")


def _refuse_truncated(elements: Elements, syntax: UID, stream: BinaryIO) -> None:
    """Compare the bytes behind the header with what the header claims; nothing is allocated."""
    if syntax == DeflatedExplicitVRLittleEndian:
        return
    element_header = 8 if syntax.is_implicit_VR else 12
    found = max(os.fstat(stream.fileno()).st_size - stream.tell() - element_header, 0)
    expected = (
        read_whole(elements, "Rows")
        * read_whole(elements, "Columns")
        * math.ceil(read_whole(elements, "BitsAllocated", 16) / 8)
    )
    if found == 0:
        raise RefusedFile(f"its pixel data are missing: the file ends behind the header (0 of {expected} bytes)")
    if not syntax.is_compressed and found < expected:
        raise RefusedFile(f"its pixel data are truncated: {found} of {expected} bytes are there")


def _attributes(elements: Elements) -> SeriesAttributes:
    agent = read_text(elements, "ContrastBolusAgent")
    if not agent and (elements.get("ContrastBolusAgentSequence") or read_number(elements, "ContrastBolusVolume")):
        agent = "recorded"
    return SeriesAttributes(
        description=read_text(elements, "SeriesDescription"),
        protocol=read_text(elements, "ProtocolName"),
        image_type=read_texts(elements, "ImageType"),
        scanning_sequence=read_texts(elements, "ScanningSequence"),
        sequence_variant=read_texts(elements, "SequenceVariant"),
        repetition_time_ms=read_number(elements, "RepetitionTime"),
        echo_time_ms=read_number(elements, "EchoTime"),
        inversion_time_ms=read_number(elements, "InversionTime"),
        flip_angle_deg=read_number(elements, "FlipAngle"),
        b_value=read_number(elements, "DiffusionBValue"),
        angio=read_text(elements, "AngioFlag").upper() == "Y",
        contrast_agent=agent,
        body_part=read_text(elements, "BodyPartExamined"),
    )
