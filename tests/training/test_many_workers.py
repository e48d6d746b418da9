"""Several workers and many kills: every run is done once, to its end, with the predictions of an undisturbed one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from brainmri.study import Study, open_study
from brainmri.training.experiments import create_experiment
from brainmri.training.heartbeats import list_workers
from brainmri.training.monitor import experiment_progress
from brainmri.training.records import Epoch, Prediction, Run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import DATASET, add_dataset

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.stress]


def make_experiment(study: Study, **changes) -> str:
    values = {
        "architectures": ("efficientnet_b0",),
        "epochs": 6,
        "batch_size": 8,
        "learning_rate": 0.01,
        "weights": "scratch",
        "device": "cpu",
    }
    if not study.dataset_folder(DATASET).exists():
        add_dataset(study, patients=3, slices=1)
    return create_experiment(study, DATASET, TrainingSettings(**(values | changes)))


def start_worker(study: Study) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "brainmri", "worker", "--processes", "1", "--study", str(study.folder)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def read_predictions(study: Study, experiment_id: str) -> dict[tuple[str, int, int], list[float]]:
    query = (
        select(Run.architecture, Run.repeat, Prediction.sample_index, Prediction.probabilities)
        .join(Run, Run.run_id == Prediction.run_id)
        .where(Run.experiment_id == experiment_id)
    )
    with study.session() as session:
        return {(name, repeat, index): list(found) for name, repeat, index, found in session.execute(query)}


def test_two_workers_do_thirty_runs_each_exactly_once(study):
    experiment = make_experiment(study, repeats=30, epochs=1)
    workers = [start_worker(study) for _ in range(2)]
    assert [worker.wait(400) for worker in workers] == [0, 0]
    with study.session() as session:
        runs = session.scalars(select(Run)).all()
        epochs = Counter(session.scalars(select(Epoch.run_id)))
        predictions = Counter(session.scalars(select(Prediction.run_id)))
    assert [(run.status, run.attempt) for run in runs] == [("finished", 1)] * 30
    assert len({run.worker_pid for run in runs}) == 2, "both had a share of the work"
    assert set(epochs.values()) == {1}
    assert set(predictions.values()) == {3}
    logs = [(study.run_folder(run.run_id) / "log.txt").read_text(encoding="utf-8") for run in runs]
    assert all(log.count("started") == 1 and log.count("finished") == 1 for log in logs)
    assert experiment_progress(study, experiment).status == "finished"


def test_kills_at_twenty_random_moments_change_nothing(study, tmp_path):
    killed = make_experiment(study, repeats=3, epochs=60, seed=1)
    rng = random.Random(20)
    copies = 0
    for _ in range(20):
        worker = start_worker(study)
        deadline = time.monotonic() + 60
        while not list_workers(study) and time.monotonic() < deadline and worker.poll() is None:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 6.0))
        copies += _copied_database_opens(study, tmp_path / "copy")
        victims = [worker.pid] if rng.random() < 0.5 else [one.pid for one in list_workers(study)]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it ended by itself a moment ago
                continue
        if worker.pid in victims:
            worker.wait()
        else:
            worker.kill()
            worker.wait()
        deadline = time.monotonic() + 30
        while list_workers(study) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert copies == 20
    assert start_worker(study).wait(400) == 0
    undisturbed = make_experiment(study, repeats=3, epochs=60, seed=1)
    assert start_worker(study).wait(400) == 0
    with study.session() as session:
        assert set(session.scalars(select(Run.status))) == {"finished"}
        assert max(session.scalars(select(Run.attempt).where(Run.experiment_id == killed))) > 1
        of_killed = select(Epoch.run_id, Epoch.epoch).join(Run).where(Run.experiment_id == killed)
        assert len(session.execute(of_killed).all()) == 3 * 60
    found, expected = read_predictions(study, killed), read_predictions(study, undisturbed)
    assert len(expected) == 9
    assert found == expected


def _copied_database_opens(study: Study, copy: Path) -> bool:
    """Copy the study as a person would, in the middle of training, and see whether its database is whole."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("study.db", "study.db-wal"):
        if (study.folder / name).exists():
            shutil.copy(study.folder / name, copy / name)
    check = sqlite3.connect(copy / "study.db").execute("PRAGMA integrity_check").fetchone()
    return check == ("ok",) and bool(experiment_progress(open_study(copy), "exp-001").total)
