"""Write small DICOM series for tests, with an identity to be left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

T1 = {"SeriesDescription": "AX T1", "RepetitionTime": 500, "EchoTime": 12}
T2 = {"SeriesDescription": "AX T2", "RepetitionTime": 4000, "EchoTime": 95}
T1C = {"SeriesDescription": "AX T1 POST", "RepetitionTime": 520, "EchoTime": 12, "ContrastBolusAgent": "GADOVIST"}
SEQUENCES = {"T1": T1, "T2": T2, "T1c": T1C}


@dataclass
class Person:
    """The identity that a header carries."""

    patient_id: str = "PID-774411"
    name: str = "Wolkenstein^Agathe"
    birth_date: str = "19510623"
    study_date: str = "20190412"
    study_uid: str = field(default_factory=generate_uid)
    frame_of_reference: str = field(default_factory=generate_uid)

    def header(self) -> dict[str, Any]:
        return {
            "PatientID": self.patient_id,
            "PatientName": self.name,
            "PatientSex": "F",
            "PatientBirthDate": self.birth_date,
            "StudyDate": self.study_date,
            "StudyTime": "101500",
            "StudyID": "771",
            "AccessionNumber": "ACC9988776",
            "ReferringPhysicianName": "Quacksalber^Otto",
            "OperatorsName": "Zyskowski",
            "InstitutionName": "Klinikum Nirgendwo",
            "StudyInstanceUID": self.study_uid,
            "FrameOfReferenceUID": self.frame_of_reference,
        }

    def words(self) -> list[str]:
        """Return what must not be found in a study."""
        words = ["774411", "Wolkenstein", "Agathe", "19510623", "1951-06-23", "9988776", "Quacksalber", "Zyskowski"]
        return [*words, "Nirgendwo", self.study_uid, self.frame_of_reference, "20190412"]


def volume(
    shape: tuple[int, int, int] = (6, 24, 20),
    *,
    seed: int = 0,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 5.0),
    origin_mm: tuple[float, float, float] = (-10.0, -12.0, -15.0),
    tilt_deg: float = 0.0,
) -> sitk.Image:
    """Return smooth noise of shape (slices, rows, columns), int16, tilted about the left-right axis."""
    noise = np.random.default_rng(seed).normal(0, 1, shape)
    image = sitk.GetImageFromArray(noise)
    smooth = sitk.GetArrayFromImage(sitk.DiscreteGaussian(image, 2.0))
    scaled = sitk.GetImageFromArray(np.rint(200 + 400 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.int16))
    angle = np.deg2rad(tilt_deg)
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    scaled.SetDirection([1, 0, 0, 0, cosine, -sine, 0, sine, cosine])
    scaled.SetSpacing(spacing_mm)
    scaled.SetOrigin(origin_mm)
    return scaled


def write_series(
    image: sitk.Image, folder: Path, person: Person | None = None, *, name: str = "{index:04d}.dcm", **header: Any
) -> list[Path]:
    """Write a volume as one series of MR images, one file a slice.

    Parameters
    ----------
    image : SimpleITK.Image
        int16.
    folder : Path
    person : Person, optional
    name : str
        Pattern of the file names.
    **header
        Further attributes of every slice, by keyword.
    """
    folder.mkdir(parents=True, exist_ok=True)
    common = {**(person or Person()).header(), "SeriesInstanceUID": generate_uid(), "Modality": "MR", **header}
    directions = np.array(image.GetDirection()).reshape(3, 3)
    spacing = image.GetSpacing()
    paths = []
    for index, pixels in enumerate(sitk.GetArrayFromImage(image)):
        position = image.TransformIndexToPhysicalPoint((0, 0, index))
        geometry = {
            "ImagePositionPatient": [round(value, 6) for value in position],
            "ImageOrientationPatient": [round(value, 6) for value in (*directions[:, 0], *directions[:, 1])],
            "PixelSpacing": [round(spacing[1], 6), round(spacing[0], 6)],
            "SliceThickness": round(spacing[2], 6),
        }
        path = folder / name.format(index=index)
        write_slice(path, pixels, **{**geometry, "InstanceNumber": index + 1, **common})
        paths.append(path)
    return paths


def write_slice(path: Path, pixels: np.ndarray, **header: Any) -> Path:
    """Write one MR image."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    image = {"Rows": pixels.shape[0], "Columns": pixels.shape[1], "SamplesPerPixel": 1, "PixelRepresentation": 1}
    grey = {"PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
    for keyword, value in {**image, **grey, "PixelData": pixels.astype("<i2").tobytes(), **header}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_patient(folder: Path, person: Person | None = None, *, seed: int = 0, **sequences: dict[str, Any]) -> Person:
    """Write T1, T2 and T1c of a patient, each in a folder of its own; further or fewer by keyword."""
    person = person or Person()
    for index, (name, header) in enumerate((sequences or SEQUENCES).items()):
        write_series(volume(seed=seed * 10 + index), folder / f"series-{index}-{name}", person, **header)
    return person
