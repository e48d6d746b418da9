"""Corrected data sets: a new version of a frozen one, from the cases that people corrected. Nothing old is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ImagingError
from brainmri.imaging.datasets import read_sample_rows, read_samples, store_dataset
from brainmri.imaging.records import Dataset, Sample
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.samples import pseudo_rgb
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.volumes import read_case
from brainmri.study import Study
from brainmri.vocabulary import display_diagnosis

Progress = Callable[[float, str], None]

_PLACE = ("slice_index", "row", "column", "size_px")


@dataclass(frozen=True, kw_only=True)
class CaseChanges:
    """What is to be different of one case.

    Parameters
    ----------
    diagnosis : str or None
        The new one; a case whose diagnosis is none of the data set's classes leaves it.
    excluded : bool
    regions : mapping of int to SquareRegion
        New squares by slice. They take the place of a square of that slice; other slices keep theirs.
    """

    diagnosis: str | None = None
    excluded: bool = False
    regions: Mapping[int, SquareRegion] = field(default_factory=dict)


def freeze_corrected(
    study: Study,
    original: Dataset,
    changes: Mapping[str, CaseChanges],
    *,
    correction_ids: Sequence[int],
    progress: Progress | None = None,
) -> Dataset:
    """Make a data set from the samples of another one with some cases changed.

    Samples that no change concerns are copied as they are; those with a new square are made from the volumes.

    Parameters
    ----------
    study : Study
    original : Dataset
        Without corrections. It stays as it is.
    changes : mapping of str to CaseChanges
        By case; those of cases that the data set does not have are passed over.
    correction_ids : sequence of int
        Where the changes come from: stored, and part of the hash.
    progress : callable, optional

    Returns
    -------
    Dataset
        The original one where there are no corrections.

    Raises
    ------
    ImagingError
        Where a class would be empty.
    """
    if not correction_ids:
        return original
    settings = DatasetSettings(**{**original.settings, "classes": tuple(original.classes), "size_px": original.size_px})
    samples, old_rows = read_samples(study, original.hash), read_sample_rows(study, original.hash)
    by_case: dict[str, list[Sample]] = {}
    for row in old_rows:
        by_case.setdefault(row.case_id, []).append(row)
    blocks: list[NDArray[np.uint8]] = []
    rows: list[dict[str, Any]] = []
    for done, (case_id, old) in enumerate(by_case.items()):
        if progress is not None:
            progress(done / len(by_case), f"Correcting {case_id}")
        change = changes.get(case_id, CaseChanges())
        diagnosis = change.diagnosis or old[0].diagnosis
        if not change.excluded and diagnosis in original.classes:
            block, places = _corrected_samples(study, case_id, old, samples, change, settings)
            blocks.append(block)
            rows += [{"case_id": case_id, "diagnosis": diagnosis, **place} for place in places]
    _check_classes(rows, original.classes)
    return store_dataset(
        study,
        np.concatenate(blocks),
        rows,
        settings=settings,
        synthetic=original.synthetic,
        corrected_from=original.hash,
        correction_ids=correction_ids,
    )


def _corrected_samples(
    study: Study,
    case_id: str,
    old: Sequence[Sample],
    samples: NDArray[np.uint8],
    change: CaseChanges,
    settings: DatasetSettings,
) -> tuple[NDArray[np.uint8], list[dict[str, int]]]:
    """Return the samples of a case from inferior to superior, and the place of each."""
    parts = {
        row.slice_index: (samples[row.sample_index], {name: int(getattr(row, name)) for name in _PLACE}) for row in old
    }
    if change.regions:
        regions = [change.regions[at] for at in sorted(change.regions)]
        made = pseudo_rgb(read_case(study, case_id).arrays, regions, settings=settings)
        for region, sample in zip(regions, made, strict=True):
            parts[region.slice_index] = (sample, {name: int(getattr(region, name)) for name in _PLACE})
    ordered = [parts[at] for at in sorted(parts)]
    return np.stack([sample for sample, _place in ordered]), [place for _sample, place in ordered]


def _check_classes(rows: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> None:
    left = Counter(row["diagnosis"] for row in rows)
    empty = [display_diagnosis(name) for name in classes if not left[name]]
    if empty:
        raise ImagingError(
            f"With these corrections the data set would have no image of {' and '.join(empty)}. Take one of them back, "
            "or import more cases."
        )
