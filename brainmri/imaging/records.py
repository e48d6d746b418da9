"""Tables of the imaging stage: regions, data sets and their samples."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now


class Region(Base):
    """The square around the tumour on one slice of a case, the same on T1, T2 and T1c."""

    __tablename__ = "regions"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"))
    slice_index: Mapped[int]
    """Index along the first axis of the case's grid, from 0 (inferior)."""
    row: Mapped[int]
    """First row of the square, in pixels of the grid; may lie outside the image."""
    column: Mapped[int]
    """First column of the square; may lie outside the image."""
    size_px: Mapped[int]
    """Side of the square in pixels of the grid."""
    source: Mapped[str]
    """``mask`` or ``drawn``."""
    author: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    superseded_at: Mapped[datetime | None]
    """When a newer region took its place; None for the present one."""

    __table_args__ = (Index("ix_regions_case_slice", "case_id", "slice_index"),)


class Dataset(Base):
    """A frozen list of samples, named by the hash of its content."""

    __tablename__ = "datasets"

    hash: Mapped[str] = mapped_column(primary_key=True)
    """First 16 hexadecimal digits of a sha256 over samples and manifest."""
    size_px: Mapped[int]
    """Side of a sample in pixels."""
    classes: Mapped[list[Any]]
    """Diagnoses in the order of their class index."""
    sample_count: Mapped[int]
    case_count: Mapped[int]
    synthetic: Mapped[bool]
    """True where a phantom is among the cases."""
    settings: Mapped[dict[str, Any]]
    """How samples were made: margin, percentiles."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    corrected_from: Mapped[str | None] = mapped_column(ForeignKey("datasets.hash"))
    """The data set without corrections that this one was made from; None: it is such a one."""
    correction_ids: Mapped[list[Any] | None]
    """The corrections that it has."""


class Sample(Base):
    """One pseudo-RGB image of a data set."""

    __tablename__ = "samples"

    dataset_hash: Mapped[str] = mapped_column(ForeignKey("datasets.hash"), primary_key=True)
    sample_index: Mapped[int] = mapped_column(primary_key=True)
    """Row of ``samples.npy``, from 0."""
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.case_id"), index=True)
    diagnosis: Mapped[str]
    slice_index: Mapped[int]
    row: Mapped[int]
    column: Mapped[int]
    size_px: Mapped[int]
    """Side of the region in pixels of the case's grid, before scaling to the data set's size."""
