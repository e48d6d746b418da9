"""The process that explains single cases, played by small scripts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from brainmri.dashboard.explanations.helper import CaseHelper
from brainmri.errors import ExplanationError

ECHO = """
import json, sys
print("a library says hello")
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if "case" not in request:
        print(json.dumps({"opened": True}), flush=True)
    elif request["case"] == "unknown":
        print(json.dumps({"error": "The run did not test it."}), flush=True)
    elif request["case"] == "fatal":
        sys.exit(3)
    else:
        print(json.dumps({"seconds": float(request["case"])}), flush=True)
"""
SILENT = "import sys; sys.stdin.read()"


@pytest.fixture
def make() -> Iterator[Callable[..., CaseHelper]]:
    """Return a function that makes a helper of a script; all of them end with the test."""
    made: list[CaseHelper] = []

    def make_helper(script: str, **options: float) -> CaseHelper:
        made.append(CaseHelper([sys.executable, "-c", script], **options))
        return made[-1]

    yield make_helper
    for helper in made:
        helper.stop()


def test_one_process_answers_one_request_after_another(make: Callable[..., CaseHelper]) -> None:
    helper = make(ECHO)
    first = helper.start()
    assert [helper.explain("run", number) for number in ("1.5", "2.5")] == [1.5, 2.5]
    assert helper.start() is first


def test_a_network_is_read_ahead_without_waiting(make: Callable[..., CaseHelper]) -> None:
    helper = make(ECHO)
    for _ in range(2):
        helper.prepare("run")
    assert helper.explain("run", "3") == 3.0
    helper.prepare("another")
    assert helper.explain("run", "5") == 5.0


def test_people_who_ask_at_once_get_their_own_answers(make: Callable[..., CaseHelper]) -> None:
    helper, found = make(ECHO), {}

    def ask(number: int) -> None:
        found[number] = helper.explain("run", str(number))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: float(number) for number in range(1, 9)}


def test_an_error_is_passed_on_and_the_next_request_answered(make: Callable[..., CaseHelper]) -> None:
    helper = make(ECHO)
    with pytest.raises(ExplanationError, match="The run did not test it"):
        helper.explain("run", "unknown")
    assert helper.explain("run", "4") == 4.0


def test_a_process_that_ended_is_reported_and_started_again(make: Callable[..., CaseHelper]) -> None:
    helper = make(ECHO)
    with pytest.raises(ExplanationError, match="ended before it answered"):
        helper.explain("run", "fatal")
    assert helper.explain("run", "4") == 4.0


def test_a_process_that_does_not_answer_is_given_up(make: Callable[..., CaseHelper]) -> None:
    helper = make(SILENT, patience_s=0.2)
    process = helper.start()
    with pytest.raises(ExplanationError, match="not explained within 0 seconds"):
        helper.explain("run", "1")
    assert process.poll() is not None


def test_a_program_that_is_not_there_is_reported() -> None:
    with pytest.raises(ExplanationError, match="cannot be started"):
        CaseHelper(["/nowhere/python"]).start()
