from __future__ import annotations

import time
from datetime import timedelta

import pytest

from brainmri.database import utc_now
from brainmri.training import run_queue
from brainmri.training.experiments import create_experiment
from brainmri.training.jobs import describe_progress
from brainmri.training.monitor import experiment_progress, list_experiments, read_epochs
from brainmri.training.processes import ProcessIdentity, own_identity
from brainmri.training.records import Epoch, Run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import add_dataset


@pytest.fixture
def half_done(study) -> str:
    """Return an experiment of 30 runs: each architecture twice finished, one at work, the rest queued."""
    settings = TrainingSettings(weights="scratch", epochs=10)
    experiment_id = create_experiment(study, add_dataset(study), settings)
    seconds = {"alexnet": 20.0, "googlenet": 10.0, "resnet50": 40.0}
    now = utc_now()
    for index in range(7):
        run = run_queue.claim_run(study, experiment_id, own_identity())
        with study.session() as session:
            row = session.get(Run, run.run_id)
            done = 10 if index < 6 else 5
            session.add_all(
                Epoch(run_id=run.run_id, epoch=e, train_loss=1, train_accuracy=0.5, learning_rate=0.1, seconds=2)
                for e in range(1, done + 1)
            )
            # one process, each run begun when the one before had ended
            row.started_at = now - timedelta(seconds=sum(list(seconds.values()) * 2) - sum(_before(index)))
            if index < 6:
                row.status, row.seconds, row.accuracy = "finished", seconds[row.architecture], 0.8
    return experiment_id


def _before(index: int) -> list[float]:
    order = [40.0, 20.0, 10.0] * 3
    return order[:index]


def test_time_left_weighs_architectures_by_what_they_take(study, half_done):
    progress = experiment_progress(study, half_done)
    assert (progress.status, progress.finished, progress.total) == ("running", 6, 30)
    total, done = 10 * (20 + 10 + 40), 2 * (20 + 10 + 40) + 40 * 0.97 / 2
    assert progress.fraction == pytest.approx(done / total)
    assert progress.seconds_left == pytest.approx(total - done, abs=1)
    assert describe_progress(progress) == "6 of 30 runs finished"


def test_rows_are_ordered_by_repeat_and_show_the_running_one(study, half_done):
    rows = experiment_progress(study, half_done).runs
    assert [row.run_id for row in rows[:3]] == [f"exp-001-{name}-01" for name in ("alexnet", "googlenet", "resnet50")]
    (running,) = [row for row in rows if row.status == "running"]
    assert (running.architecture, running.repeat, running.epoch, running.epochs) == ("resnet50", 3, 5, 10)
    assert running.seconds >= 0


def test_thirty_runs_are_read_within_fifty_milliseconds(study, half_done):
    def best(call) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
        return min(times)

    assert best(lambda: experiment_progress(study, half_done)) < 0.05
    assert best(lambda: list_experiments(study)) < 0.05
    assert best(lambda: read_epochs(study, half_done)) < 0.05


def test_an_experiment_whose_process_is_gone_is_interrupted(study):
    settings = TrainingSettings(weights="scratch", repeats=1)
    experiment_id = create_experiment(study, add_dataset(study), settings)
    run_queue.claim_run(study, experiment_id, ProcessIdentity(2**22 + 1, 1.0, own_identity().host))
    progress = experiment_progress(study, experiment_id)
    assert (progress.status, progress.seconds_left) == ("interrupted", None)
    assert list_experiments(study)[0].status == "interrupted"
