"""Small studies for the tests of this package: cases, a data set and its samples, without any image file."""

from __future__ import annotations

import numpy as np

from brainmri.imaging.records import Dataset, Sample
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.vocabulary import TRAINED_DIAGNOSES

DATASET = "0123456789abcdef"


def blobs(labels: np.ndarray, size_px: int, seed: int = 0) -> np.ndarray:
    """Return samples (N, 3, H, W) whose class is the channel of a bright square, with noise."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(20, 90, (len(labels), 3, size_px, size_px), dtype=np.uint8)
    quarter = size_px // 4
    for sample, label in zip(samples, labels, strict=True):
        sample[label, quarter:-quarter, quarter:-quarter] += 140
    return samples


def add_dataset(study: Study, *, patients: int = 4, slices: int = 2, size_px: int = 64, classes: int = 3) -> str:
    """Store a data set of ``patients`` cases a class with ``slices`` samples each, and return its hash."""
    names = list(TRAINED_DIAGNOSES[:classes])
    cases = [(f"case-{i:04d}", names[i % classes]) for i in range(1, patients * classes + 1)]
    rows = [(case_id, diagnosis, index) for case_id, diagnosis in cases for index in range(slices)]
    labels = np.array([names.index(diagnosis) for _case, diagnosis, _slice in rows])
    folder = study.dataset_folder(DATASET)
    folder.mkdir(parents=True)
    np.save(folder / "samples.npy", blobs(labels, size_px))
    with study.session() as session:
        session.add_all(_case(case_id, diagnosis) for case_id, diagnosis in cases)
        session.add(
            Dataset(
                hash=DATASET,
                size_px=size_px,
                classes=names,
                sample_count=len(rows),
                case_count=len(cases),
                synthetic=True,
                settings={},
            )
        )
        session.flush()
        session.add_all(
            Sample(
                dataset_hash=DATASET,
                sample_index=i,
                case_id=case_id,
                diagnosis=diagnosis,
                slice_index=index,
                row=0,
                column=0,
                size_px=size_px,
            )
            for i, (case_id, diagnosis, index) in enumerate(rows)
        )
    return DATASET


def _case(case_id: str, diagnosis: str) -> Case:
    return Case(
        case_id=case_id,
        diagnosis=diagnosis,
        synthetic=True,
        source="DICOM",
        content_digest=case_id,
        slices=4,
        rows=64,
        columns=64,
        spacing_mm=[5.0, 1.0, 1.0],
    )


def note_run(study: Study, run_id: str) -> None:
    """Leave a file, as what follows a run would."""
    (study.run_folder(run_id) / "noted.txt").write_text(run_id)


def fail_after_run(study: Study, run_id: str) -> None:
    """Fail, as what follows a run might."""
    raise ValueError(f"no map of {run_id}")
