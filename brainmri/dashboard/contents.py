"""What the study holds, in numbers, and what to do next: for the overview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from brainmri.dashboard.formatting import format_count
from brainmri.imaging.records import Dataset, Region, Sample
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.training.monitor import ExperimentSummary, list_experiments
from brainmri.vocabulary import DIAGNOSES, TRAINED_DIAGNOSES, display_diagnosis

if TYPE_CHECKING:  # numpy, which the first page of an empty study does without
    from brainmri.evaluation.predictions import CaseRow

CASES_PAGE = "pages/cases.py"
TRAINING_PAGE = "pages/training.py"
REVIEW_PAGE = "pages/review.py"


@dataclass(frozen=True, kw_only=True)
class StudyContents:
    """What the study holds.

    Parameters
    ----------
    cases : int
        All cases, with those that are left out.
    by_diagnosis : dict of str or None to int
        Cases that take part; the known diagnoses first, then others, None (not labelled) last.
    excluded, unlabelled, without_region : int
        Cases left out; cases without a diagnosis; cases of a trained diagnosis without mask or region.
    phantoms : int
    dataset : Dataset or None
        The newest.
    dataset_is_current : bool
        Whether it holds the cases with the diagnoses that they have now.
    experiments : tuple of ExperimentSummary
        The newest first.
    """

    cases: int
    by_diagnosis: dict[str | None, int]
    excluded: int
    unlabelled: int
    without_region: int
    phantoms: int
    dataset: Dataset | None
    dataset_is_current: bool
    experiments: tuple[ExperimentSummary, ...]

    @property
    def newest_result(self) -> ExperimentSummary | None:
        """The newest experiment with a finished run."""
        return next((one for one in self.experiments if one.finished), None)


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """Something to do, and the page on which to do it."""

    text: str
    page: str
    label: str
    icon: str
    choice: dict[str, str] = field(default_factory=dict)
    """What the address of the page carries."""


def read_contents(study: Study) -> StudyContents:
    """Return what the study holds."""
    with study.session() as session:
        cases = list(session.scalars(select(Case).order_by(Case.case_id)))
        drawn = set(session.scalars(select(Region.case_id).where(Region.superseded_at.is_(None))))
        dataset = session.scalars(select(Dataset).order_by(Dataset.created_at.desc())).first()
        frozen = _frozen_diagnoses(session, dataset) if dataset else {}
    active = [case for case in cases if not case.excluded]
    usable = [case for case in active if case.has_mask or case.case_id in drawn]
    classes = dataset.classes if dataset else TRAINED_DIAGNOSES
    return StudyContents(
        cases=len(cases),
        by_diagnosis=_ordered(Counter(case.diagnosis for case in active)),
        excluded=len(cases) - len(active),
        unlabelled=sum(case.diagnosis is None for case in active),
        without_region=sum(case.diagnosis in TRAINED_DIAGNOSES for case in active)
        - sum(case.diagnosis in TRAINED_DIAGNOSES for case in usable),
        phantoms=sum(case.synthetic for case in cases),
        dataset=dataset,
        dataset_is_current=frozen == {case.case_id: case.diagnosis for case in usable if case.diagnosis in classes},
        experiments=tuple(list_experiments(study)),
    )


def next_steps(contents: StudyContents, errors: Sequence[CaseRow] = ()) -> list[NextStep]:
    """Return what is worth doing now, the most useful first.

    Parameters
    ----------
    contents : StudyContents
    errors : sequence of CaseRow
        Cases that the newest results have wrong, the hardest first.
    """
    steps = []
    interrupted = [one for one in contents.experiments if one.status == "interrupted"]
    if interrupted:
        steps.append(
            NextStep(
                text=f"Training of {interrupted[0].experiment_id} was interrupted and can go on.",
                page=TRAINING_PAGE,
                label="Continue",
                icon=":material/play_circle:",
            )
        )
    if contents.unlabelled:
        has = "has" if contents.unlabelled == 1 else "have"
        steps.append(_at_cases(f"{format_count(contents.unlabelled, 'case')} {has} no diagnosis.", "Label them"))
    if contents.without_region:
        has = "has" if contents.without_region == 1 else "have"
        text = f"{format_count(contents.without_region, 'case')} {has} no tumour mask, so training leaves them out."
        steps.append(_at_cases(text, "See which"))
    missing = [name for name in TRAINED_DIAGNOSES if not contents.by_diagnosis.get(name)]
    if missing:
        names = ", ".join(display_diagnosis(name) for name in missing)
        steps.append(_at_cases(f"Training needs cases of every diagnosis; there is none of {names}.", "Import"))
    elif not contents.experiments:
        steps.append(_train("No network has been trained yet.", "Train"))
    elif not contents.dataset_is_current:
        steps.append(_train("The cases have changed since the last training.", "Train again"))
    if errors:
        steps.append(
            NextStep(
                text=f"{format_count(len(errors), 'case')} classified wrongly at least once.",
                page=REVIEW_PAGE,
                label="Review the hardest",
                icon=":material/frame_inspect:",
                choice={"case": errors[0].case_id, "run": errors[0].example_run_id},
            )
        )
    return steps


def _at_cases(text: str, label: str) -> NextStep:
    return NextStep(text=text, page=CASES_PAGE, label=label, icon=":material/folder_shared:")


def _train(text: str, label: str) -> NextStep:
    return NextStep(text=text, page=TRAINING_PAGE, label=label, icon=":material/model_training:")


def _ordered(counts: Counter[str | None]) -> dict[str | None, int]:
    others = sorted(name for name in counts if name is not None and name not in DIAGNOSES)
    return {name: counts[name] for name in (*DIAGNOSES, *others, None) if counts[name]}


def _frozen_diagnoses(session: Session, dataset: Dataset) -> dict[str, str]:
    query = select(Sample.case_id, Sample.diagnosis).where(Sample.dataset_hash == dataset.hash).distinct()
    return {row.case_id: row.diagnosis for row in session.execute(query)}
