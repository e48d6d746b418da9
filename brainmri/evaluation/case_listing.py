"""Hard cases as rows of a table: which are shown, and what is said of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from brainmri.evaluation.difficulty import CaseErrors, CaseRow, Difficulty
from brainmri.evaluation.label_errors import SECOND_LOOK, CaseLabel
from brainmri.evaluation.summary import OPEN
from brainmri.evaluation.wording import format_share
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

NO_CASE: Final = "No case is like this. Take a filter away."


def filter_cases(
    rows: Sequence[CaseRow],
    *,
    kinds: Collection[Difficulty] = (),
    diagnoses: Collection[str] = (),
    text: str = "",
    among: Collection[str] | None = None,
) -> tuple[CaseRow, ...]:
    """Return the cases that pass every filter, in the order in which they came; an empty filter lets all pass.

    Parameters
    ----------
    rows : sequence of CaseRow
    kinds : collection of str
    diagnoses : collection of str
        True ones.
    text : str
        Part of a case's name, in any case.
    among : collection of str, optional
        Names of the only cases to keep.
    """
    wanted = text.strip().casefold()
    return tuple(
        row
        for row in rows
        if (not kinds or row.difficulty in kinds)
        and (not diagnoses or row.diagnosis in diagnoses)
        and wanted in row.case_id.casefold()
        and (among is None or row.case_id in among)
    )


def case_rows(rows: Sequence[CaseRow], labels: Mapping[str, CaseLabel]) -> list[dict[str, Any]]:
    """Return one row for each case; shares in per cent.

    Parameters
    ----------
    rows : sequence of CaseRow
    labels : mapping of str to CaseLabel
        By case.
    """
    return [_case_row(row, labels.get(row.case_id)) for row in rows]


def describe_label(label: CaseLabel | None) -> str | None:
    """Return ``PCNSL? 68 %``, or None where the label is not suspected."""
    if label is None or label.suggested is None:
        return None
    return f"{display_diagnosis(label.suggested)}? {format_share(label.suggested_confidence, digits=0)}"


def describe_suspected(labels: Sequence[CaseLabel]) -> str:
    """Say how many labels are suspected among how many tested cases."""
    found = sum(label.suspected for label in labels)
    if not found:
        return f"The networks confidently contradict none of the labels of {len(labels)} tested cases."
    are = "is" if found == 1 else "are"
    return (
        f"{found} of {len(labels)} labels {are} {SECOND_LOOK}: networks that had not seen the case are confident of "
        "another diagnosis. That does not make the label wrong."
    )


def describe_architecture(part: CaseErrors) -> str | None:
    """Return ``2 of 3``, wrong among the runs that tested the case; None where none did."""
    return f"{part.wrong} of {part.tested}" if part.tested else None


def _case_row(row: CaseRow, label: CaseLabel | None) -> dict[str, Any]:
    return {
        "Case": row.case_id,
        "Diagnosis": display_diagnosis(row.diagnosis),
        "Wrong": 100 * row.wrong_share,
        "Runs": row.tested,
        "Kind": row.difficulty,
        "Taken for": None if row.taken_for is None else display_diagnosis(row.taken_for),
        **{display_architecture(part.architecture): describe_architecture(part) for part in row.by_architecture},
        "Truth": 100 * row.mean_true_probability,
        "Second look": describe_label(label),
        "Review": OPEN,
    }
