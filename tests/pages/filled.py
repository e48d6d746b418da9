"""A small filled study, made in a second: cases with volumes, a data set, an experiment with finished runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from sqlalchemy import select

from brainmri.database import utc_now
from brainmri.imaging.datasets import freeze_dataset, read_sample_rows
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case, Series
from brainmri.intake.volumes import volume_path
from brainmri.study import Study, open_study
from brainmri.training.experiments import create_experiment
from brainmri.training.records import FINISHED, Epoch, Prediction, Run, Split
from brainmri.training.settings import TrainingSettings
from brainmri.vocabulary import SEQUENCES, TRAINED_DIAGNOSES

SETTINGS = TrainingSettings(repeats=2, epochs=2, weights="scratch")
_SHAPE = (5, 32, 32)
_SPACING_MM = (5.0, 3.0, 3.0)


def make_study(folder: Path, diagnoses: Sequence[str | None] = (*TRAINED_DIAGNOSES * 3, "schwannoma", None)) -> Study:
    """Make a study of phantoms, one case for each diagnosis; the last one has no mask."""
    study = open_study(folder)
    for number, diagnosis in enumerate(diagnoses, start=1):
        add_case(study, f"case-{number:04d}", diagnosis, has_mask=number < len(diagnoses))
    return study


def make_filled_study(folder: Path) -> Study:
    """Make a study of phantoms with one finished experiment, exp-001, in which every third verdict is wrong."""
    study = make_study(folder)
    dataset = freeze_dataset(study, settings=DatasetSettings(size_px=64))
    experiment_id = create_experiment(study, dataset.hash, SETTINGS)
    truth = [dataset.classes.index(row.diagnosis) for row in read_sample_rows(study, dataset.hash)]
    with study.session() as session:
        splits = {split.repeat: split.test for split in session.scalars(select(Split))}
        for run in session.scalars(select(Run).where(Run.experiment_id == experiment_id)):
            _finish(run, len(splits[run.repeat]))
            session.add_all(_epochs(run.run_id))
            session.add_all(_predictions(run.run_id, splits[run.repeat], truth))
    return study


def add_case(study: Study, case_id: str, diagnosis: str | None, *, has_mask: bool = True) -> None:
    """Add one case with volumes."""
    mask = np.zeros(_SHAPE, np.uint8)
    mask[2:4, 10:20, 12:22] = 1
    volume = np.random.default_rng(int(case_id[-4:])).integers(50, 200, _SHAPE).astype(np.int16) + mask * np.int16(300)
    study.case_folder(case_id).mkdir(parents=True)
    for name in SEQUENCES:
        _write(study, case_id, name, volume)
    if has_mask:
        _write(study, case_id, "mask", mask)
    slices, rows, columns = _SHAPE
    case = Case(
        case_id=case_id,
        diagnosis=diagnosis,
        synthetic=True,
        source="DICOM",
        content_digest=hashlib.sha256(case_id.encode()).hexdigest(),
        slices=slices,
        rows=rows,
        columns=columns,
        spacing_mm=list(_SPACING_MM),
        has_mask=has_mask,
        clinical={"age": 61, "location": "left frontal"},
        series=[
            Series(
                sequence=name,
                series_description=f"AX {name}",
                evidence=f"the description names {name}",
                images=slices,
                technical={"manufacturer": "brainmri phantom", "repetition_time_ms": 600.0},
            )
            for name in SEQUENCES
        ],
    )
    with study.session() as session:
        session.add(case)


def _write(study: Study, case_id: str, name: str, array: np.ndarray) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(_SPACING_MM[::-1])
    sitk.WriteImage(image, volume_path(study.case_folder(case_id), name))


def _finish(run: Run, tested: int) -> None:
    run.status, run.device, run.seconds, run.images_per_second = FINISHED, "cpu", 4.0, 50.0
    run.started_at = run.finished_at = utc_now()
    run.accuracy = 1 - len(range(0, tested, 3)) / tested


def _epochs(run_id: str) -> list[Epoch]:
    return [
        Epoch(run_id=run_id, epoch=n, train_loss=1 / n, train_accuracy=0.5, learning_rate=0.01, seconds=1.0)
        for n in range(1, SETTINGS.epochs + 1)
    ]


def _predictions(run_id: str, test: Sequence[int], truth: Sequence[int]) -> list[Prediction]:
    rows = []
    for place, index in enumerate(test):
        predicted = (truth[index] + (place % 3 == 0)) % len(TRAINED_DIAGNOSES)
        probabilities = [0.8 if name == predicted else 0.1 for name in range(len(TRAINED_DIAGNOSES))]
        rows.append(
            Prediction(
                run_id=run_id,
                sample_index=index,
                true_class=truth[index],
                predicted_class=predicted,
                probabilities=probabilities,
            )
        )
    return rows
