"""The verdict as a DICOM structured report: TID 1500, with one group for each diagnosis and its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydicom.uid import ExplicitVRLittleEndian

from brainmri.takeaway.codes import SCHEME, diagnosis_code, own_code
from brainmri.takeaway.dicom_identity import MANUFACTURER, DicomIdentity, add_patient_and_study, equipment
from brainmri.takeaway.summary import PURPOSE, CaseSummary

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from brainmri.intake.records import Case

REPORT_SERIES: Final = 31
_SCHEME_NAME: Final = "brainmri: concepts of the case take-away"


def make_report(case: Case, summary: CaseSummary, evidence: list[Dataset], shown: list[Dataset]) -> Dataset:
    """Return what the network says of a case as a Comprehensive SR.

    Notes of reviewers are not in it: a report in an archive is hard to take back.

    Parameters
    ----------
    case : Case
    summary : CaseSummary
    evidence : list of Dataset
        All objects that the report belongs to.
    shown : list of Dataset
        The MR images that the network judged.

    References
    ----------
    DICOM PS3.16 TID 1500, Measurement Report, and TID 1501, Measurement and Qualitative Evaluation Group.
    """
    import highdicom as hd  # noqa: PLC0415 - 0.3 s that pages do not need
    from highdicom.coding_schemes import CodingSchemeIdentificationItem  # noqa: PLC0415
    from pydicom.sr.codedict import codes  # noqa: PLC0415
    from pydicom.sr.coding import Code  # noqa: PLC0415

    identity = DicomIdentity.of(case)
    parts = ("verdict", summary.run_id, summary.software, repr(summary.probabilities), repr(summary.agreement))
    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=identity.uid("device", summary.run_id),
            name=summary.run_id,
            manufacturer_name=MANUFACTURER,
            model_name=summary.network,
        ),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=Code("24590-2", "LN", "MR Brain"),
        imaging_measurements=_groups(identity, summary, shown),
    )
    report = hd.sr.ComprehensiveSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=identity.uid(*parts, "series"),
        series_number=REPORT_SERIES,
        sop_instance_uid=identity.uid(*parts),
        instance_number=1,
        is_complete=True,
        is_final=False,
        is_verified=False,
        series_description=f"Verdict of {summary.network}",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        coding_schemes=[CodingSchemeIdentificationItem(designator=SCHEME, name=_SCHEME_NAME)],
        **equipment(),
    )
    add_patient_and_study(report, identity)
    return report


def _groups(identity: DicomIdentity, summary: CaseSummary, shown: list[Dataset]) -> list[Any]:
    """Return the group of the verdict, and one for each diagnosis with its probability."""
    import highdicom as hd  # noqa: PLC0415 - see above
    from pydicom.sr.codedict import codes  # noqa: PLC0415

    algorithm = hd.sr.AlgorithmIdentification(
        name=summary.network,
        version=summary.software,
        manufacturer=MANUFACTURER,
        parameters=[f"run {summary.run_id}", f"data set {summary.dataset_hash}"],
    )
    sources = [hd.sr.SourceImageForMeasurementGroup(one.SOPClassUID, one.SOPInstanceUID) for one in shown]
    verdict = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(identity, summary, "verdict"),
        finding_type=codes.SCT.Neoplasm,
        finding_sites=[hd.sr.FindingSite(anatomic_location=codes.SCT.Brain)],
        algorithm_id=algorithm,
        measurements=[
            hd.sr.Measurement(name=own_code(name), value=value, unit=codes.UCUM.NoUnits)
            for name, value in _counts(summary).items()
        ],
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(own_code("verdict"), diagnosis_code(summary.classes[summary.predicted_class])),
            hd.sr.QualitativeEvaluation(own_code("pathology"), diagnosis_code(summary.classes[summary.true_class])),
        ],
        source_images=sources,
    )
    words = f"{PURPOSE} {summary.describe_verdict()} {summary.describe_agreement()} {summary.describe_split()}"
    verdict[0].ContentSequence.append(
        hd.sr.TextContentItem(name=codes.DCM.Comment, value=words, relationship_type="CONTAINS")
    )
    probabilities = [
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=_tracking(identity, summary, name),
            finding_type=diagnosis_code(name),
            algorithm_id=algorithm,
            measurements=[hd.sr.Measurement(name=codes.DCM.Probability, value=share, unit=codes.UCUM.NoUnits)],
        )
        for name, share in zip(summary.classes, summary.probabilities, strict=True)
    ]
    return [verdict, *probabilities]


def _counts(summary: CaseSummary) -> dict[str, int]:
    return {
        "slices": summary.seen,
        "agreeing": summary.agreeing,
        "runs": sum(one.tested for one in summary.agreement),
        "right-runs": sum(one.right for one in summary.agreement),
    }


def _tracking(identity: DicomIdentity, summary: CaseSummary, name: str) -> Any:
    import highdicom as hd  # noqa: PLC0415 - see above

    return hd.sr.TrackingIdentifier(identifier=name, uid=identity.uid("finding", summary.run_id, name))
