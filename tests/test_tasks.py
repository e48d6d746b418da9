import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from brainmri import tasks
from brainmri.database import utc_now
from brainmri.errors import BrainMRIError, StopRequested, StudyError
from brainmri.study import Study, open_study


def write_row(study: Study, task_id: int, **values: object) -> None:
    with study.session() as session:
        session.execute(update(tasks.Task).where(tasks.Task.id == task_id).values(**values))


def insert_row(study: Study, kind: str = "train", **values: object) -> int:
    with study.session() as session:
        task = tasks.Task(kind=kind, **values)
        session.add(task)
        session.flush()
        return task.id


def wait_for_end(study: Study, task_id: int, seconds: float = 30) -> tasks.Task:
    deadline = time.monotonic() + seconds
    while (task := tasks.read(study, task_id)) and task.status == tasks.RUNNING:
        assert time.monotonic() < deadline, "the task did not end"
        time.sleep(0.1)
    assert task is not None
    return task


def test_a_block_that_ends_is_a_finished_task(study: Study) -> None:
    with tasks.running(study, "train", subject="exp-001") as handle:
        handle.report(0.5, "half")
        assert tasks.read(study, handle.task_id).fraction == 0.5
    task = tasks.latest(study, "train", subject="exp-001")
    assert (task.status, task.fraction, task.pid) == (tasks.FINISHED, 1.0, os.getpid())


def test_an_error_of_the_package_is_stored_in_its_own_words(study: Study) -> None:
    with pytest.raises(BrainMRIError, match="the disk is full"), tasks.running(study, "train"):
        raise BrainMRIError("the disk is full")
    assert (tasks.latest(study, "train").status, tasks.latest(study, "train").message) == (
        tasks.FAILED,
        "the disk is full",
    )


def test_an_unexpected_error_is_stored_with_its_kind(study: Study) -> None:
    with pytest.raises(ZeroDivisionError, match="division"), tasks.running(study, "train"):
        1 / 0  # noqa: B018
    assert tasks.latest(study, "train").message == "Unexpected ZeroDivisionError: division by zero"


def test_the_message_of_a_failed_import_names_no_file(study: Study) -> None:
    path = "/archive/DOE^JANE/scan.dcm"
    with pytest.raises(BrainMRIError, match="DOE"), tasks.running(study, "import"):
        raise BrainMRIError(f"{path} cannot be read")
    with pytest.raises(OSError, match="DOE"), tasks.running(study, "import"):
        raise OSError(path)
    stored = b"".join(file.read_bytes() for file in study.folder.rglob("*") if file.is_file())
    assert b"DOE" not in stored


def test_a_second_task_of_a_kind_is_refused_while_the_first_runs(study: Study) -> None:
    with tasks.running(study, "train"):
        with pytest.raises(StudyError, match="already running"), tasks.running(study, "train"):
            pass
        with tasks.running(study, "import"):
            pass
    with tasks.running(study, "train"):
        pass


def test_a_request_to_stop_ends_the_work_at_its_next_report(study: Study) -> None:
    with pytest.raises(StopRequested, match="Stopped as asked"), tasks.running(study, "demo") as handle:
        tasks.request_stop(study, handle.task_id)
        handle.advance(0.3, "on")
    assert tasks.latest(study, "demo").status == tasks.STOPPED


def test_only_the_first_end_counts(study: Study) -> None:
    with tasks.running(study, "import") as handle:
        handle.finish(tasks.FINISHED, result={"cases": 3})
    handle.finish(tasks.FAILED, message="late")
    task = tasks.read(study, handle.task_id)
    assert (task.status, task.result, task.message) == (tasks.FINISHED, {"cases": 3}, None)


def test_a_task_whose_process_is_gone_is_interrupted_and_blocks_nothing(study: Study) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    created = psutil.Process(process.pid).create_time()
    process.wait()
    task_id = insert_row(study, pid=process.pid, process_created=created, host=tasks._host())
    assert tasks.read(study, task_id).status == tasks.INTERRUPTED
    with tasks.running(study, "train"):
        pass


def test_a_process_that_reuses_the_number_is_not_taken_for_the_task(study: Study) -> None:
    created = psutil.Process().create_time() - 3600
    task_id = insert_row(study, pid=os.getpid(), process_created=created, host=tasks._host())
    assert tasks.read(study, task_id).status == tasks.INTERRUPTED


@pytest.mark.skipif(not hasattr(os, "fork"), reason="zombies are of POSIX systems")
def test_a_zombie_is_not_taken_for_work(study: Study) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    created = psutil.Process(process.pid).create_time()
    task_id = insert_row(study, pid=process.pid, process_created=created, host=tasks._host())
    assert tasks.read(study, task_id).status == tasks.RUNNING
    process.stdin.close()
    deadline = time.monotonic() + 10
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert tasks.read(study, task_id).status == tasks.INTERRUPTED
    process.wait()


def test_a_new_task_has_time_to_start_and_no_more(study: Study) -> None:
    task_id = insert_row(study)
    assert tasks.read(study, task_id).status == tasks.RUNNING
    write_row(study, task_id, started_at=utc_now() - timedelta(minutes=5))
    assert tasks.read(study, task_id).status == tasks.INTERRUPTED


def test_a_task_of_another_machine_is_left_alone_until_somebody_gives_it_up(study: Study) -> None:
    task_id = insert_row(study, pid=1, process_created=1.0, host="gpu-server")
    task = tasks.read(study, task_id)
    assert task.status == tasks.RUNNING
    assert tasks.runs_elsewhere(task)
    tasks.give_up(study, task_id)
    assert tasks.read(study, task_id).status == tasks.INTERRUPTED


def test_the_time_left_follows_from_the_share_done(study: Study) -> None:
    task = tasks.Task(kind="train", status=tasks.RUNNING, fraction=0.25, started_at=utc_now() - timedelta(seconds=30))
    assert tasks.seconds_left(task) == pytest.approx(90, abs=1)
    task.fraction = 0.0
    assert tasks.seconds_left(task) is None


def test_a_started_process_writes_its_row_and_its_log(study: Study) -> None:
    task_id = tasks.start(study, "train", ["work", "exp-404"], subject="exp-404")
    task = wait_for_end(study, task_id)
    assert task.status == tasks.FAILED
    assert "no experiment 'exp-404'" in task.message
    assert "exp-404" in (study.folder / "logs" / f"task-{task_id:04d}-train.txt").read_text()


def test_what_a_started_import_prints_is_readable_once_and_stays_out_of_the_study(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "DOE^JANE"
    folder.mkdir()
    (folder / "notes.dcm").write_text("no image")
    task_id = tasks.start(study, "import", ["import", str(folder), "--json"])
    wait_for_end(study, task_id)
    output = tasks.read_output(study, task_id, timeout_s=10)
    assert "DOE^JANE" in output.stdout + output.stderr
    stored = b"".join(file.read_bytes() for file in study.folder.rglob("*") if file.is_file())
    assert b"DOE" not in stored
    tasks.forget_output(study, task_id)
    assert tasks.read_output(study, task_id) is None


def test_tasks_of_two_studies_with_the_same_number_are_told_apart(study: Study, tmp_path: Path) -> None:
    task_id = tasks.start(study, "train", ["work", "exp-404"])
    wait_for_end(study, task_id)
    other = open_study(tmp_path / "other")
    with tasks.running(other, "train") as handle:
        assert handle.task_id == task_id
        assert tasks.read(other, handle.task_id).status == tasks.RUNNING
