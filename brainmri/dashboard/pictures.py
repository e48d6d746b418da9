"""A case without a run, packed for the viewer: three sequences and the squares that training takes."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import select

from brainmri.dashboard.viewer import ViewedSquare, pack_case, pack_volumes
from brainmri.imaging.records import Region
from brainmri.imaging.regions import regions_from_mask
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case
from brainmri.intake.volumes import read_case
from brainmri.study import Study

Squares = tuple[tuple[int, int, int, int], ...]
"""Slice, row, column and side of each square."""


def pack_without_run(study: Study, case: Case) -> bytes:
    """Return the volumes of a case with its squares: those that are stored, else those that its mask gives.

    Raises
    ------
    IntakeError, ImagingError
        Where a volume is missing, cannot be read or is empty.
    """
    return _pack(study, study.url, case.case_id, case.content_digest, _stored_squares(study, case.case_id))


def _stored_squares(study: Study, case_id: str) -> Squares:
    query = select(Region).where(Region.case_id == case_id, Region.superseded_at.is_(None)).order_by(Region.slice_index)
    with study.session() as session:
        return tuple((one.slice_index, one.row, one.column, one.size_px) for one in session.scalars(query))


@st.cache_resource(show_spinner="Reading the volumes …", max_entries=8)
def _pack(_study: Study, url: str, case_id: str, digest: str, squares: Squares) -> bytes:
    """Pack a case; address and digest tell cases of the same name apart."""
    volumes = read_case(_study, case_id)
    if not squares and volumes.mask is not None:
        found = regions_from_mask(volumes.mask, volumes.spacing_mm, settings=DatasetSettings())
        squares = tuple((one.slice_index, one.row, one.column, one.size_px) for one in found)
    return pack_case(
        f"{case_id} {digest[:12]}",
        pack_volumes(volumes.arrays, volumes.spacing_mm, volumes.placement),
        squares=[
            ViewedSquare(slice_index=index, row=row, column=column, size_px=size)
            for index, row, column, size in squares
        ],
    )
