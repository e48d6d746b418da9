"""Maps as DICOM: their values as a parametric map on the slices, and coloured pictures as secondary capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian

from brainmri.takeaway.dicom_identity import BODY_PART, MANUFACTURER, DicomIdentity, add_patient_and_study, equipment
from brainmri.takeaway.evidence import CaseEvidence
from brainmri.takeaway.pictures import draw_slice
from brainmri.vocabulary import display_diagnosis

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CAPTURE_PX: Final = 512
"""Width of a coloured picture."""

MAP_SERIES: Final = 11
"""Series number of the first map; MR series have 1 to 3."""

CAPTURE_SERIES: Final = 21
_LEVELS: Final = 65535
_LABEL_LENGTH: Final = 64


def make_parametric_map(evidence: CaseEvidence, class_index: int, sources: list[Dataset]) -> Dataset:
    """Return the map for one class over the slices that the network saw, in the maps' own unit.

    Values are stored as whole numbers with a slope, which every archive can show; 0 lies outside the squares, and where
    there is no evidence for the class. The window ends where the dashboard's colours end.

    Parameters
    ----------
    evidence : CaseEvidence
        With maps.
    class_index : int
    sources : list of Dataset
        The MR images of the T1c, from inferior to superior.
    """
    import highdicom as hd  # noqa: PLC0415 - 0.3 s that pages do not need
    from pydicom.sr.codedict import codes  # noqa: PLC0415
    from pydicom.sr.coding import Code  # noqa: PLC0415

    tested = evidence.tested
    identity = DicomIdentity.of(tested.case)
    name = tested.classes[class_index]
    values = _map_volume(evidence, class_index, sources)
    peak = max(float(values.max()), 1e-12)
    scale = evidence.maps.scales[class_index] if evidence.maps else 0.0
    window = min(max(scale, 1e-12) / peak * _LEVELS, 1e6)
    stored = np.round(values / peak * _LEVELS).astype(np.uint16)
    parts = ("gradcam", tested.run.run_id, name, hash_of(stored))
    mapping = hd.pm.RealWorldValueMapping(
        lut_label="GRADCAM",
        lut_explanation=f"Grad-CAM for {display_diagnosis(name)}"[:_LABEL_LENGTH],
        unit=codes.UCUM.NoUnits,
        value_range=(0, _LEVELS),
        slope=peak / _LEVELS,
        intercept=0.0,
        quantity_definition=Code("130403", "DCM", "Gradient-weighted class activation"),
    )
    made = hd.pm.ParametricMap(
        source_images=sources,
        pixel_array=stored,
        series_instance_uid=identity.uid(*parts, "series"),
        series_number=MAP_SERIES + class_index,
        sop_instance_uid=identity.uid(*parts),
        instance_number=1,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=window / 2, window_width=window)],
        content_label="GRADCAM",
        content_description="One map of T1, T2 and T1c together; 0 outside the square"[:_LABEL_LENGTH],
        series_description=f"Grad-CAM for {display_diagnosis(name)}"[:_LABEL_LENGTH],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(),
    )
    add_patient_and_study(made, identity)
    made.BodyPartExamined = BODY_PART
    return made


def make_captures(evidence: CaseEvidence, class_index: int) -> list[Dataset]:
    """Return one coloured picture for each slice that the network saw: the map over the T1c, the square outlined."""
    import highdicom as hd  # noqa: PLC0415 - see above

    tested = evidence.tested
    identity = DicomIdentity.of(tested.case)
    name = display_diagnosis(tested.classes[class_index])
    made: list[Dataset] = []
    for place, one in enumerate(tested.slices):
        picture = draw_slice(evidence, "T1c", place, class_index=class_index, width_px=CAPTURE_PX)
        parts = ("capture", tested.run.run_id, name, one.sample_index, hash_of(picture))
        capture = hd.sc.SCImage(
            pixel_array=picture,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("L", "P"),
            study_instance_uid=identity.study_uid,
            series_instance_uid=identity.uid("captures", tested.run.run_id, name),
            series_number=CAPTURE_SERIES,
            sop_instance_uid=identity.uid(*parts),
            instance_number=one.region.slice_index + 1,
            manufacturer=MANUFACTURER,
            patient_id=identity.case_id,
            patient_name=identity.patient_name,
            series_description=f"Grad-CAM for {name} over T1c"[:_LABEL_LENGTH],
            transfer_syntax_uid=ExplicitVRLittleEndian,
        )
        add_patient_and_study(capture, identity)
        capture.BodyPartExamined = BODY_PART
        made.append(capture)
    return made


def hash_of(array: Any) -> str:
    """Return a hash of an array: objects of another content get another identifier."""
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _map_volume(evidence: CaseEvidence, class_index: int, sources: list[Dataset]) -> np.ndarray:
    """Return the map on the slices of the sources, shape (S, R, C): the maximum where squares overlap."""
    place_of = {int(image.InstanceNumber) - 1: place for place, image in enumerate(sources)}
    volume = np.zeros((len(sources), int(sources[0].Rows), int(sources[0].Columns)), np.float32)
    for place, one in enumerate(evidence.tested.slices):
        found = evidence.map_on_grid(place, class_index)
        if found is not None:
            target = volume[place_of[one.region.slice_index]]
            np.maximum(target, found, out=target)
    return volume
