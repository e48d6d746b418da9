"""The model card of a run: what its network is for, what it learned from, how good it is and what it cannot do.

References
----------
Mitchell M et al. Model Cards for Model Reporting. FAT* 2019:220-229, doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from brainmri.evaluation.comparison import Descriptive, compare
from brainmri.evaluation.model_card_figures import RunAccuracy, measure_run
from brainmri.evaluation.model_card_limits import list_limits
from brainmri.evaluation.predictions import VERDICT_RULE
from brainmri.evaluation.reading import EvaluatedExperiment, read_experiment, read_finished_runs, read_predictions
from brainmri.imaging.datasets import read_dataset, read_sample_rows
from brainmri.imaging.records import Sample
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.training.experiments import read_run, read_split
from brainmri.training.export import INTENDED_USE
from brainmri.training.records import Epoch, Run, Split
from brainmri.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What the network learned from.

    Parameters
    ----------
    dataset : str
        Hash.
    size_px : int
    images, cases : dict of str to int
        Of each class.
    phantom_cases : int
        Cases that are computed phantoms, no patients.
    settings : dict
        How samples were made.
    """

    dataset: str
    size_px: int
    images: dict[str, int]
    cases: dict[str, int]
    phantom_cases: int
    settings: dict[str, Any]

    @property
    def origin(self) -> str:
        """Return ``phantoms``, ``patients`` or ``patients and phantoms``."""
        if self.phantom_cases == 0:
            return "patients"
        return "phantoms" if self.phantom_cases == sum(self.cases.values()) else "patients and phantoms"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One side of a split: its images, and the cases that they are of."""

    images: int
    cases: int


@dataclass(frozen=True, kw_only=True)
class SplitFacts:
    """How test images were held out.

    Parameters
    ----------
    unit : str
        ``patient`` or ``image``.
    repeat, seed : int
    test_fraction, validation_fraction : float
        Asked for, of the units and of the training units.
    train, validation, test : Part
    shared_cases : int
        Test cases with images that were trained on.
    """

    unit: str
    repeat: int
    seed: int
    test_fraction: float
    validation_fraction: float
    train: Part
    validation: Part
    test: Part
    shared_cases: int


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """All facts of a card. Nothing in it names a patient or a case.

    Parameters
    ----------
    run_id, experiment_id, architecture, display_name : str
    data : DataFacts
    split : SplitFacts
    settings : dict
        Of the training.
    accuracy : RunAccuracy
        Of this run.
    repeats : tuple of Descriptive
        Image accuracies of each architecture over the finished repeats of the experiment, shares.
    epochs_trained : int
    device : str or None
    trained_at : str or None
        Day on which the training ended, UTC.
    versions : dict of str to str
    limits : tuple of str
        Sentences.
    """

    run_id: str
    experiment_id: str
    architecture: str
    display_name: str
    data: DataFacts
    split: SplitFacts
    settings: dict[str, Any]
    accuracy: RunAccuracy
    repeats: tuple[Descriptive, ...]
    epochs_trained: int
    device: str | None
    trained_at: str | None
    versions: dict[str, str]
    limits: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON can hold them."""
        repeats = [{"architecture": row.model, **_spread(row)} for row in self.repeats]
        return {
            "run": self.run_id,
            "experiment": self.experiment_id,
            "architecture": self.architecture,
            "intended_use": INTENDED_USE,
            "data": {**asdict(self.data), "origin": self.data.origin},
            "split": asdict(self.split),
            "settings": self.settings,
            "accuracy": {**asdict(self.accuracy), "verdict_rule": VERDICT_RULE},
            "repeats": repeats,
            "epochs_trained": self.epochs_trained,
            "device": self.device,
            "trained_at": self.trained_at,
            "versions": self.versions,
            "limits": list(self.limits),
        }


def make_model_card(study: Study, run_id: str) -> ModelCard:
    """Gather the facts of a finished run.

    Raises
    ------
    TrainingError
        Where there is no such run, or its split is missing.
    EvaluationError
        Where the run has not finished.
    """
    run = read_run(study, run_id)
    experiment = read_experiment(study, run.experiment_id)
    predictions = read_predictions(study, run.experiment_id, run_id=run_id)
    rows = read_sample_rows(study, experiment.dataset_hash)
    data = _data_facts(study, experiment, rows)
    split = _split_facts(read_split(study, run.experiment_id, run.repeat), experiment.settings, rows)
    accuracy = measure_run(predictions)
    return ModelCard(
        run_id=run_id,
        experiment_id=run.experiment_id,
        architecture=run.architecture,
        display_name=display_architecture(run.architecture),
        data=data,
        split=split,
        settings=_settings(experiment.settings),
        accuracy=accuracy,
        repeats=_repeats(study, run),
        epochs_trained=_count_epochs(study, run_id),
        device=run.device,
        trained_at=run.finished_at.date().isoformat() if run.finished_at else None,
        versions={name: str(value) for name, value in run.versions.items()},
        limits=tuple(list_limits(data, split, accuracy)),
    )


def _spread(row: Descriptive) -> dict[str, float | int | None]:
    return {
        "n": row.n,
        "median": row.median,
        "q1": row.q1,
        "q3": row.q3,
        "minimum": row.minimum,
        "maximum": row.maximum,
    }


def _data_facts(study: Study, experiment: EvaluatedExperiment, rows: Sequence[Sample]) -> DataFacts:
    images = Counter(row.diagnosis for row in rows)
    cases = Counter({row.case_id: row.diagnosis for row in rows}.values())
    query = (
        select(func.count(func.distinct(Sample.case_id)))
        .join(Case, Case.case_id == Sample.case_id)
        .where(Sample.dataset_hash == experiment.dataset_hash, Case.synthetic.is_(True))
    )
    with study.session() as session:
        phantoms = session.scalar(query) or 0
    return DataFacts(
        dataset=experiment.dataset_hash,
        size_px=experiment.size_px,
        images={name: images[name] for name in experiment.classes},
        cases={name: cases[name] for name in experiment.classes},
        phantom_cases=phantoms,
        settings=dict(read_dataset(study, experiment.dataset_hash).settings),
    )


def _split_facts(split: Split, settings: TrainingSettings, rows: Sequence[Sample]) -> SplitFacts:
    case_of = {row.sample_index: row.case_id for row in rows}

    def part(samples: Iterable[int]) -> Part:
        chosen = [case_of[sample] for sample in samples]
        return Part(images=len(chosen), cases=len(set(chosen)))

    learned = {case_of[sample] for sample in (*split.train, *split.validation)}
    return SplitFacts(
        unit=split.unit,
        repeat=split.repeat,
        seed=split.seed,
        test_fraction=settings.test_fraction,
        validation_fraction=settings.validation_fraction,
        train=part(split.train),
        validation=part(split.validation),
        test=part(split.test),
        shared_cases=len(learned & {case_of[sample] for sample in split.test}),
    )


def _settings(settings: TrainingSettings) -> dict[str, Any]:
    """Return the settings; of a weight file its name without folders, which are a machine's own business."""
    values = settings.to_dict()
    return {**values, "weights": Path(values["weights"]).name}


def _repeats(study: Study, run: Run) -> tuple[Descriptive, ...]:
    accuracies: dict[str, list[float]] = {}
    for one in read_finished_runs(study, run.experiment_id):
        accuracies.setdefault(one.architecture, []).append(one.accuracy)
    usable = {name: numbers for name, numbers in accuracies.items() if not all(map(math.isnan, numbers))}
    return compare(usable).descriptive if usable else ()


def _count_epochs(study: Study, run_id: str) -> int:
    with study.session() as session:
        return session.scalar(select(func.count()).select_from(Epoch).where(Epoch.run_id == run_id)) or 0
