from __future__ import annotations

import os
from dataclasses import replace

import pytest

from brainmri.errors import TrainingError
from brainmri.training.bench import crew as crews
from brainmri.training.bench.crew import Crew
from brainmri.training.bench.messages import TrainingTask
from tests.training.bench import processes

TASK = TrainingTask(
    architecture="tiny", device="cpu", batch_size=4, size_px=32, epoch_images=8, epochs=1, threads=1, alone=False
)
TASKS = [replace(TASK, seed=seed) for seed in range(2)]


def test_the_speeds_and_the_memory_of_a_crew_add_up():
    with Crew(processes.serve_numbers, TASKS, {"BENCH_TEST_RATE": "2.5"}) as crew:
        assert crew.multiply_matrices(size=10, seconds=0.5) == 5 + 6
        crew.warm_up()
        assert crew.measure(1.0) == 2.5 + 3.5
        assert crew.peak_memory_bytes == 1000 + 2000
    assert "BENCH_TEST_RATE" not in os.environ


def test_memory_that_one_process_cannot_tell_is_unknown():
    with Crew(processes.serve_numbers, [TASK, replace(TASK, batch_size=0)], {}) as crew:
        crew.warm_up()
        assert crew.peak_memory_bytes is None


def test_a_failure_in_a_process_is_raised_in_its_words():
    with (
        pytest.raises(TrainingError, match=r"^The learning rate is too high\.$"),
        Crew(processes.fail, [TASK], {}) as crew,
    ):
        crew.warm_up()


def test_a_process_that_dies_is_explained():
    with (
        pytest.raises(TrainingError, match=r"without an answer \(exit code 9\); most often memory ran out"),
        Crew(processes.die, [TASK], {}) as crew,
    ):
        crew.warm_up()


def test_a_process_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(crews, "_END_GRACE_S", 0.1)
    with Crew(processes.ignore, [TASK], {}) as crew:
        started = crew._processes[0]
        assert started.receive(crews.Measured).rate == 1.0
    assert started._process.exitcode == -9
