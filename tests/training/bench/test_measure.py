from __future__ import annotations

import pytest

from brainmri.training.bench.measure import engine_environment, measure_alternately
from brainmri.training.bench.plan import Length, make_plan
from brainmri.training.bench.records import Round


class FakeWay:
    """Has been measured already; takes time on a clock of its own."""

    def __init__(self, name, speeds, journal, clock):
        self.name, self.speeds, self.journal, self.clock = name, iter(speeds), journal, clock

    def measure(self, seconds, *, whole_passes):
        self.journal.append((self.name, seconds, whole_passes))
        self.clock.now += 10
        return next(self.speeds)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def measure(length):
    journal, lines, clock = [], [], Clock()

    def between():
        journal.append("between")

    ordinary = FakeWay("ordinary", [10, 20, 8, 8], journal, clock)
    engine = FakeWay("engine", [30, 44, 32, 16], journal, clock)
    return measure_alternately(ordinary, engine, length, lines.append, between=between, clock=clock), journal, lines


def test_both_ways_are_measured_in_turn_and_begin_in_turn():
    rounds, journal, lines = measure(Length(3, 2.5))
    assert rounds == (Round(10, 30), Round(20, 44), Round(8, 32))
    ordinary, engine = ("ordinary", 2.5, True), ("engine", 2.5, True)
    assert journal == [ordinary, engine, "between", engine, ordinary, "between", ordinary, engine, "between"]
    assert lines[1] == "round 2 of 3: ordinary 20, engine 44 images/s, ratio 2.20"


def test_rounds_beyond_the_second_are_left_out_when_time_is_up():
    rounds, _journal, lines = measure(Length(4, 1.0, budget_s=50))
    assert len(rounds) == 3  # 20 s each
    assert lines[-1] == "time is up after 3 of 4 rounds"
    assert len(measure(Length(4, 1.0, budget_s=1))[0]) == 2


@pytest.mark.parametrize("asked", [None, "glibc.malloc.hugetlb=2"])
def test_the_engine_runs_in_the_environment_of_a_job(monkeypatch, asked):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if asked:
        monkeypatch.setenv("GLIBC_TUNABLES", asked)
    found = engine_environment(make_plan("cpu"))
    assert found == {"OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": asked or "glibc.malloc.hugetlb=1"}
