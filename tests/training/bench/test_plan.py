from __future__ import annotations

from pathlib import Path

import pytest

from brainmri.errors import UsageError
from brainmri.training.bench import plan as plans
from brainmri.training.bench.plan import FULL, QUICK, Length, make_plan


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch):
    monkeypatch.setattr(plans, "count_cores", lambda: 8)


def test_a_processor_trains_in_one_process_a_core():
    plan = make_plan("cpu")
    tasks = plan.engine_tasks("resnet50")
    assert len(tasks) == 8
    assert {(task.threads, task.alone, task.batch_size, task.size_px) for task in tasks} == {(1, False, 32, 224)}
    assert len({task.seed for task in tasks}) == 8
    assert plan.architectures == ("alexnet", "googlenet", "resnet50")
    assert plan.length == FULL


def test_the_ordinary_way_has_all_threads_and_a_worker_a_core_with_a_batch_for_each():
    task = make_plan("cpu").ordinary_task("alexnet", Path("/pictures"))
    assert (task.threads, task.workers, task.alone, task.folder) == (8, 8, True, "/pictures")
    assert task.epoch_images == 8 * 32


def test_a_gpu_trains_in_one_process_on_the_protocols_images():
    plan = make_plan("cuda", length=QUICK)
    (task,) = plan.engine_tasks("alexnet")
    assert (task.threads, task.alone, task.epoch_images, task.epochs) == (8, True, 2347, 30)
    assert plan.ordinary_task("alexnet", Path()).epoch_images == 2347
    assert plan.length.whole_passes


def test_a_run_has_as_many_steps_as_one_of_the_protocol():
    (task, *_others) = make_plan("cpu").engine_tasks("alexnet")
    assert task.epochs * task.epoch_images == pytest.approx(2347 * 30, abs=task.epoch_images)


def test_more_processes_than_cores_have_a_thread_each():
    assert {task.threads for task in make_plan("cpu", processes=12).engine_tasks("alexnet")} == {1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_px": 62}, "AlexNet takes pictures of 63 px or more, and the bench was asked for 62 px"),
        ({"batch_size": 1}, "'batch_size' is 1; expected 2 or more"),
        ({"batch_size": 0}, "'batch_size' is 0; expected 2 or more"),
        ({"processes": -1}, "'processes' is -1; expected 0 or more"),
        ({"architectures": ["vgg"]}, "Unknown architecture 'vgg'; known are alexnet"),
        ({"length": Length(0, 1.0)}, "0 rounds of 1 s; expected at least one round"),
        ({"length": Length(1, 0.0)}, "1 rounds of 0 s"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        make_plan("cpu", **changes)
