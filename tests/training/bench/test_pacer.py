"""The pacer between two ends of one pipe: commands wait in it before they are read."""

from __future__ import annotations

import math
from multiprocessing import Pipe

import pytest
import torch

from brainmri.errors import TrainingError
from brainmri.training.bench.messages import (
    EndRound,
    Failed,
    Finish,
    Measured,
    MultiplyMatrices,
    Ready,
    StartRound,
    WarmUp,
)
from brainmri.training.bench.pacer import Pacer, answering_failures


class Bench:
    """The bench's end of the pipe."""

    def __init__(self, *, alone):
        self.end, theirs = Pipe()
        self.pacer = Pacer(theirs, torch.device("cpu"), alone=alone, others=lambda one: Measured(one.size))

    def say(self, *commands):
        for command in commands:
            self.end.send(command)

    def hear(self):
        answers = []
        while self.end.poll():
            answers.append(self.end.recv())
        return answers


def test_a_round_counts_whole_passes_after_the_warm_up():
    bench = Bench(alone=True)
    bench.say(StartRound(4.0, whole_passes=True))
    bench.pacer.after_pass(32, 100.0)
    assert [type(answer) for answer in bench.hear()] == [Ready]
    bench.pacer.after_pass(32, 2.0)
    bench.pacer.after_pass(32, 1.0)
    assert bench.hear() == []
    bench.say(EndRound(), StartRound(1.0, whole_passes=True))
    bench.pacer.after_pass(32, 2.0)
    measured, ready = bench.hear()
    assert measured == Measured(96 / 5)
    assert ready.peak_memory_bytes > 1e6
    bench.say(Finish())
    bench.pacer.after_pass(30, 2.0)
    assert bench.hear() == [Measured(15.0)]  # of this round alone
    assert bench.pacer.finished


def test_the_first_pass_of_a_further_run_does_not_count():
    bench = Bench(alone=True)
    bench.say(StartRound(2.0, whole_passes=True))
    bench.pacer.after_pass(32, 1.0, counts=False)
    bench.pacer.after_pass(32, 50.0, counts=False)
    assert [type(answer) for answer in bench.hear()] == [Ready]
    bench.say(Finish())
    bench.pacer.after_pass(32, 2.0)
    assert bench.hear() == [Measured(16.0)]


def test_one_of_several_trains_on_uncounted_until_all_have_measured():
    bench = Bench(alone=False)
    bench.say(StartRound(1.0, whole_passes=True))
    bench.pacer.after_pass(32, 1.0)
    bench.pacer.after_pass(32, 1.0)
    assert bench.hear()[1:] == [Measured(32.0)]
    bench.pacer.after_pass(32, 0.001)  # returns although there is no command
    assert bench.hear() == []
    bench.say(EndRound(), StartRound(1.0, whole_passes=True))
    bench.pacer.after_pass(32, 1.0)
    assert [type(answer) for answer in bench.hear()] == [Ready]
    bench.say(Finish())
    bench.pacer.after_pass(32, 2.0)
    assert bench.hear() == [Measured(16.0)]


def test_only_a_first_pass_may_be_cut_short_and_only_where_it_is_said():
    bench = Bench(alone=True)
    bench.say(StartRound(3.0, whole_passes=False))
    bench.pacer.after_pass(32, 1.0)
    assert bench.pacer.pass_limit_s == 3.0
    bench.pacer.after_pass(32, 1.0)
    assert bench.pacer.pass_limit_s == math.inf
    bench.say(EndRound(), StartRound(3.0, whole_passes=True))
    bench.pacer.after_pass(32, 3.0)
    assert bench.pacer.pass_limit_s == math.inf


def test_other_commands_are_answered_before_the_warm_up_and_between_rounds():
    bench = Bench(alone=True)
    bench.say(MultiplyMatrices(8, 1.0), MultiplyMatrices(16, 1.0), WarmUp())
    bench.pacer.wait_for_warm_up()
    assert bench.hear() == [Measured(8), Measured(16)]
    assert not bench.pacer.finished
    bench.say(MultiplyMatrices(32, 1.0), StartRound(1.0, whole_passes=True))
    bench.pacer.after_pass(32, 1.0)
    assert bench.hear()[1:] == [Measured(32)]


def test_the_process_ends_where_the_bench_is_gone():
    bench = Bench(alone=True)
    bench.end.close()
    bench.pacer.wait_for_warm_up()
    assert bench.pacer.finished


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TrainingError("No device."), "No device."),
        (torch.OutOfMemoryError("CUDA out of memory"), "The GPU has too little memory .* Choose a smaller batch size"),
        (ValueError("odd"), "A training process failed with ValueError: odd"),
    ],
)
def test_failures_are_told_in_sentences(monkeypatch, error, message):
    monkeypatch.setattr("signal.signal", lambda *_arguments: None)  # Ctrl-C still ends the tests
    bench, process = Pipe()
    with answering_failures(process):
        raise error
    answer = bench.recv()
    assert isinstance(answer, Failed)
    with pytest.raises(TrainingError, match=message):
        raise TrainingError(answer.message)
