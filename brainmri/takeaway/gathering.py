"""Gather what the page of a case says from the study."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from brainmri import __version__
from brainmri.evaluation.case_verdicts import verdicts_on_case
from brainmri.evaluation.reading import read_predictions
from brainmri.evaluation.verdicts import Verdicts
from brainmri.explanation.contributions import SequenceContributions, read_contributions
from brainmri.review.findings import read_findings
from brainmri.review.identity import warn_of_identity
from brainmri.review.records import Finding
from brainmri.study import Study
from brainmri.takeaway.evidence import CaseEvidence, TestedByRun, read_evidence, read_tested
from brainmri.takeaway.pictures import as_png, draw_slice
from brainmri.takeaway.summary import CasePicture, CaseSummary, NetworkAgreement, ReviewedFinding
from brainmri.vocabulary import SEQUENCES

SOFTWARE = f"brainmri {__version__}"


def summarise_case(
    study: Study,
    run_id: str,
    case_id: str,
    *,
    evidence: CaseEvidence | None = None,
    verdicts: Verdicts | None = None,
) -> CaseSummary:
    """Return what the page of a case says, as one run saw it.

    Parameters
    ----------
    study : Study
    run_id, case_id : str
    evidence : CaseEvidence, optional
        Where it has been read already.
    verdicts : Verdicts, optional
        Of all finished runs of the experiment, where they have been read already.

    Raises
    ------
    StudyError
        Where there is no such case or run.
    EvaluationError
        Where the run has not finished, or did not test the case.
    IntakeError, ImagingError, ExplanationError
        Where volumes are missing or empty, or stored maps are damaged. Maps and contributions may be absent.
    """
    evidence = evidence or read_evidence(study, read_tested(study, run_id, case_id))
    tested = evidence.tested
    if verdicts is None:
        verdicts = _verdicts_of(study, tested.run.experiment_id)
    place = evidence.most_evidence()
    region = tested.slices[place].region
    return CaseSummary(
        case_id=tested.case.case_id,
        synthetic=tested.case.synthetic,
        experiment_id=tested.run.experiment_id,
        run_id=tested.run.run_id,
        architecture=tested.run.architecture,
        repeat=tested.run.repeat,
        repeats=tested.repeats,
        split_unit=tested.split_unit,
        classes=tested.classes,
        true_class=tested.true_class,
        predicted_class=tested.predicted_class,
        probabilities=tested.probabilities,
        seen=len(tested.slices),
        agreeing=sum(one.predicted_class == tested.predicted_class for one in tested.slices),
        agreement=_agreement(verdicts, tested.case.case_id),
        slice_index=region.slice_index,
        slices=evidence.volumes.arrays["T1c"].shape[0],
        pictures=_pictures(evidence, place),
        map_layer=evidence.maps.layer if evidence.maps else None,
        map_peak=_peak(evidence, place),
        contributions=_contributions(study, tested),
        findings=_findings(read_findings(study, tested.run.experiment_id, tested.case.case_id)),
        dataset_hash=tested.dataset.hash,
        software=SOFTWARE,
        made_on=datetime.now(UTC).date().isoformat(),
    )


def _verdicts_of(study: Study, experiment_id: str) -> Verdicts:
    from brainmri.evaluation.verdicts import verdicts_by_case  # noqa: PLC0415 - only without the page's own

    return verdicts_by_case(read_predictions(study, experiment_id))


def _agreement(verdicts: Verdicts, case_id: str) -> tuple[NetworkAgreement, ...]:
    found = verdicts_on_case(verdicts, case_id)
    return tuple(
        NetworkAgreement(
            architecture=name,
            right=sum(one.is_right for one in found.verdicts if one.architecture == name),
            tested=sum(one.architecture == name for one in found.verdicts),
        )
        for name in found.architectures
    )


def _pictures(evidence: CaseEvidence, place: int) -> tuple[CasePicture, ...]:
    chosen = evidence.tested.predicted_class
    has_map = evidence.map_of(place, chosen) is not None
    return tuple(
        CasePicture(
            sequence=name,
            plain=as_png(draw_slice(evidence, name, place)),
            mapped=as_png(draw_slice(evidence, name, place, class_index=chosen, enlarged=True)) if has_map else None,
        )
        for name in SEQUENCES
    )


def _peak(evidence: CaseEvidence, place: int) -> float:
    found = evidence.map_of(place, evidence.tested.predicted_class)
    if found is None or evidence.maps is None:
        return 0.0
    scale = evidence.maps.scales[evidence.tested.predicted_class]
    return float(np.max(found)) / scale if scale > 0 else 0.0


def _contributions(study: Study, tested: TestedByRun) -> SequenceContributions | None:
    stored = read_contributions(study, tested.run.run_id)
    samples = [one.sample_index for one in tested.slices]
    if stored is None or not stored.tested(samples):
        return None
    return stored.of(samples, tested.predicted_class)


def _findings(findings: Sequence[Finding]) -> tuple[ReviewedFinding, ...]:
    """Number the reviewers, and leave out notes that could name a patient."""
    return tuple(
        ReviewedFinding(
            reviewer=f"Reviewer {number}",
            verdict=one.verdict,
            difficulty=one.difficulty,
            note="" if warn_of_identity(one.note) else one.note,
            withheld=warn_of_identity(one.note) is not None,
            bookmarked=one.bookmarked,
        )
        for number, one in enumerate(findings, start=1)
    )
