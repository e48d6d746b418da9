"""Tables of the review: findings, corrections and saved lists.

Nothing is ever overwritten. A finding that changes gets a new version beside the earlier ones, and a correction that is
taken back keeps its row with the time of that. A change names the version that it was made on; where somebody saved
another one in between, it is refused (optimistic locking), so that no writer loses words without being told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now

Verdict = Literal["model error", "label error", "wrong region", "artefact", "atypical appearance", "correct but lucky"]

VERDICTS: Final[dict[Verdict, str]] = {
    "model error": "Images, label and region are good; the network is wrong.",
    "label error": "The diagnosis that the study holds is wrong or in doubt.",
    "wrong region": "The square misses the tumour, cuts it off, or shows something else.",
    "artefact": "Movement, metal, folding or another fault of the images explains it.",
    "atypical appearance": "The tumour does not look like others of its kind: a reader could take it for another one.",
    "correct but lucky": "The answer is right, but for no good reason: the network looks elsewhere.",
}
"""What a reviewer can find, in one sentence each."""

DIFFICULTY_RANGE: Final = (1, 5)
"""From easy to very hard, as the reviewer judges it."""

CorrectionKind = Literal["relabel", "region", "exclude"]


class Finding(Base):
    """One version of what one reviewer finds of one case in one experiment; the highest version counts."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"))
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.experiment_id"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.run_id"))
    """The run that was looked at; None: several."""
    reviewer: Mapped[str]
    version: Mapped[int]
    """From 1. Two people, or two windows, that save the same version at once: the second is refused."""
    verdict: Mapped[str]
    """One of `VERDICTS`."""
    difficulty: Mapped[int | None]
    """1 (easy) to 5 (very hard); None: not judged."""
    note: Mapped[str]
    bookmarked: Mapped[bool]
    """Marked for teaching."""
    withdrawn: Mapped[bool]
    """True for the version by which the reviewer took the finding back."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    """Of version 1, the same in all later ones."""
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    """Of this version."""

    __table_args__ = (
        UniqueConstraint("experiment_id", "case_id", "reviewer", "version"),
        CheckConstraint("difficulty IS NULL OR difficulty BETWEEN 1 AND 5", name="difficulty_range"),
    )


class Correction(Base):
    """One change to a case that the next corrected data set will have. The case itself stays as it came."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"))
    kind: Mapped[str]
    """``relabel``, ``region`` or ``exclude``."""
    diagnosis: Mapped[str | None]
    """The new one, for ``relabel``."""
    first_slice: Mapped[int | None]
    """First and last slice of a redrawn ``region``, both included, along the first axis of the case's grid."""
    last_slice: Mapped[int | None]
    row: Mapped[int | None]
    """First row and column of the square in voxels of the case's grid; may lie outside the image."""
    column: Mapped[int | None]
    size_px: Mapped[int | None]
    """Side of the square in voxels of the case's grid."""
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[datetime | None]
    """When it was taken back; None: it counts."""
    withdrawn_by: Mapped[str | None]

    __table_args__ = (Index("ix_corrections_case", "case_id"),)


class SavedList(Base):
    """A filter of the worklist under a name, for everybody. The last writer of a name wins: it holds no finding."""

    __tablename__ = "saved_lists"

    name: Mapped[str] = mapped_column(primary_key=True)
    filter: Mapped[dict[str, Any]]
    """`brainmri.review.filters.Filter.to_query()`."""
    author: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
