"""Group DICOM headers into series, and describe a series as the later steps need it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from brainmri import vocabulary
from brainmri.intake.deidentify import Identity, screen_technical, screen_text
from brainmri.intake.headers import SliceHeader
from brainmri.intake.report import Refusal
from brainmri.intake.sequences import has_agent, identify

Plane = Literal["axial", "coronal", "sagittal"]

ORIENTATION_TOLERANCE: Final = 0.01
"""Largest difference of direction cosines within one series (0.6°)."""
ECHO_TIME_TOLERANCE_MS: Final = 1.0
"""Echoes further apart than this are two images of one slice, not one series."""
PIXEL_SPACING_TOLERANCE_MM: Final = 0.01


@dataclass(frozen=True)
class FoundSeries:
    """One series of images, DICOM or NIfTI, before its pixels are read."""

    source: Literal["DICOM", "NIfTI"]
    place: Path
    """Folder or file that the report names."""
    uid: str
    """Settles ties; never stored."""
    sequence: vocabulary.Sequence | None
    evidence: str
    description: str | None
    """Identity removed."""
    technical: Mapping[str, Any]
    plane: Plane
    images: int
    in_plane_mm: float
    acquired: str
    """Sortable date and time, or an empty string."""
    frame_of_reference: str = ""
    manufacturer: str = ""
    slices: tuple[SliceHeader, ...] = field(default=(), repr=False)
    path: Path | None = None
    """The file of a NIfTI series."""


def drop_copies(headers: Iterable[SliceHeader]) -> tuple[list[SliceHeader], list[Refusal]]:
    """Keep one of the files that hold the same instance, and refuse its copies."""
    kept: dict[str, SliceHeader] = {}
    refused = []
    for header in headers:
        uid = header.sop_instance_uid or str(header.path)
        if uid in kept:
            refused.append(Refusal(header.path, f"a copy of {kept[uid].path.name} (the same SOP Instance UID)"))
        else:
            kept[uid] = header
    return list(kept.values()), refused


def group_series(headers: Iterable[SliceHeader]) -> list[FoundSeries]:
    """Group the slices of one patient into series.

    A series is what shares a Series Instance UID and one geometry, echo and kind of image: scanners put both echoes,
    or the three planes of a localizer, under one UID.

    Parameters
    ----------
    headers : iterable of SliceHeader
        MR images of one patient, in any order.

    Returns
    -------
    list of FoundSeries
        In the order of their UID, then of their first slice.
    """
    by_uid: dict[str, list[list[SliceHeader]]] = defaultdict(list)
    for header in sorted(headers, key=_slice_order):
        groups = by_uid[header.series_uid or f"{header.study_uid} {header.path.parent}"]
        for group in groups:
            if _belongs(header, group[0]):
                group.append(header)
                break
        else:
            groups.append([header])
    return [_describe(uid, tuple(group)) for uid, groups in sorted(by_uid.items()) for group in groups]


def normal_of(orientation: Sequence[float]) -> np.ndarray:
    """Return the unit normal of the slices, from Image Orientation (Patient) (PS3.3 C.7.6.2.1.1)."""
    normal = np.cross(orientation[:3], orientation[3:])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-9))


def plane_of(normal: Sequence[float] | np.ndarray) -> Plane:
    """Return the anatomical plane that slices with this normal are closest to."""
    planes: tuple[Plane, Plane, Plane] = ("sagittal", "coronal", "axial")
    return planes[int(np.argmax(np.abs(np.asarray(normal))))]


def common_place(paths: Sequence[Path]) -> Path:
    """Return the file, or the folder that holds all files."""
    return paths[0] if len(paths) == 1 else Path(commonpath([path.parent for path in paths]))


def _slice_order(header: SliceHeader) -> tuple[Any, ...]:
    return (header.series_uid, header.instance_number, header.sop_instance_uid, str(header.path))


def _belongs(header: SliceHeader, first: SliceHeader) -> bool:
    ours, theirs = header.attributes, first.attributes
    echoes = (ours.echo_time_ms, theirs.echo_time_ms)
    return (
        (header.rows, header.columns) == (first.rows, first.columns)
        and np.allclose(header.orientation, first.orientation, atol=ORIENTATION_TOLERANCE)
        and np.allclose(header.pixel_spacing_mm, first.pixel_spacing_mm, atol=PIXEL_SPACING_TOLERANCE_MM)
        and ours.image_type[2:] == theirs.image_type[2:]
        and (None in echoes or abs(echoes[0] - echoes[1]) < ECHO_TIME_TOLERANCE_MS)  # type: ignore[operator]
        and (ours.b_value or 0) == (theirs.b_value or 0)
    )


def _describe(uid: str, slices: tuple[SliceHeader, ...]) -> FoundSeries:
    first = slices[0]
    sequence, evidence = identify(first.attributes)
    identity = Identity().union(header.identity for header in slices)
    technical = screen_technical(dict(first.technical), identity)
    technical["contrast_agent"] = has_agent(first.attributes.contrast_agent)
    return FoundSeries(
        source="DICOM",
        place=_place(slices),
        uid=uid,
        sequence=sequence,
        evidence=evidence,
        description=screen_text(first.description, identity) or None,
        technical={name: value for name, value in technical.items() if value is not None},
        plane=plane_of(normal_of(first.orientation)),
        images=len(slices),
        in_plane_mm=round(max(first.pixel_spacing_mm), 3),
        acquired=min(header.acquired for header in slices),
        frame_of_reference=first.frame_of_reference,
        manufacturer=dict(first.technical).get("manufacturer") or "",
        slices=slices,
    )


def _place(slices: tuple[SliceHeader, ...]) -> Path:
    """Return the folder of a series, or its first file (by name)."""
    return common_place(sorted(header.path for header in slices))
