"""Frozen data sets: samples and their manifest, named by the hash of their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.errors import ImagingError
from brainmri.imaging.records import Dataset, Region, Sample
from brainmri.imaging.regions import SquareRegion, regions_from_mask
from brainmri.imaging.samples import pseudo_rgb
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case
from brainmri.intake.volumes import CaseVolumes, read_case
from brainmri.study import Study
from brainmri.vocabulary import display_diagnosis

Progress = Callable[[float, str], None]

_HASH_DIGITS = 16


def freeze_dataset(
    study: Study, *, settings: DatasetSettings | None = None, progress: Progress | None = None
) -> Dataset:
    """Make a data set from the cases as they are now, or return the one that holds the same.

    Labelled cases that are not excluded and have a region take part. Regions are made from masks where a case has none.

    Parameters
    ----------
    study : Study
    settings : DatasetSettings, optional
        Size, classes and how regions and intensities are handled.
    progress : callable, optional

    Returns
    -------
    Dataset

    Raises
    ------
    ImagingError
        Where a class would be empty.
    """
    settings = settings or DatasetSettings()
    cases = _usable_cases(study, settings.classes)
    blocks: list[NDArray[np.uint8]] = []
    rows: list[dict[str, Any]] = []
    for done, case in enumerate(cases):
        if progress is not None:
            progress(done / len(cases), f"Making samples of {case.case_id}")
        volumes = read_case(study, case.case_id)
        regions = _current_regions(study, case.case_id) or _regions_from_mask(study, case.case_id, volumes, settings)
        if regions:
            blocks.append(pseudo_rgb(volumes.arrays, regions, settings=settings))
            rows += [_row(case, region) for region in regions]
    _check_classes(rows, cases, settings.classes)
    synthetic = any(case.synthetic for case in cases)
    return store_dataset(study, np.concatenate(blocks), rows, settings=settings, synthetic=synthetic)


def read_samples(study: Study, dataset_hash: str) -> NDArray[np.uint8]:
    """Open the samples of a data set, memory-mapped and read-only.

    Returns
    -------
    ndarray, shape (N, 3, H, W), uint8

    Raises
    ------
    ImagingError
        Where the file is missing or cannot be read.
    """
    path = study.dataset_folder(dataset_hash) / "samples.npy"
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ImagingError(
            f"The samples of the data set {dataset_hash} cannot be read from {path}: {error}."
        ) from error


def read_sample_rows(study: Study, dataset_hash: str) -> list[Sample]:
    """Return the rows of a data set's samples, in the order of ``samples.npy``."""
    with study.session() as session:
        query = select(Sample).where(Sample.dataset_hash == dataset_hash).order_by(Sample.sample_index)
        return list(session.scalars(query))


def read_dataset(study: Study, dataset_hash: str | None = None) -> Dataset:
    """Return a data set by its hash, or the newest one.

    Raises
    ------
    ImagingError
        Where there is none.
    """
    query = select(Dataset).order_by(Dataset.created_at.desc())
    if dataset_hash is not None:
        query = query.where(Dataset.hash == dataset_hash)
    with study.session() as session:
        dataset = session.scalars(query).first()
    if dataset is None:
        named = "no data set" if dataset_hash is None else f"no data set {dataset_hash}"
        raise ImagingError(f"The study {study.folder} holds {named}. Make one with 'python -m brainmri dataset'.")
    return dataset


def count_by_class(study: Study, dataset: Dataset) -> tuple[dict[str, int], dict[str, int]]:
    """Return the numbers of samples and of cases of each class."""
    rows = read_sample_rows(study, dataset.hash)
    samples = Counter(row.diagnosis for row in rows)
    cases = Counter({row.case_id: row.diagnosis for row in rows}.values())
    return {name: samples[name] for name in dataset.classes}, {name: cases[name] for name in dataset.classes}


def usable_case_counts(study: Study, classes: Sequence[str]) -> dict[str, int]:
    """Return how many cases of each class a data set made now could take."""
    counts = Counter(case.diagnosis for case in _usable_cases(study, classes))
    return {name: counts[name] for name in classes}


def _usable_cases(study: Study, classes: Sequence[str]) -> list[Case]:
    """Return cases with one of the diagnoses, not excluded, that have a mask or a region."""
    drawn = select(Region.case_id).where(Region.superseded_at.is_(None))
    query = (
        select(Case)
        .where(Case.diagnosis.in_(list(classes)), Case.excluded.is_(False))
        .where(Case.has_mask.is_(True) | Case.case_id.in_(drawn))
        .order_by(Case.case_id)
    )
    with study.session() as session:
        return list(session.scalars(query))


def _current_regions(study: Study, case_id: str) -> list[SquareRegion]:
    query = select(Region).where(Region.case_id == case_id, Region.superseded_at.is_(None)).order_by(Region.slice_index)
    with study.session() as session:
        return [SquareRegion(r.slice_index, r.row, r.column, r.size_px) for r in session.scalars(query)]


def _regions_from_mask(
    study: Study, case_id: str, volumes: CaseVolumes, settings: DatasetSettings
) -> list[SquareRegion]:
    """Make the regions of a case from its mask and store them."""
    if volumes.mask is None:
        return []
    regions = regions_from_mask(volumes.mask, volumes.spacing_mm, settings=settings)
    with study.session() as session:
        session.add_all(
            Region(
                case_id=case_id,
                slice_index=region.slice_index,
                row=region.row,
                column=region.column,
                size_px=region.size_px,
                source="mask",
            )
            for region in regions
        )
    return regions


def _row(case: Case, region: SquareRegion) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "diagnosis": case.diagnosis,
        "slice_index": region.slice_index,
        "row": region.row,
        "column": region.column,
        "size_px": region.size_px,
    }


def _check_classes(rows: list[dict[str, Any]], cases: list[Case], classes: Sequence[str]) -> None:
    """Refuse a data set in which a class has no sample."""
    samples = Counter(row["diagnosis"] for row in rows)
    empty = [name for name in classes if samples[name] == 0]
    if empty:
        found = Counter(case.diagnosis for case in cases)
        counts = ", ".join(f"{display_diagnosis(name)} {found[name]}" for name in classes)
        raise ImagingError(
            f"The data set would have no image of {' and '.join(empty)}. Usable cases (labelled, not excluded, with a "
            f"tumour mask or region): {counts}. Import more cases, or label those that have no diagnosis."
        )


def store_dataset(
    study: Study,
    samples: NDArray[np.uint8],
    rows: list[dict[str, Any]],
    *,
    settings: DatasetSettings,
    synthetic: bool,
    corrected_from: str | None = None,
    correction_ids: Sequence[int] = (),
) -> Dataset:
    """Write samples and manifest, then the rows; a data set that is there already is returned.

    Parameters
    ----------
    study : Study
    samples : ndarray, shape (N, 3, H, W), uint8
    rows : list of dict, length N
        The columns of `Sample` besides data set and index.
    settings : DatasetSettings
    synthetic : bool
    corrected_from : str, optional
        The data set without corrections that this one comes from. It enters the hash together with the corrections;
        where it is left out the hash is that of samples, settings and rows alone.
    correction_ids : sequence of int
    """
    manifest = {"settings": settings.to_dict(), "synthetic": synthetic, "samples": rows}
    if corrected_from is not None:
        manifest |= {"corrected_from": corrected_from, "correction_ids": sorted(correction_ids)}
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(samples.tobytes())
    digest.update(text.encode())
    dataset_hash = digest.hexdigest()[:_HASH_DIGITS]
    with study.session() as session:
        present = session.get(Dataset, dataset_hash)
    folder = study.dataset_folder(dataset_hash)
    if present is not None and (folder / "samples.npy").exists():
        return present
    _write_files(folder, samples, text)
    dataset = Dataset(
        hash=dataset_hash,
        size_px=settings.size_px,
        classes=list(settings.classes),
        sample_count=len(rows),
        case_count=len({row["case_id"] for row in rows}),
        synthetic=synthetic,
        settings=settings.to_dict(),
        corrected_from=corrected_from,
        correction_ids=sorted(correction_ids) if corrected_from is not None else None,
    )
    if present is None:
        with study.session() as session:
            session.add(dataset)
            session.flush()
            session.add_all(Sample(dataset_hash=dataset_hash, sample_index=i, **row) for i, row in enumerate(rows))
    return present or dataset


def _write_files(folder: Path, samples: NDArray[np.uint8], manifest: str) -> None:
    """Write the folder of a data set under a temporary name and rename it."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    np.save(partial / "samples.npy", samples, allow_pickle=False)
    (partial / "manifest.json").write_text(manifest, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
