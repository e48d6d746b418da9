"""What the driver makes of what befalls its tasks, on a cluster without Ray."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
from sqlalchemy import select

from brainmri.errors import TrainingError
from brainmri.study import Study
from brainmri.training.engines import ray as engine
from brainmri.training.engines.cluster import Cancelled, NodeLost, TaskFailed
from brainmri.training.engines.fleet import MOST_DEATHS, Fleet
from brainmri.training.engines.follow_ups import FollowUps
from brainmri.training.engines.messages import Beat, EpochDone, NodeOutcome, NodeResult
from brainmri.training.experiments import create_experiment, read_run
from brainmri.training.heartbeats import list_workers
from brainmri.training.jobs import pause
from brainmri.training.monitor import read_epochs
from brainmri.training.processes import own_identity
from brainmri.training.records import Prediction, Run
from brainmri.training.run_queue import requeue
from brainmri.training.settings import TrainingSettings
from brainmri.training.states import EpochRecord
from tests.training.engines.fake_cluster import FakeCluster, FakeTask
from tests.training.training_studies import add_dataset


@pytest.fixture
def experiment(study: Study, tiny) -> str:
    settings = TrainingSettings(
        architectures=("tiny",), repeats=3, epochs=2, weights="scratch", device="cpu", validation_fraction=0.3
    )
    return create_experiment(study, add_dataset(study), settings)


def make_fleet(study: Study, experiment: str, cluster: FakeCluster) -> Fleet:
    return Fleet(study, experiment, cluster, own_identity(), FollowUps(study, experiment, None), None)


def drive(fleet: Fleet, cluster: FakeCluster, *moments, stop=lambda: False) -> None:
    """Run a fleet; at each time that it waits, the next of the moments comes."""
    coming = iter(moments)

    def come() -> None:
        next(coming, lambda: pytest.fail("the driver waits for what will not come"))()

    cluster.on_wait = come
    fleet.run(lambda: None, stop)


def statuses(study: Study) -> list[str]:
    with study.session() as session:
        return list(session.scalars(select(Run.status).order_by(Run.run_id)))


def epoch(number: int) -> EpochDone:
    return EpochDone(
        asdict(EpochRecord(epoch=number, train_loss=1.0, train_accuracy=0.5, learning_rate=0.01, seconds=1.0))
    )


def result_of(task: FakeTask) -> NodeOutcome:
    job = task.job
    probabilities = np.eye(3, dtype=np.float32)[job.labels]
    result = NodeResult(
        test=job.test,
        true=job.labels[job.test],
        predicted=job.labels[job.test],
        probabilities=probabilities[job.test],
        validation=job.validation,
        validation_true=job.labels[job.validation],
        validation_probabilities=probabilities[job.validation],
        images_per_second=10.0,
        seconds=2.0,
        device="cpu: test",
        precision="fp32",
        peak_memory_bytes=1,
        remarks=(),
        accuracy=1.0,
        versions={"torch": "of the node"},
        checkpoint=np.frombuffer(b"network", dtype=np.uint8),
    )
    return NodeOutcome(ending="finished", result=result)


def finish(cluster: FakeCluster) -> None:
    """Let all tasks end that run."""
    for task in cluster.tasks:
        if task.ending is None:
            task.ending = result_of(task)


def test_runs_are_handed_out_by_room_and_stored_once(study, experiment):
    cluster = FakeCluster(room=2)
    seen: list[int] = []

    def finish_all() -> None:
        seen.append(len(cluster.tasks))
        finish(cluster)

    drive(make_fleet(study, experiment, cluster), cluster, finish_all, finish_all)
    assert seen == [2, 3], "a third is handed out only when a place is free"
    assert statuses(study) == ["finished"] * 3
    assert len(cluster.shared) == 1, "samples travel once"
    run = read_run(study, "exp-001-tiny-01")
    assert (run.accuracy, run.attempt, run.versions["torch"]) == (1.0, 1, "of the node")
    assert (study.run_folder(run.run_id) / "checkpoint.safetensors").read_bytes() == b"network"
    with study.session() as session:
        stored = session.scalars(select(Prediction.sample_index).where(Prediction.run_id == run.run_id)).all()
    assert sorted(stored) == sorted(next(t for t in cluster.tasks if t.job.run_id == run.run_id).job.test)


def test_nothing_that_is_sent_names_a_case(study, experiment):
    cluster = FakeCluster(room=3)
    drive(make_fleet(study, experiment, cluster), cluster, lambda: finish(cluster))
    assert all("case-" not in repr(task.arguments) for task in cluster.tasks)


def test_epochs_and_signs_of_life_arrive_in_the_study(study, experiment):
    cluster = FakeCluster(room=1)

    def begin() -> None:
        cluster.begin(cluster.tasks[0])
        cluster.say(cluster.tasks[0], epoch(1), Beat(load=0.5, memory_bytes=1000))

    def look() -> None:
        assert [row.epoch for row in read_epochs(study, experiment)] == [1]
        rows = [(row.host, row.pid, row.load, row.memory_bytes) for row in list_workers(study)]
        assert rows == [("node-7", 4711, 0.5, 1000)]
        finish(cluster)

    drive(make_fleet(study, experiment, cluster), cluster, begin, look, *[lambda: finish(cluster)] * 2)
    assert list_workers(study) == []


def test_a_run_of_a_lost_node_goes_on_elsewhere_from_its_last_state(study, experiment):
    cluster = FakeCluster(room=1)
    state = np.frombuffer(b"state after epoch 1", dtype=np.uint8)

    def work() -> None:
        cluster.begin(cluster.tasks[0])
        cluster.say(cluster.tasks[0], epoch(1), state=state)
        cluster.say(cluster.tasks[0], epoch(2))

    def lose() -> None:
        cluster.tasks[0].ending = NodeLost("The node died.")

    def go_on() -> None:
        again = cluster.tasks[1]
        assert again.job.run_id == cluster.tasks[0].job.run_id
        assert again.arguments[4].tobytes() == b"state after epoch 1"
        cluster.begin(again, epochs=1)

    def see_forgotten() -> None:
        assert [row.epoch for row in read_epochs(study, experiment)] == [1], "epoch 2 comes again"
        assert cluster.say(cluster.tasks[0], epoch(2)) == "stop", "the first task, should it still live, is not heard"
        finish(cluster)

    moments = work, lose, go_on, see_forgotten, *[lambda: finish(cluster)] * 2
    drive(make_fleet(study, experiment, cluster), cluster, *moments)
    run = read_run(study, cluster.tasks[0].job.run_id)
    assert (run.status, run.attempt) == ("finished", 2)
    assert run.remark == "Went on after epoch 1 where it was interrupted."
    assert not (study.run_folder(run.run_id) / "state.safetensors").exists()


def test_a_run_that_loses_nodes_again_and_again_fails_and_the_others_finish(study, experiment):
    cluster = FakeCluster(room=1)

    def lose() -> None:
        cluster.tasks[-1].ending = NodeLost("Memory ran out.")

    drive(make_fleet(study, experiment, cluster), cluster, *[lose] * MOST_DEATHS, *[lambda: finish(cluster)] * 2)
    assert sorted(statuses(study)) == ["failed", "finished", "finished"]
    run = read_run(study, cluster.tasks[0].job.run_id)
    assert "lost 3 times over this run" in run.message
    assert "smaller batch size" in run.message


def test_a_failure_on_a_node_is_told_in_its_words(study, experiment):
    cluster = FakeCluster(room=3)

    def fail() -> None:
        cluster.tasks[0].ending = NodeOutcome(ending="failed", message="The loss is infinite.", detail="line 3")
        cluster.tasks[1].ending = TaskFailed(MemoryError(), "line 4")
        finish(cluster)

    drive(make_fleet(study, experiment, cluster), cluster, fail)
    runs = [read_run(study, task.job.run_id) for task in cluster.tasks]
    assert [run.status for run in runs] == ["failed", "failed", "finished"]
    assert runs[0].message == "The loss is infinite."
    assert runs[1].message.startswith("Memory ran out.")
    assert "line 3" in (study.run_folder(runs[0].run_id) / "log.txt").read_text()


def test_a_node_that_cannot_train_ends_the_whole_and_loses_no_run(study, experiment):
    cluster = FakeCluster(room=2)
    fleet = make_fleet(study, experiment, cluster)

    def refuse() -> None:
        cluster.tasks[0].ending = NodeOutcome(ending="unfit", message="The node node-7 cannot train: no torch.")

    with pytest.raises(TrainingError, match="node-7 cannot train"):
        drive(fleet, cluster, refuse)
    fleet.abandon()
    assert statuses(study) == ["queued"] * 3


def test_a_lost_cluster_leaves_all_runs_in_the_queue(study, experiment):
    cluster = FakeCluster(room=2)
    fleet = make_fleet(study, experiment, cluster)

    def lose() -> None:
        cluster.lost = True

    with pytest.raises(TrainingError, match="connection to the Ray cluster was lost"):
        drive(fleet, cluster, lose)
    fleet.abandon()
    fleet.end()
    assert statuses(study) == ["queued"] * 3


def test_a_lost_connection_is_made_again_and_all_runs_finish(study, experiment, monkeypatch):
    first, second = FakeCluster(room=2), FakeCluster(room=2)
    first.on_wait = partial(setattr, first, "lost", True)
    second.on_wait = partial(finish, second)
    clusters = iter([first, second])
    monkeypatch.setattr(engine, "Cluster", lambda _address: next(clusters))
    engine.work_on_ray(study, experiment)
    assert statuses(study) == ["finished"] * 3
    assert (first.closed, second.closed) == (True, True)
    assert list_workers(study) == []


def test_a_cluster_that_is_lost_every_time_is_given_up(study, experiment, monkeypatch):
    def connect(_address: str | None) -> FakeCluster:
        cluster = FakeCluster(room=2)
        cluster.on_wait = partial(setattr, cluster, "lost", True)
        return cluster

    monkeypatch.setattr(engine, "Cluster", connect)
    with pytest.raises(TrainingError, match="connection to the Ray cluster was lost"):
        engine.work_on_ray(study, experiment)
    assert statuses(study) == ["queued"] * 3


def test_a_stop_reaches_the_nodes_and_takes_back_what_has_not_begun(study, experiment, monkeypatch):
    monkeypatch.setattr("brainmri.training.engines.fleet._ORDER_S", 0.0)
    cluster, asked = FakeCluster(room=2), []
    fleet = make_fleet(study, experiment, cluster)

    def begin() -> None:
        cluster.begin(cluster.tasks[0])
        asked.append(True)

    def stop() -> None:
        assert cluster.say(cluster.tasks[0]) == "stop"
        assert [task.cancelled for task in cluster.tasks] == [False, True]
        cluster.tasks[0].ending = NodeOutcome(ending="stopped", message="Stopped.")
        cluster.tasks[1].ending = Cancelled()

    drive(fleet, cluster, begin, stop, stop=lambda: bool(asked))
    fleet.end()
    assert fleet.stopping
    assert statuses(study).count("stopped") == 2
    assert len(cluster.tasks) == 2, "none is begun after a stop"


def test_a_pause_puts_runs_back_and_keeps_their_states(study, experiment, monkeypatch):
    monkeypatch.setattr("brainmri.training.engines.fleet._ORDER_S", 0.0)
    cluster = FakeCluster(room=1)

    def begin() -> None:
        cluster.begin(cluster.tasks[0])
        pause(study, experiment)

    def obey() -> None:
        task = cluster.tasks[0]
        assert cluster.say(task, epoch(1), state=np.frombuffer(b"state", dtype=np.uint8)) == "pause"
        task.ending = NodeOutcome(ending="paused")

    drive(make_fleet(study, experiment, cluster), cluster, begin, obey)
    assert statuses(study) == ["queued"] * 3
    assert (study.run_folder(cluster.tasks[0].job.run_id) / "state.safetensors").read_bytes() == b"state"
    assert list_workers(study) == []


def test_a_result_of_a_run_that_another_process_took_is_thrown_away(study, experiment):
    cluster = FakeCluster(room=1)

    def take_away() -> None:
        run_id = cluster.tasks[0].job.run_id
        requeue(study, [run_id])
        with study.session() as session:
            run = session.get(Run, run_id)
            run.status, run.attempt = "running", run.attempt + 1
        finish(cluster)

    drive(make_fleet(study, experiment, cluster), cluster, take_away, *[lambda: finish(cluster)] * 2)
    run_id = cluster.tasks[0].job.run_id
    assert read_run(study, run_id).status == "running", "it is the other one's"
    with study.session() as session:
        assert session.scalars(select(Prediction).where(Prediction.run_id == run_id)).all() == []
    assert "lost to another process" in (study.run_folder(run_id) / "log.txt").read_text()


def test_a_cluster_without_room_is_given_up_in_words(study, experiment, monkeypatch):
    monkeypatch.setattr("brainmri.training.engines.fleet._NO_ROOM_S", 0.0)
    cluster = FakeCluster(room=0)
    with pytest.raises(TrainingError, match="none of them had a processor core for a run"):
        drive(make_fleet(study, experiment, cluster), cluster, *[lambda: None] * 3)


@pytest.mark.parametrize(
    ("changes", "gpu", "share"),
    [
        ({"device": "cpu"}, True, 0.0),
        ({"device": "auto"}, False, 0.0),
        ({"device": "auto"}, True, 0.5),
        ({"device": "cuda", "processes": 3}, True, 0.3333),
        ({"device": "cuda", "processes": 1}, True, 1.0),
    ],
)
def test_a_run_takes_its_share_of_a_gpu(study, tiny, changes, gpu, share):
    settings = TrainingSettings(architectures=("tiny",), repeats=1, weights="scratch", **changes)
    name = create_experiment(study, add_dataset(study), settings)
    cluster = FakeCluster(gpu=gpu)
    drive(make_fleet(study, name, cluster), cluster, lambda: finish(cluster))
    assert cluster.demands == [share]
    assert cluster.tasks[0].job.network.device == ("cuda" if share else "cpu")
