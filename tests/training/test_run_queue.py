from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import select, update

from brainmri.database import utc_now
from brainmri.training import run_queue
from brainmri.training.experiments import create_experiment, read_run
from brainmri.training.jobs import pause, recover, request_stop, resume_experiment
from brainmri.training.monitor import experiment_progress
from brainmri.training.processes import ProcessIdentity, is_alive, own_identity
from brainmri.training.records import Epoch, Run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import add_dataset

GONE = ProcessIdentity(2**22 + 1, 1.0, own_identity().host)


@pytest.fixture
def experiment(study) -> str:
    """Return an experiment of two repeats of all three architectures, queued."""
    return create_experiment(study, add_dataset(study), TrainingSettings(weights="scratch", repeats=2))


def statuses(study) -> list[str]:
    with study.session() as session:
        return sorted(session.scalars(select(Run.status)))


def test_the_queue_goes_by_repeat_the_longest_first(study, experiment):
    taken = [run_queue.claim_run(study, experiment, own_identity()) for _ in range(7)]
    assert taken[6] is None
    assert [run.run_id[8:] for run in taken if run] == [
        "resnet50-01",
        "alexnet-01",
        "googlenet-01",
        "resnet50-02",
        "alexnet-02",
        "googlenet-02",
    ]


def test_no_run_is_taken_twice(study, experiment):
    def take(_index: int) -> str | None:
        run = run_queue.claim_run(study, experiment, own_identity())
        return run.run_id if run else None

    with ThreadPoolExecutor(8) as pool:
        taken = [run_id for run_id in pool.map(take, range(12)) if run_id]
    assert len(taken) == len(set(taken)) == 6


def test_a_run_whose_process_is_gone_is_put_back(study, experiment):
    left = run_queue.claim_run(study, experiment, GONE)
    kept = run_queue.claim_run(study, experiment, own_identity())
    with study.session() as session:
        session.add(Epoch(run_id=left.run_id, epoch=1, train_loss=1, train_accuracy=0.5, learning_rate=0.1, seconds=1))
    assert recover(study, experiment) == [left.run_id]
    again = read_run(study, left.run_id)
    assert (again.status, again.worker_pid, again.started_at) == ("queued", None, None)
    assert read_run(study, kept.run_id).status == "running"
    with study.session() as session:
        assert session.scalars(select(Epoch)).all(), "they stay: the run goes on from its last stored state"
    run_queue.forget_epochs(study, left.run_id, after=0)
    with study.session() as session:
        assert not session.scalars(select(Epoch)).all()


def test_a_process_that_lost_its_run_changes_nothing_any_more(study, experiment):
    lost = run_queue.claim_run(study, experiment, GONE)
    recover(study, experiment)
    again = run_queue.claim_run(study, experiment, own_identity())
    assert again.run_id == lost.run_id
    assert (lost.attempt, again.attempt) == (1, 2)
    assert not run_queue.end_run(study, lost, "failed", "Memory ran out.")
    assert not run_queue.put_back(study, lost)
    assert read_run(study, again.run_id).status == "running"
    assert run_queue.end_run(study, again, "stopped")


def test_another_machines_process_is_gone_when_it_has_been_silent_for_long(study, experiment):
    elsewhere = ProcessIdentity(17, 1.0, "another-machine")
    run = run_queue.claim_run(study, experiment, elsewhere)
    assert recover(study, None) == []
    with study.session() as session:
        silent = utc_now() - timedelta(seconds=run_queue.SILENCE_S + 1)
        session.execute(update(Run).where(Run.run_id == run.run_id).values(heartbeat_at=silent))
    assert recover(study, None) == [run.run_id]


def test_a_paused_experiment_gives_no_run_away(study, experiment):
    pause(study, experiment)
    assert run_queue.claim_run(study, None, own_identity()) is None
    assert experiment_progress(study, experiment).status == "paused"
    resume_experiment(study, experiment)
    assert run_queue.claim_run(study, None, own_identity()) is not None


def test_a_worker_takes_the_oldest_experiment_first_and_moved_runs_before_all(study, experiment):
    later = create_experiment(study, "0123456789abcdef", TrainingSettings(weights="scratch", repeats=1))
    run_queue.move_first(study, [f"{later}-alexnet-01"])
    taken = [run_queue.claim_run(study, None, own_identity()) for _ in range(9)]
    assert [run.run_id for run in taken if run][:2] == [f"{later}-alexnet-01", f"{experiment}-resnet50-01"]
    assert [run.experiment_id for run in taken if run][1:] == [experiment] * 6 + [later] * 2
    assert run_queue.open_experiments(study) == [experiment, later]


def test_a_stop_without_a_process_takes_hold_at_once(study, experiment):
    request_stop(study, experiment)
    assert statuses(study) == ["stopped"] * 6
    assert not run_queue.stop_requested(study, experiment)


def test_a_stop_of_a_working_process_is_left_for_it(study, experiment):
    run_queue.claim_run(study, experiment, own_identity())
    request_stop(study, experiment)
    assert run_queue.stop_requested(study, experiment)
    assert statuses(study) == ["running"] + ["stopped"] * 5


def test_stopped_and_failed_runs_can_be_resumed(study, experiment):
    with study.session() as session:
        session.execute(update(Run).values(status="finished"))
        session.execute(update(Run).where(Run.repeat == 2).values(status="stopped"))
        session.execute(update(Run).where(Run.run_id == "exp-001-alexnet-02").values(status="failed", message="no"))
    assert len(resume_experiment(study, experiment)) == 3
    assert statuses(study) == ["finished"] * 3 + ["queued"] * 3
    assert read_run(study, "exp-001-alexnet-02").message is None


def test_a_process_is_known_by_number_and_creation_time():
    own = own_identity()
    assert is_alive(own.pid, own.created, own.host)
    assert not is_alive(own.pid, own.created - 100, own.host)
    assert not is_alive(GONE.pid, GONE.created, GONE.host)
    assert not is_alive(None, None, None)
    assert is_alive(GONE.pid, GONE.created, "another-machine")
    assert psutil.pid_exists(own.pid)
