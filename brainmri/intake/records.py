"""Tables of the intake stage: cases and their series. Nothing in them names a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainmri.database import Base, utc_now


class Case(Base):
    """One patient's pre-treatment examination, on the grid of its T1c in LPS orientation."""

    __tablename__ = "cases"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    """``case-0001`` and so on, in the order of import."""
    diagnosis: Mapped[str | None]
    """One of `brainmri.vocabulary.DIAGNOSES`, other words as they came, or None: not labelled."""
    synthetic: Mapped[bool] = mapped_column(default=False)
    """True for a phantom."""
    source: Mapped[str]
    """``DICOM`` or ``NIfTI``."""
    content_digest: Mapped[str] = mapped_column(unique=True)
    """sha256 of the three sequences' voxels as read: recognises a second import without an identity."""
    slices: Mapped[int]
    rows: Mapped[int]
    columns: Mapped[int]
    spacing_mm: Mapped[list[Any]]
    """Distance of voxel centres: [between slices, between rows, between columns]."""
    has_mask: Mapped[bool] = mapped_column(default=False)
    clinical: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Further columns of the table of labels, identity removed."""
    excluded: Mapped[bool] = mapped_column(default=False)
    exclusion_reason: Mapped[str | None]
    imported_at: Mapped[datetime] = mapped_column(default=utc_now)

    series: Mapped[list[Series]] = relationship(back_populates="case", order_by="Series.sequence", lazy="selectin")


class Series(Base):
    """One series that a case was made from, with the technical attributes that intake keeps."""

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"), index=True)
    sequence: Mapped[str]
    """``T1``, ``T2`` or ``T1c``."""
    series_description: Mapped[str | None]
    """As in the file, with the patient's names, numbers and dates removed."""
    evidence: Mapped[str]
    """Why the series was taken for this sequence, in words."""
    images: Mapped[int]
    technical: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Allow-listed attributes: manufacturer, model, field strength, times, spacing."""

    case: Mapped[Case] = relationship(back_populates="series")
