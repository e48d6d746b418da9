from __future__ import annotations

import pytest
from sqlalchemy import select

from brainmri.errors import TrainingError, UsageError, WeightsMissing
from brainmri.training.experiments import create_experiment, read_experiment, read_run, read_split, run_seed
from brainmri.training.records import Experiment, Run, Split
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import add_dataset

SCRATCH = TrainingSettings(weights="scratch", repeats=3)


def nothing_stored(study) -> bool:
    with study.session() as session:
        return not any(session.scalars(select(kind)).all() for kind in (Experiment, Split, Run))


def test_an_experiment_queues_its_runs_on_the_same_splits(study):
    dataset = add_dataset(study)
    assert create_experiment(study, dataset, SCRATCH) == "exp-001"
    with study.session() as session:
        runs = session.scalars(select(Run)).all()
        splits = session.scalars(select(Split)).all()
    assert {run.run_id for run in runs} >= {"exp-001-resnet50-03", "exp-001-alexnet-01"}
    assert len(runs) == 9
    assert {run.status for run in runs} == {"queued"}
    assert len({run.seed for run in runs}) == 9
    assert [split.repeat for split in splits] == [1, 2, 3]
    assert len(splits[0].train) + len(splits[0].test) == 24
    assert TrainingSettings.from_dict(read_experiment(study, "exp-001").settings) == SCRATCH


def test_experiments_are_numbered_on(study):
    dataset = add_dataset(study)
    assert [create_experiment(study, dataset, SCRATCH) for _ in range(3)] == ["exp-001", "exp-002", "exp-003"]


def test_a_seed_of_a_run_does_not_depend_on_the_other_architectures(study):
    assert run_seed(0, "resnet50", 3) == run_seed(0, "resnet50", 3)
    assert len({run_seed(s, a, r) for s in (0, 1) for a in ("alexnet", "resnet50") for r in range(1, 11)}) == 40
    assert run_seed(2**31 - 1, "googlenet", 99) < 2**31


def test_missing_published_weights_are_said_before_anything_is_stored(study, monkeypatch, tmp_path):
    dataset = add_dataset(study)
    monkeypatch.setattr("brainmri.training.weights._FOLDER", tmp_path / "none")
    monkeypatch.setattr("brainmri.training.weights._fetch", lambda _status: False)
    with pytest.raises(WeightsMissing, match="AlexNet and GoogLeNet and ResNet50"):
        create_experiment(study, dataset, TrainingSettings())
    assert nothing_stored(study)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"architectures": ("alexnet", "vgg")}, UsageError, "Unknown architecture 'vgg'"),
        ({"architectures": ("alexnet", "alexnet")}, UsageError, "named twice"),
        ({"weights": "/nowhere/own.pth"}, TrainingError, "does not exist"),
    ],
)
def test_settings_that_cannot_work_store_nothing(study, changes, error, message):
    dataset = add_dataset(study)
    with pytest.raises(error, match=message):
        create_experiment(study, dataset, TrainingSettings(**({"weights": "scratch"} | changes)))
    assert nothing_stored(study)


def test_samples_that_are_too_small_are_refused(study):
    dataset = add_dataset(study, size_px=56)
    with pytest.raises(UsageError, match="have 56 px, and AlexNet needs 63 px or more"):
        create_experiment(study, dataset, SCRATCH)


def test_one_class_is_nothing_to_tell_apart(study):
    dataset = add_dataset(study, classes=1)
    with pytest.raises(TrainingError, match="has 1 class; networks need at least two"):
        create_experiment(study, dataset, SCRATCH)


def test_a_single_patient_of_a_class_is_named(study):
    dataset = add_dataset(study, patients=1)
    with pytest.raises(TrainingError, match="Glioblastoma has 1 patient"):
        create_experiment(study, dataset, SCRATCH)
    assert nothing_stored(study)


def test_what_is_not_there_is_said(study):
    with pytest.raises(TrainingError, match="no data set 'abc'"):
        create_experiment(study, "abc", SCRATCH)
    with pytest.raises(TrainingError, match="no experiment 'exp-009'"):
        read_experiment(study, "exp-009")
    with pytest.raises(TrainingError, match="no run 'exp-009-alexnet-01'"):
        read_run(study, "exp-009-alexnet-01")
    with pytest.raises(TrainingError, match="no split for repeat 1"):
        read_split(study, "exp-009", 1)
