"""All DICOM objects of a case: slices, maps, pictures and the report, as files of a folder or of a zip file."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from brainmri.errors import UsageError
from brainmri.takeaway.evidence import CaseEvidence
from brainmri.takeaway.summary import CaseSummary

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NEEDED: Final = (0, 28)
"""Version of highdicom: earlier ones take the window of a parametric map otherwise."""

INSTALL: Final = (
    "DICOM objects need the library highdicom, version 0.28 or newer, which is not installed: "
    "pip install -r requirements-takeaway.txt."
)
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold: when it was made is nobody's business


def has_highdicom() -> bool:
    """Return whether the library is installed and new enough, without importing it."""
    try:
        numbers = re.findall(r"\d+", version("highdicom"))
    except PackageNotFoundError:
        return False
    return tuple(map(int, numbers[:2])) >= NEEDED


def make_objects(evidence: CaseEvidence, summary: CaseSummary) -> dict[str, Dataset]:
    """Return the DICOM objects of a case under their file names.

    The slices that the network saw, of all three sequences; where the run has maps, those for the verdict (and, where
    it is wrong, for the pathology) as values and as coloured pictures; the verdict as a structured report.

    Raises
    ------
    UsageError
        Where highdicom is not installed, or too old.
    """
    if not has_highdicom():
        raise UsageError(INSTALL)
    from brainmri.takeaway.map_objects import make_captures, make_parametric_map  # noqa: PLC0415 - pydicom
    from brainmri.takeaway.mr_series import make_mr_series  # noqa: PLC0415
    from brainmri.takeaway.verdict_report import make_report  # noqa: PLC0415

    tested = evidence.tested
    series = make_mr_series(evidence)
    objects = {f"{name}/slice-{image.InstanceNumber:03d}.dcm": image for name in series for image in series[name]}
    shown = list(objects.values())
    if any(evidence.map_of(place, tested.predicted_class) is not None for place in range(len(tested.slices))):
        for class_index in sorted({tested.predicted_class, tested.true_class}):
            made = make_parametric_map(evidence, class_index, series["T1c"])
            objects[f"maps/gradcam-class-{class_index + 1}.dcm"] = made
        for number, capture in enumerate(make_captures(evidence, tested.predicted_class), start=1):
            objects[f"pictures/picture-{number:03d}.dcm"] = capture
    objects["verdict.dcm"] = make_report(tested.case, summary, list(objects.values()), shown)
    return objects


def encode(dataset: Dataset) -> bytes:
    """Return an object as a DICOM file."""
    from pydicom import dcmwrite  # noqa: PLC0415 - 0.1 s that a page may not need

    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def zip_objects(objects: dict[str, Dataset], folder: str) -> bytes:
    """Return objects as a zip file.

    Parameters
    ----------
    objects : dict of str to Dataset
    folder : str
        Name of the one folder in it.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, dataset in objects.items():
            info = zipfile.ZipInfo(f"{folder}/{name}", date_time=_ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, encode(dataset), compresslevel=1)
    return stream.getvalue()
