"""What an import tells its user. It may name files, and stays on the screen: nothing of it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """One file, series or patient that was not used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class UsedSeries:
    """One series of an imported case."""

    series_description: str | None
    """As in the file, identity removed; None for NIfTI, whose name is not kept."""
    evidence: str


@dataclass(frozen=True)
class ImportedCase:
    """One case that an import made."""

    case_id: str
    diagnosis: str | None
    sequences: Mapping[str, UsedSeries]


@dataclass(frozen=True)
class KnownCase:
    """A patient whose images the study already holds."""

    path: Path
    case_id: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What became of the files of one import."""

    cases: tuple[ImportedCase, ...] = ()
    series_counts: Mapping[str, int] = field(default_factory=dict)
    """Series found, under ``T1``, ``T2``, ``T1c`` and ``other``, whether used or not."""
    refused: tuple[Refusal, ...] = ()
    already_present: tuple[KnownCase, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences for the user; they name cases and rows, never patients."""

    def to_json(self) -> dict[str, Any]:
        """Return the record that the command line prints."""
        return {
            "cases": len(self.cases),
            "series": dict(self.series_counts),
            "refused": [{"path": str(one.path), "reason": one.reason} for one in self.refused],
            "cases_detail": [_case_to_json(case) for case in self.cases],
            "already_present": [
                {"path": str(one.path), "case_id": one.case_id, "reason": one.reason} for one in self.already_present
            ],
            "notes": list(self.notes),
        }


def _case_to_json(case: ImportedCase) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "diagnosis": case.diagnosis,
        "sequences": {
            name: {"series_description": used.series_description, "evidence": used.evidence}
            for name, used in case.sequences.items()
        },
    }
