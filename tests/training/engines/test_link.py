"""The line between a task and the driver, and the mailbox in its middle."""

from __future__ import annotations

import threading

import numpy as np

from brainmri.training.engines.link import DriverLink
from brainmri.training.engines.mailbox import Mailbox
from brainmri.training.engines.messages import Beat, EpochDone

STATE = np.frombuffer(b"state", dtype=np.uint8)


def epoch(number: int) -> EpochDone:
    return EpochDone({"epoch": number})


def measure() -> Beat:
    return Beat(load=1.0, memory_bytes=None)


def test_what_was_said_arrives_in_order_before_the_link_closes():
    said: list = []

    def exchange(notes, state):
        said.extend(notes)
        return "go", False

    with DriverLink(exchange, measure, interval_s=60) as link:
        for number in range(3):
            link.say(epoch(number))
    assert said == [epoch(0), epoch(1), epoch(2)]


def test_a_state_leaves_at_once_and_waits_until_the_driver_has_it():
    arrived, box = threading.Event(), Mailbox()
    box.expect("run/1")

    def exchange(notes, state):
        answer = box.exchange("run/1", notes, state)
        if state is not None:
            arrived.set()
        return answer

    with DriverLink(exchange, measure, interval_s=0.01) as link:
        link.hand_over(STATE)
        assert link.state_waits
        assert arrived.wait(10)
        assert link.state_waits, "the driver has not taken it"
        assert box.collect() == ([], ["run/1"])
        assert box.take_state("run/1") is STATE
        for _ in range(1000):
            if not link.state_waits:
                break
            threading.Event().wait(0.01)
        assert not link.state_waits
        assert link.delivery_s > 0


def test_a_driver_that_is_gone_stops_the_training():
    def exchange(notes, state):
        raise ConnectionError("gone")

    with DriverLink(exchange, measure, interval_s=0.0) as link:
        for _ in range(1000):
            if link.order == "stop":
                break
            threading.Event().wait(0.01)
        assert link.order == "stop"


def test_the_mailbox_gives_orders_to_all_and_stops_those_that_are_not_expected():
    box = Mailbox()
    box.expect("a/1")
    box.expect("b/1")
    box.order("pause")
    assert box.exchange("a/1", []) == ("pause", False)
    box.expect("c/1")
    assert box.exchange("c/1", [epoch(1)]) == ("go", False)
    box.forget("a/1")
    assert box.exchange("a/1", [epoch(1)], STATE) == ("stop", False)
    assert box.collect() == ([("c/1", epoch(1))], []), "what a forgotten task says is thrown away"
    assert box.collect() == ([], [])


def test_the_mailbox_holds_the_newest_state_only():
    box = Mailbox()
    box.expect("a/1")
    newer = np.frombuffer(b"newer", dtype=np.uint8)
    assert box.exchange("a/1", [], STATE) == ("go", True)
    assert box.exchange("a/1", [], newer) == ("go", True)
    assert box.take_state("a/1") is newer
    assert box.take_state("a/1") is None
    assert box.exchange("a/1", []) == ("go", False)
