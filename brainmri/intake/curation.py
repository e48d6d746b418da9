"""Corrections of a case by a person: its diagnosis, and whether it takes part. The next data set will have them."""

from __future__ import annotations

from typing import Final

from brainmri.errors import IntakeError, UsageError
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.vocabulary import normalise_diagnosis

MAXIMUM_REASON: Final = 200
"""Characters of a reason for an exclusion."""

_MAXIMUM_DIAGNOSIS: Final = 60


def set_diagnosis(study: Study, case_id: str, diagnosis: str | None) -> None:
    """Change the diagnosis of a case.

    Parameters
    ----------
    study : Study
    case_id : str
    diagnosis : str or None
        Any spelling; None, or nothing but spaces, takes the label away.

    Raises
    ------
    IntakeError
        Where there is no such case.
    UsageError
        Where the words are too long to be a diagnosis.
    """
    words = normalise_diagnosis(diagnosis or "") or None
    if words is not None and len(words) > _MAXIMUM_DIAGNOSIS:
        raise UsageError(
            f"The diagnosis of {case_id} has {len(words)} characters; expected a name of up to {_MAXIMUM_DIAGNOSIS}."
        )
    with study.session() as session:
        _find(study, session.get(Case, case_id), case_id).diagnosis = words


def set_excluded(study: Study, case_id: str, reason: str | None) -> None:
    """Leave a case out of the next data sets, or take it back.

    Parameters
    ----------
    study : Study
    case_id : str
    reason : str or None
        Why it is left out; None includes it again.

    Raises
    ------
    IntakeError
        Where there is no such case.
    UsageError
        Where the reason is empty or longer than `MAXIMUM_REASON`.
    """
    words = None if reason is None else " ".join(reason.split())
    if words is not None and not 0 < len(words) <= MAXIMUM_REASON:
        raise UsageError(
            f"The reason for leaving out {case_id} has {len(words)} characters; expected a few words, "
            f"up to {MAXIMUM_REASON} characters."
        )
    with study.session() as session:
        case = _find(study, session.get(Case, case_id), case_id)
        case.excluded, case.exclusion_reason = words is not None, words


def _find(study: Study, case: Case | None, case_id: str) -> Case:
    if case is None:
        raise IntakeError(f"The study {study.folder} has no case '{case_id}'. Choose one of the list.")
    return case
