"""What all DICOM objects of a case share: its pseudonym in place of a patient, and identifiers that stay the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from brainmri import __version__
from brainmri.intake.records import Case
from brainmri.takeaway.summary import PURPOSE

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MANUFACTURER: Final = "brainmri"
MODEL: Final = "brainmri case take-away"
BODY_PART: Final = "BRAIN"
DEIDENTIFIED: Final = "brainmri: only listed technical attributes were kept"
"""Method of de-identification, up to 64 characters."""


@dataclass(frozen=True)
class DicomIdentity:
    """Identifiers of a case's objects, derived from the content of its images.

    The same case always gets the same study, so that what is taken away of several runs comes together in an archive.

    Parameters
    ----------
    case_id : str
        Stands for the patient's name and number.
    digest : str
        sha256 of the case's voxels.
    """

    case_id: str
    digest: str

    @classmethod
    def of(cls, case: Case) -> DicomIdentity:
        """Return the identity of a case."""
        return cls(case.case_id, case.content_digest)

    def uid(self, *parts: object) -> str:
        """Return the unique identifier of what the parts name, such as ``("T1c", 12)``; the same ones every time."""
        from pydicom.uid import generate_uid  # noqa: PLC0415 - 0.1 s that a page may not need

        return generate_uid(entropy_srcs=["brainmri", self.case_id, self.digest, *map(str, parts)])

    @property
    def patient_name(self) -> str:
        """The pseudonym as a name of one part (PS3.5 6.2.1.1)."""
        return f"{self.case_id}^"

    @property
    def study_uid(self) -> str:
        """Study Instance UID of all objects."""
        return self.uid("study")

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID of the case's grid."""
        return self.uid("frame of reference")


def add_patient_and_study(dataset: Dataset, identity: DicomIdentity) -> None:
    """Fill the patient and study modules: the pseudonym, and nothing else of a person.

    References
    ----------
    DICOM PS3.3 C.7.1.1 and C.7.2.1; what says that identity was removed, PS3.15 E.1.1.
    """
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = identity.patient_name
    dataset.PatientID = identity.case_id
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = identity.study_uid
    dataset.StudyDate = dataset.StudyTime = dataset.StudyID = dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    mark_deidentified(dataset)


def mark_deidentified(dataset: Dataset) -> None:
    """Say in an object that it holds no identity, and what it is for."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = DEIDENTIFIED
    dataset.StudyDescription = PURPOSE


def equipment() -> dict[str, Any]:
    """Return the equipment attributes that highdicom's constructors take."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL,
        "software_versions": __version__,
        "device_serial_number": "none",
    }
