from __future__ import annotations

import pytest
from sqlalchemy import update

from brainmri.training.experiments import create_experiment
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.keeping import keep_best_checkpoints
from brainmri.training.records import Epoch, Run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import add_dataset

LOSSES = {"exp-001-alexnet-01": (0.9, 0.2), "exp-001-alexnet-02": (0.5, 0.4), "exp-001-googlenet-01": (0.8, 0.7)}
"""Validation loss of two epochs."""


def make(study, **changes) -> str:
    settings = TrainingSettings(architectures=("alexnet", "googlenet"), repeats=2, weights="scratch", **changes)
    experiment = create_experiment(study, add_dataset(study, patients=6), settings)
    with study.session() as session:
        for run_id, (first, second) in LOSSES.items():
            session.execute(update(Run).where(Run.run_id == run_id).values(status="finished", accuracy=0.1 + first))
            for epoch, loss in enumerate((first, second), start=1):
                session.add(
                    Epoch(
                        run_id=run_id,
                        epoch=epoch,
                        train_loss=1 - loss,
                        train_accuracy=0.5,
                        learning_rate=0.1,
                        seconds=1,
                        validation_loss=loss if settings.validation_fraction else None,
                    )
                )
            path = study.run_folder(run_id) / CHECKPOINT_FILE
            path.parent.mkdir(parents=True)
            path.write_bytes(b"weights")
    return experiment


def kept(study) -> set[str]:
    return {run_id for run_id in LOSSES if (study.run_folder(run_id) / CHECKPOINT_FILE).exists()}


def test_every_network_stays_where_all_are_kept(study):
    assert keep_best_checkpoints(study, make(study)) == []
    assert kept(study) == set(LOSSES)


@pytest.mark.parametrize(
    ("changes", "best"),
    [({"validation_fraction": 0.2}, "exp-001-alexnet-01"), ({}, "exp-001-alexnet-02")],
    ids=["lowest validation loss", "lowest training loss"],
)
def test_the_best_of_each_architecture_stays(study, changes, best):
    experiment = make(study, keep_checkpoints="best", **changes)
    other = ({"exp-001-alexnet-01", "exp-001-alexnet-02"} - {best}).pop()
    assert keep_best_checkpoints(study, experiment) == [other]
    assert kept(study) == {best, "exp-001-googlenet-01"}
