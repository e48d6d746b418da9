"""Rows of an experiment whose networks guess with a fixed skill, for tests that need results and no training."""

from __future__ import annotations

import numpy as np

from brainmri.imaging.records import Dataset, Sample
from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Prediction, Run, Split
from brainmri.training.settings import TrainingSettings

CLASSES = ("glioblastoma", "PCNSL", "meningioma")
SKILL = {"alexnet": 2.4, "googlenet": 1.8, "resnet50": 1.2}


def add_experiment(
    study: Study,
    *,
    repeats: int = 4,
    cases: int = 12,
    slices: int = 3,
    experiment_id: str = "exp-001",
    finished: bool = True,
    split_by: str = "patient",
) -> str:
    """Add an experiment, and its data set where there is none yet; every tenth case is hard."""
    settings = TrainingSettings(repeats=repeats, split_by=split_by)
    with study.session() as session:
        if session.get(Dataset, "d" * 16) is None:
            _add_dataset(session, cases, slices)
        session.add(Experiment(experiment_id=experiment_id, dataset_hash="d" * 16, settings=settings.to_dict()))
        session.flush()
        _add_runs(session, experiment_id, settings, cases, slices, finished)
    return experiment_id


def _add_dataset(session, cases, slices):
    for case in range(cases):
        session.add(
            Case(
                case_id=f"case-{case + 1:04d}",
                diagnosis=CLASSES[case % 3],
                synthetic=True,
                source="DICOM",
                content_digest=str(case),
                slices=slices,
                rows=8,
                columns=8,
                spacing_mm=[5.0, 1.0, 1.0],
                clinical={},
            )
        )
    session.add(
        Dataset(
            hash="d" * 16,
            size_px=64,
            classes=list(CLASSES),
            sample_count=cases * slices,
            case_count=cases,
            synthetic=True,
            settings={},
        )
    )
    session.flush()
    for index in range(cases * slices):
        session.add(
            Sample(
                dataset_hash="d" * 16,
                sample_index=index,
                case_id=f"case-{index // slices + 1:04d}",
                diagnosis=CLASSES[index // slices % 3],
                slice_index=index % slices,
                row=0,
                column=0,
                size_px=8,
            )
        )
    session.flush()


def _add_runs(session, experiment_id, settings, cases, slices, finished):
    draw = np.random.default_rng(7)
    for repeat in range(1, settings.repeats + 1):
        tested = np.sort(draw.choice(cases, size=max(cases // 3, 1), replace=False))
        test = [int(case * slices + i) for case in tested for i in range(slices)]
        train = sorted(set(range(cases * slices)) - set(test))
        session.add(
            Split(experiment_id=experiment_id, repeat=repeat, unit="patient", seed=90 + repeat, train=train, test=test)
        )
        for architecture in settings.architectures:
            _add_run(session, experiment_id, architecture, repeat, test, slices, draw, finished)


def _add_run(session, experiment_id, architecture, repeat, test, slices, draw, finished):
    run_id = f"{experiment_id}-{architecture}-{repeat:02d}"
    truth = np.array(test) // slices % 3
    logits = draw.normal(size=(len(test), 3))
    hard = np.array(test) // slices % 10 == 9
    logits[np.arange(len(test)), truth] += SKILL[architecture] - 3.0 * hard
    odds = np.exp(logits)
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    session.add(
        Run(
            run_id=run_id,
            experiment_id=experiment_id,
            architecture=architecture,
            repeat=repeat,
            seed=repeat,
            status=FINISHED if finished else "queued",
            accuracy=float((predicted == truth).mean()) if finished else None,
            seconds=12.5,
            images_per_second=140.0,
            device="cpu",
            versions={},
        )
    )
    session.flush()
    if finished:
        session.add_all(
            Prediction(
                run_id=run_id,
                sample_index=index,
                true_class=int(truth[i]),
                predicted_class=int(predicted[i]),
                probabilities=[float(p) for p in probabilities[i]],
            )
            for i, index in enumerate(test)
        )
