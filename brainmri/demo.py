"""The demo study: phantoms to a DICOM archive, then everything that real files go through."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from brainmri.errors import StudyError
from brainmri.explanation import EXPLAIN_AFTER_RUN
from brainmri.imaging.datasets import freeze_dataset
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.importing import import_paths
from brainmri.intake.phantoms.archive import write_archive
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.training.experiments import create_experiment
from brainmri.training.jobs import work
from brainmri.training.monitor import list_experiments
from brainmri.training.settings import TrainingSettings

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class DemoPlan:
    """How large the demo is.

    Parameters
    ----------
    patients : dict of str to int
        Phantom patients of each diagnosis.
    size_px : int
        Side of a sample.
    repeats, epochs : int
        Of the training.
    shares : tuple of float
        Share of the whole time that phantoms, import and data set take, for the progress bar; measured on two cores.
    """

    patients: dict[str, int]
    size_px: int
    repeats: int
    epochs: int
    shares: tuple[float, float, float]

    def training_settings(self, seed: int) -> TrainingSettings:
        """Return the protocol: from scratch, openly, because phantoms are not photographs of the world."""
        return TrainingSettings(
            repeats=self.repeats,
            epochs=self.epochs,
            batch_size=32,
            learning_rate=0.01,
            weights="scratch",
            checkpoint_dtype="float16",
            seed=seed,
        )


FULL: Final = DemoPlan(
    patients={"glioblastoma": 24, "PCNSL": 24, "meningioma": 24, "schwannoma": 12},
    size_px=64,
    repeats=10,
    epochs=7,
    shares=(0.13, 0.10, 0.02),
)
QUICK: Final = DemoPlan(
    patients={"glioblastoma": 5, "PCNSL": 5, "meningioma": 5, "schwannoma": 1},
    size_px=64,
    repeats=1,
    epochs=3,
    shares=(0.25, 0.25, 0.05),
)


def make_demo(
    study: Study,
    *,
    plan: DemoPlan = FULL,
    seed: int = 0,
    archive: Path | None = None,
    progress: Progress,
    stop: Callable[[], bool],
) -> str:
    """Create the demo study and return its experiment's identifier; an interrupted one goes on.

    Parameters
    ----------
    study : Study
        Empty, or holding phantoms only.
    plan : DemoPlan
    seed : int
        Of phantoms, splits and runs.
    archive : Path, optional
        Where the DICOM files go; default `default_archive`.
    progress : callable
    stop : callable
        Returns True where somebody asked for a stop of the training.

    Raises
    ------
    StudyError
        Where the study holds cases of real patients.
    """
    _refuse_real_cases(study)
    archive = archive or default_archive(study, plan, seed)
    at_import, at_dataset, at_training = plan.shares[0], sum(plan.shares[:2]), sum(plan.shares)
    _write_archive_once(archive, plan, seed, _part(progress, 0.0, at_import))
    import_paths(study, [archive], labels=archive / "labels.csv", progress=_part(progress, at_import, at_dataset))
    settings = DatasetSettings(size_px=plan.size_px)
    dataset = freeze_dataset(study, settings=settings, progress=_part(progress, at_dataset, at_training))
    experiment_id = _experiment(study, dataset.hash, plan.training_settings(seed))
    part = _part(progress, at_training, 1.0)
    work(study, experiment_id, after_run=EXPLAIN_AFTER_RUN, progress=part, stop=stop)
    return experiment_id


def default_archive(study: Study, plan: DemoPlan, seed: int) -> Path:
    """Return the folder beside the study that takes the phantoms' DICOM files."""
    folder = study.folder.with_name(f"{study.folder.name}-archive")
    return folder / f"{sum(plan.patients.values())}-phantoms-seed-{seed}"


def _refuse_real_cases(study: Study) -> None:
    with study.session() as session:
        real = session.scalar(select(func.count()).select_from(Case).where(Case.synthetic.is_(False)))
    if real:
        raise StudyError(
            f"The study {study.folder} holds {real} cases of real patients; phantoms do not belong beside them. "
            "Choose an empty folder with --study."
        )


def _write_archive_once(archive: Path, plan: DemoPlan, seed: int, progress: Progress) -> None:
    """Write the archive under a temporary name and rename it; one that is there already is taken."""
    if (archive / "labels.csv").exists():
        return
    partial = archive.with_name(f"{archive.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    write_archive(partial, patients=plan.patients, seed=seed, progress=progress)
    partial.rename(archive)


def _experiment(study: Study, dataset_hash: str, settings: TrainingSettings) -> str:
    """Return the demo's experiment: the interrupted one where there is one, else a new one."""
    for summary in list_experiments(study):
        if summary.dataset_hash == dataset_hash and dict(summary.settings) == settings.to_dict():
            return str(summary.experiment_id)
    return create_experiment(study, dataset_hash, settings)


def _part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress function for the part of the bar between two shares."""
    return lambda fraction, step: progress(start + fraction * (end - start), step)
