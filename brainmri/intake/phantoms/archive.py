"""The archive of phantoms: a folder as a hospital's export is laid out, and its table of labels."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from brainmri.errors import IntakeError

if TYPE_CHECKING:
    from brainmri.intake.phantoms.dicom import PhantomIdentity

Progress = Callable[[float, str], None]

LABEL_COLUMNS: Final = ("patient_id", "diagnosis", "age", "sex", "ki67_percent", "synthetic")

_AGES: Final = {"glioblastoma": (61, 11), "PCNSL": (66, 10), "meningioma": (58, 12), "schwannoma": (52, 13)}
_KI67: Final = {"glioblastoma": (15, 50), "PCNSL": (70, 97), "meningioma": (1, 8), "schwannoma": (1, 4)}
_NAMES: Final = ("Aiko", "Daichi", "Emi", "Haruto", "Kaede", "Minato", "Natsuki", "Ren", "Sora", "Yui")
_FLAIR_SHARE: Final = 0.25
"""Share of patients with a FLAIR series, which the intake finds and does not use."""


@dataclass(frozen=True)
class ArchiveSummary:
    """What was written."""

    patients: int
    files: int
    labels: Path


@dataclass(frozen=True)
class _Order:
    """One patient to draw, in a process of its own."""

    folder: Path
    number: int
    diagnosis: str
    seed: int


def write_archive(
    folder: Path, *, patients: Mapping[str, int], seed: int, progress: Progress | None = None, processes: int = 0
) -> ArchiveSummary:
    """Draw phantoms and write them as DICOM files with a table of labels.

    Parameters
    ----------
    folder : Path
        Empty or not there yet.
    patients : mapping of str to int
        Number of patients of each diagnosis.
    seed : int
        Every patient depends on it and on the patient's number, not on the number of processes.
    progress : callable, optional
    processes : int
        Processes at once; 0: one a core.

    Raises
    ------
    IntakeError
        Where the folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise IntakeError(f"The folder {folder} is not empty; phantoms are written into an empty one. Choose another.")
    folder.mkdir(parents=True, exist_ok=True)
    orders = _orders(folder, patients, seed)
    rows, files = {}, 0
    with ProcessPoolExecutor(processes or os.cpu_count() or 1, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_write_patient, order) for order in orders]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                row, count = future.result()
                rows[row[0]] = row
                files += count
                if progress is not None:
                    progress(done / len(orders), f"Phantom {done} of {len(orders)} drawn")
        except BrokenProcessPool as error:
            raise IntakeError(
                "A process that draws phantoms was ended from outside, most often because memory ran out. Close other "
                "programs and start again."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    labels = folder / "labels.csv"
    with labels.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(LABEL_COLUMNS)
        writer.writerows(rows[key] for key in sorted(rows))
    return ArchiveSummary(len(orders), files, labels)


def _orders(folder: Path, patients: Mapping[str, int], seed: int) -> list[_Order]:
    """Number the patients in an order that says nothing of their diagnosis."""
    diagnoses = [diagnosis for diagnosis, count in patients.items() for _ in range(count)]
    shuffled = np.random.default_rng([seed, len(diagnoses)]).permutation(len(diagnoses))
    return [_Order(folder, number, diagnoses[index], seed) for number, index in enumerate(shuffled, start=1)]


def _write_patient(order: _Order) -> tuple[tuple[str | int, ...], int]:
    """Draw and write one patient; return the row of labels and the number of files."""
    import SimpleITK as sitk  # noqa: PLC0415

    from brainmri.intake.phantoms import anatomy, coordinates, dicom, scanner, tumours  # noqa: PLC0415

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rng = np.random.default_rng([order.seed, order.number, 1])
    identity = _identity(order, rng)
    seed = f"{order.seed}/{identity.patient_id}"
    at, shape = coordinates.grid(), anatomy.draw_shape(rng)
    tumour = tumours.draw_tumour(order.diagnosis, shape, rng)
    patient = tumours.draw_patient(tumour, shape, at, rng)
    machine = scanner.draw_scanner(rng)
    signals = {"T1": patient.t1, "T2": patient.t2, "T1c": patient.t1c}
    if rng.random() < _FLAIR_SHARE:
        signals["FLAIR"] = np.where(patient.t2 > 0.88, 0.1, patient.t2).astype(np.float32)
    folder = order.folder / "DICOM" / f"P{order.number:05d}" / "E00001"
    files = 0
    for number, (sequence, signal) in enumerate(signals.items(), start=1):
        geometry = scanner.draw_geometry(machine, rng)
        contrast = scanner.draw_contrast(machine, "T2" if sequence == "FLAIR" else sequence, rng)
        pixels = scanner.acquire(signal, geometry, contrast, rng)
        series = dicom.make_series(
            pixels,
            sequence=sequence,
            number=number,
            identity=identity,
            scanner=machine,
            geometry=geometry,
            contrast=contrast,
            seed=seed,
        )
        for name, index in enumerate(rng.permutation(len(series.datasets)), start=1):
            dicom.write(series.datasets[index], folder / f"S{number:04d}" / f"I{name:05d}")
        files += len(series.datasets)
        if sequence == "T1c":
            mask = scanner.acquire_mask(patient.mask, geometry)
            dicom.write(dicom.make_segmentation(mask, series, number=100, seed=seed), folder / "S0100" / "I00001")
            files += 1
    low, high = _KI67[order.diagnosis]
    row = (identity.patient_id, order.diagnosis, identity.age, identity.sex, int(rng.integers(low, high)), "yes")
    return row, files


def _identity(order: _Order, rng: np.random.Generator) -> PhantomIdentity:
    """Invent a person."""
    from brainmri.intake.phantoms.dicom import PhantomIdentity  # noqa: PLC0415

    mean, spread = _AGES[order.diagnosis]
    age = int(np.clip(rng.normal(mean, spread), 25, 88))
    year = int(rng.integers(2018, 2023))
    return PhantomIdentity(
        patient_id=f"PH-{order.number:04d}",
        name=f"Invented^{rng.choice(_NAMES)}",
        birth_date=f"{year - age}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
        sex=str(rng.choice(("F", "M"))),
        age=age,
        study_date=f"{year}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
        accession=f"A{rng.integers(10**7, 10**8)}",
    )
