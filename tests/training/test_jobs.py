from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from brainmri.errors import TrainingError
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study, open_study
from brainmri.training.checkpoints import read_checkpoint
from brainmri.training.experiments import create_experiment, read_run
from brainmri.training.file_names import CHECKPOINT_FILE, STATE_FILE
from brainmri.training.heartbeats import list_workers
from brainmri.training.jobs import describe_progress, pause, request_stop, resume_experiment, work, work_queue
from brainmri.training.loop import predict
from brainmri.training.monitor import experiment_progress, list_experiments, read_epochs
from brainmri.training.processes import is_alive
from brainmri.training.records import Prediction, Split
from brainmri.training.rerun import rerun_run
from brainmri.training.settings import TrainingSettings
from brainmri.training.state_pace import INTERVAL_VARIABLE
from tests.training.training_studies import DATASET, add_dataset


def experiment_values(**changes) -> dict:
    values = {
        "architectures": ("googlenet",),
        "repeats": 2,
        "epochs": 1,
        "batch_size": 8,
        "learning_rate": 0.01,
        "weights": "scratch",
        "device": "cpu",
    }
    return values | changes


def make_experiment(study: Study, **changes) -> str:
    return create_experiment(study, add_dataset(study), TrainingSettings(**experiment_values(**changes)))


def wait_for(condition: Callable[[], object], seconds: float = 90) -> object:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, list[tuple[float, str]]]]:
    """Return a study with a finished experiment of two runs, and the progress that was reported."""
    study = open_study(tmp_path_factory.mktemp("finished") / "study")
    make_experiment(study, checkpoint_dtype="float16")
    reports: list[tuple[float, str]] = []
    after_run = "tests.training.training_studies:note_run"
    work(study, "exp-001", after_run=after_run, progress=lambda share, text: reports.append((share, text)))
    yield study, reports


def test_all_runs_finish_and_say_how(finished):
    study, _reports = finished
    progress = experiment_progress(study, "exp-001")
    assert (progress.status, progress.finished, progress.total, progress.fraction) == ("finished", 2, 2, 1.0)
    assert progress.seconds_left is None
    for row in progress.runs:
        assert 0 <= row.accuracy <= 1
        assert row.images_per_second > 0
        assert (row.epoch, row.epochs, row.message) == (1, 1, None)
        run = read_run(study, row.run_id)
        assert run.device.startswith("cpu")
        assert run.versions["torch"]
        assert "finished after" in (study.run_folder(row.run_id) / "log.txt").read_text()


def test_predictions_are_those_of_the_stored_checkpoint(finished):
    study, _reports = finished
    with study.session() as session:
        query = select(Prediction).where(Prediction.run_id == "exp-001-googlenet-01").order_by(Prediction.sample_index)
        rows = session.scalars(query).all()
        split = session.scalars(select(Split).where(Split.repeat == 1)).one()
    assert [row.sample_index for row in rows] == split.test
    model, meta = read_checkpoint(study.run_folder("exp-001-googlenet-01") / CHECKPOINT_FILE)
    samples = read_samples(study, meta["dataset"])[split.test]
    stored = np.array([row.probabilities for row in rows])
    np.testing.assert_array_equal(stored, predict(model, samples))  # one thread here and there
    assert [row.predicted_class for row in rows] == stored.argmax(axis=1).tolist()
    assert meta["run"] == "exp-001-googlenet-01"
    assert meta["target_layer"] == "inception3b"
    assert meta["classes"] == ["glioblastoma", "PCNSL", "meningioma"]


def test_what_follows_a_run_is_called_with_it(finished):
    study, _reports = finished
    assert (study.run_folder("exp-001-googlenet-02") / "noted.txt").read_text() == "exp-001-googlenet-02"


def test_progress_never_falls_and_ends_at_one(finished):
    _study, reports = finished
    shares = [share for share, _text in reports]
    assert shares == sorted(shares)
    assert reports[-1] == (1.0, "2 of 2 runs finished")


def test_a_run_repeated_gives_the_same_bits_and_a_changed_prediction_is_found(finished):
    study, _ = finished
    found = rerun_run(study, "exp-001-googlenet-01", progress=lambda _share, _text: None)
    assert found.matched
    assert (found.largest_difference, found.differing_classes, found.differences) == (0.0, 0, {})
    assert found.accuracy == found.accuracy_again
    assert "the same predictions again" in found.describe()
    with study.session() as session:
        changed = session.scalars(select(Prediction).where(Prediction.run_id == "exp-001-googlenet-02")).first()
        before = changed.probabilities
        changed.probabilities = [1.0, 0.0, 0.0] if before[0] < 0.5 else [0.0, 1.0, 0.0]
    other = rerun_run(study, "exp-001-googlenet-02", progress=lambda _share, _text: None)
    with study.session() as session:
        session.merge(changed).probabilities = before
    assert not other.matched
    assert (other.differing_classes, other.largest_difference > 0.4) == (1, True)


def test_working_again_on_a_finished_experiment_does_nothing(finished):
    study, _reports = finished
    before = read_run(study, "exp-001-googlenet-01").finished_at
    work(study, "exp-001")
    assert read_run(study, "exp-001-googlenet-01").finished_at == before


def test_lists_and_curves_of_a_finished_experiment(finished):
    study, _reports = finished
    (summary,) = list_experiments(study)
    assert (summary.experiment_id, summary.status, summary.finished, summary.total) == ("exp-001", "finished", 2, 2)
    assert summary.synthetic
    points = read_epochs(study, "exp-001")
    assert [(point.repeat, point.epoch) for point in points] == [(1, 1), (2, 1)]
    assert all(point.train_loss > 0 for point in points)


def stored_state(study: Study, run_id: str) -> bool:
    return (study.run_folder(run_id) / STATE_FILE).exists()


def predictions(study: Study, run_id: str) -> list[tuple[int, list[float]]]:
    query = select(Prediction.sample_index, Prediction.probabilities).where(Prediction.run_id == run_id)
    with study.session() as session:
        return sorted((index, list(probabilities)) for index, probabilities in session.execute(query))


def test_a_run_whose_process_was_killed_ends_as_one_that_was_not(study, monkeypatch):
    monkeypatch.setenv(INTERVAL_VARIABLE, "0")  # a fast machine trains twelve such epochs before a state is due
    settings = {"repeats": 1, "epochs": 12, "processes": 1, "validation_fraction": 0.3}
    make_experiment(study, **settings)
    run_id = "exp-001-googlenet-01"

    def kill_at_work() -> None:
        wait_for(lambda: stored_state(study, run_id))
        os.kill(read_run(study, run_id).worker_pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_at_work)
    killer.start()
    work(study, "exp-001")
    killer.join()
    killed = read_run(study, run_id)
    assert (killed.status, killed.attempt) == ("finished", 2)
    assert "Went on after epoch" in killed.remark
    assert [point.epoch for point in read_epochs(study, "exp-001")] == list(range(1, 13))
    assert not stored_state(study, run_id)
    assert not list_workers(study)
    undisturbed = create_experiment(study, DATASET, TrainingSettings(**experiment_values(**settings)))
    work(study, undisturbed)
    assert predictions(study, run_id) == predictions(study, f"{undisturbed}-googlenet-01")


def test_a_process_that_is_killed_again_and_again_fails_its_run_and_no_other(study):
    make_experiment(study, repeats=2, epochs=40, processes=1, architectures=("resnet50",))

    def kill_at_work() -> None:
        pids: set[int] = set()
        for _ in range(3):

            def at_work() -> int | None:
                run = read_run(study, "exp-001-resnet50-01")
                return run.worker_pid if run.status == "running" and run.worker_pid not in pids else None

            pid = wait_for(at_work)
            pids.add(pid)
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: experiment_progress(study, "exp-001").runs[1].epoch)
        request_stop(study, "exp-001")

    killer = threading.Thread(target=kill_at_work)
    killer.start()
    work(study, "exp-001")
    killer.join()
    first, second = experiment_progress(study, "exp-001").runs
    assert first.status == "failed"
    assert "ended from outside or crashed (signal 9), 3 times" in first.message
    assert second.status == "stopped"  # it was begun by a new process, and stopped so that this test ends
    assert second.epoch >= 1


def test_a_paused_run_goes_back_into_the_queue_with_its_epochs_and_a_worker_goes_on_with_it(study):
    make_experiment(study, repeats=1, epochs=16)
    run_id = "exp-001-googlenet-01"

    def pause_at_work() -> None:
        wait_for(lambda: read_epochs(study, "exp-001"))
        pause(study, "exp-001")

    pauser = threading.Thread(target=pause_at_work)
    pauser.start()
    work_queue(study, processes=1)
    pauser.join()
    progress = experiment_progress(study, "exp-001")
    done = progress.runs[0].epoch
    assert (progress.status, progress.runs[0].status) == ("paused", "queued")
    assert 1 <= done < 16
    resume_experiment(study, "exp-001")
    work_queue(study, processes=1)
    run = read_run(study, run_id)
    assert (run.status, run.remark) == ("finished", f"Went on after epoch {done} where it was interrupted.")


def test_a_stop_ends_at_the_next_batch_and_work_goes_on_later(study):
    make_experiment(study, repeats=3, epochs=2, processes=1)
    asked_at: list[float] = []

    def stop() -> bool:
        if not asked_at and read_epochs(study, "exp-001"):
            asked_at.append(time.monotonic())
        return bool(asked_at)

    work(study, "exp-001", stop=stop)
    assert time.monotonic() - asked_at[0] < 60
    progress = experiment_progress(study, "exp-001")
    assert progress.status == "stopped"
    assert {row.status for row in progress.runs} <= {"stopped", "finished"}
    assert progress.finished < 3
    work(study, "exp-001", after_run="tests.training.training_studies:fail_after_run")
    rows = experiment_progress(study, "exp-001").runs
    assert [row.status for row in rows] == ["finished"] * 3
    assert "no map of exp-001-googlenet-03" in rows[2].message


def test_a_run_that_cannot_work_fails_alone(study):
    make_experiment(study, repeats=2)
    with study.session() as session:
        split = session.scalars(select(Split).where(Split.repeat == 1)).one()
        split.test = [*split.test, split.train[0]]
    work(study, "exp-001")
    first, second = experiment_progress(study, "exp-001").runs
    assert (first.status, second.status) == ("failed", "finished")
    assert "stands both among the training and the test images" in first.message
    assert "LeakError" in Path(study.run_folder(first.run_id) / "log.txt").read_text()
    assert experiment_progress(study, "exp-001").status == "failed"


def test_processes_that_cannot_start_are_explained(study, monkeypatch):
    make_experiment(study, repeats=1)
    monkeypatch.setattr("brainmri.training.jobs._serve", os._exit)  # gets a path, not a number: raises in the child
    with pytest.raises(TrainingError, match="Training processes end before they take a run"):
        work(study, "exp-001")


def test_an_unknown_experiment_is_said(study):
    for function in (work, request_stop, experiment_progress):
        with pytest.raises(TrainingError, match="no experiment 'exp-007'"):
            function(study, "exp-007")


def test_progress_of_a_queued_experiment(study):
    make_experiment(study)
    progress = experiment_progress(study, "exp-001")
    assert (progress.status, progress.fraction, progress.seconds_left) == ("queued", 0.0, None)
    assert describe_progress(progress) == "0 of 2 runs finished"


def test_training_processes_do_not_outlive_the_one_that_watches_them(study):
    make_experiment(study, repeats=1, epochs=200, architectures=("resnet50",))
    code = (
        "import sys; from pathlib import Path; from brainmri.study import open_study; "
        "from brainmri.training.jobs import work; work(open_study(Path(sys.argv[1])), 'exp-001')"
    )
    root = Path(__file__).resolve().parents[2]
    watcher = subprocess.Popen([sys.executable, "-c", code, str(study.folder)], cwd=root, stderr=subprocess.DEVNULL)
    wait_for(lambda: read_epochs(study, "exp-001"))
    run = read_run(study, "exp-001-resnet50-01")
    watcher.kill()
    watcher.wait()
    wait_for(lambda: not is_alive(run.worker_pid, run.worker_created, run.worker_host), 60)
    again = read_run(study, run.run_id)
    assert (again.status, again.worker_pid) == ("queued", None)
