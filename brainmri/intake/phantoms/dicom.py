"""Phantom series as DICOM files, as an archive would export them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from brainmri import __version__
from brainmri.intake.phantoms import PHANTOM_MANUFACTURER
from brainmri.intake.phantoms.scanner import Contrast, Geometry, Scanner

DESCRIPTIONS: Final = {
    # one row a habit; the last leaves T1 and T1c to the contrast attribute
    "T1": ("T1 SE TRA", "Ax T1", "t1_se_tra", "AX SE"),
    "T2": ("T2 TSE TRA", "AX T2 TSE", "t2_tse_tra_512", "AX FSE"),
    "T1c": ("T1 SE TRA +C", "Ax T1 post Gd", "t1_se_tra_km", "AX SE"),
    "FLAIR": ("FLAIR TRA", "AX T2 FLAIR", "t2_tirm_tra_dark-fluid", "AX FLAIR"),
}
"""What technologists call a series, by habit."""


@dataclass(frozen=True)
class PhantomIdentity:
    """Invented personal data, there to be removed by the intake."""

    patient_id: str
    name: str
    birth_date: str
    sex: str
    age: int
    study_date: str
    accession: str


@dataclass(frozen=True)
class SeriesFiles:
    """One series in memory: its datasets from inferior to superior."""

    sequence: str
    datasets: list[FileDataset]


def make_series(
    pixels: NDArray[np.uint16],
    *,
    sequence: str,
    number: int,
    identity: PhantomIdentity,
    scanner: Scanner,
    geometry: Geometry,
    contrast: Contrast,
    seed: str,
) -> SeriesFiles:
    """Return a series as DICOM datasets.

    Parameters
    ----------
    pixels : ndarray, shape (slices, rows, columns), uint16
    sequence : str
        ``T1``, ``T2``, ``T1c`` or ``FLAIR``.
    number : int
        Series number.
    identity, scanner, geometry, contrast
        What the headers tell.
    seed : str
        Of the UIDs: the same seed gives the same ones.
    """
    series = _series_attributes(sequence, number, identity, scanner, geometry, contrast, seed)
    datasets = [
        _instance(pixels[index], index, series, geometry, f"{seed}/{sequence}/{index}") for index in range(len(pixels))
    ]
    return SeriesFiles(sequence, datasets)


def uid(*words: str) -> str:
    """Return a UID that depends on the words alone."""
    return str(generate_uid(entropy_srcs=["brainmri phantom", *words]))


def _series_attributes(
    sequence: str,
    number: int,
    identity: PhantomIdentity,
    scanner: Scanner,
    geometry: Geometry,
    contrast: Contrast,
    seed: str,
) -> dict[str, Any]:
    """Return what all images of a series share."""
    attributes: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "StudyDate": identity.study_date,
        "SeriesDate": identity.study_date,
        "StudyTime": "101500",
        "SeriesTime": f"10{15 + 4 * number:02d}00",
        "AccessionNumber": identity.accession,
        "Modality": "MR",
        "Manufacturer": PHANTOM_MANUFACTURER,
        "ManufacturerModelName": scanner.model,
        "InstitutionName": "Hospital that is not there",
        "ReferringPhysicianName": "Invented^Referrer",
        "StudyDescription": "Brain MRI",
        "SeriesDescription": DESCRIPTIONS[sequence][scanner.habit],
        "PatientName": identity.name,
        "PatientID": identity.patient_id,
        "PatientBirthDate": identity.birth_date,
        "PatientSex": identity.sex,
        "PatientAge": f"{identity.age:03d}Y",
        "PatientAddress": "1 Invented Street",
        "ScanningSequence": ["SE", "IR"] if sequence == "FLAIR" else "SE",
        "SequenceVariant": "SK",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "SoftwareVersions": f"brainmri {__version__}",
        "SliceThickness": geometry.slice_thickness_mm,
        "RepetitionTime": contrast.repetition_time_ms,
        "EchoTime": contrast.echo_time_ms,
        "MagneticFieldStrength": scanner.field_strength_t,
        "SpacingBetweenSlices": geometry.slice_distance_mm,
        "EchoTrainLength": 1 if sequence in ("T1", "T1c") else 15,
        "FlipAngle": 90.0,
        "PatientPosition": "HFS",
        "StudyInstanceUID": uid(seed, "study"),
        "SeriesInstanceUID": uid(seed, sequence),
        "FrameOfReferenceUID": uid(seed, "frame"),
        "StudyID": "1",
        "SeriesNumber": number,
        "AcquisitionNumber": 1,
    }
    if sequence == "T1c":
        attributes["ContrastBolusAgent"] = "Gd-DOTA"
    if sequence == "FLAIR":
        attributes["InversionTime"] = 2500.0
    return attributes


def _instance(
    pixels: NDArray[np.uint16], index: int, series: dict[str, Any], geometry: Geometry, seed: str
) -> FileDataset:
    """Return one image."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid(seed))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in series.items():
        setattr(dataset, keyword, value)
    direction = np.array(geometry.direction).reshape(3, 3)
    position = np.array(geometry.origin_mm) + index * geometry.slice_distance_mm * direction[:, 2]
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = [round(float(value), 5) for value in position]
    dataset.ImageOrientationPatient = [round(float(value), 8) for value in (*direction[:, 0], *direction[:, 1])]
    dataset.PixelSpacing = [geometry.pixel_mm, geometry.pixel_mm]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 500.0, 1000.0
    dataset.PixelData = pixels.astype("<u2").tobytes()
    return dataset


def make_segmentation(mask: NDArray[np.uint8], source: SeriesFiles, *, number: int, seed: str) -> Dataset:
    """Return the tumour as a DICOM Segmentation that refers to a series.

    Parameters
    ----------
    mask : ndarray, shape (slices, rows, columns), 0 or 1
        On the grid of the series.
    source : SeriesFiles
    number : int
        Series number.
    seed : str
        Of the UIDs.
    """
    from highdicom import AlgorithmIdentificationSequence  # noqa: PLC0415 - half a second that only this needs
    from highdicom.seg import (  # noqa: PLC0415
        SegmentAlgorithmTypeValues,
        Segmentation,
        SegmentationTypeValues,
        SegmentDescription,
    )
    from pydicom.sr.codedict import codes  # noqa: PLC0415

    description = SegmentDescription(
        segment_number=1,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name="brainmri phantom", version=__version__, family=codes.DCM.MorphologicalOperations
        ),
    )
    return Segmentation(
        source_images=source.datasets,
        pixel_array=mask,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=uid(seed, "segmentation series"),
        series_number=number,
        sop_instance_uid=uid(seed, "segmentation"),
        instance_number=1,
        manufacturer=PHANTOM_MANUFACTURER,
        manufacturer_model_name="tumour mask",
        software_versions=__version__,
        device_serial_number="0",
        omit_empty_frames=True,
    )


def write(dataset: Dataset, path: Path) -> None:
    """Write a dataset as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
