"""The process that explains single cases, played by small scripts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from brainmri.dashboard.explanations.helper import CaseHelper, CaseJob
from brainmri.errors import ExplanationError

PLAYED = """
import json, sys
print("a library says hello")
print(json.dumps({"ready": True}), flush=True)
held = None
for line in sys.stdin:
    request = json.loads(line)
    if "stop" in request:
        print(json.dumps({"id": request["stop"], "stopped": True}), flush=True)
    elif "case" not in request:
        print(json.dumps({"opened": True}), flush=True)
    elif request["case"] == "unknown":
        print(json.dumps({"id": request["id"], "error": "The run did not test it."}), flush=True)
    elif request["case"] == "fatal":
        sys.exit(3)
    elif request["case"] == "long":
        print(json.dumps({"id": request["id"], "done": 0.25, "doing": "Image 1 of 4"}), flush=True)
    else:
        print(json.dumps({"id": request["id"], "seconds": 1.0}), flush=True)
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
        helper.close()


def ask(helper: CaseHelper, case_id: str, **wishes: str) -> CaseJob:
    return helper.ask("run", case_id, ["maps"], **wishes)


def end_of(job: CaseJob) -> tuple[str, str]:
    assert job.ended.wait(20)
    return job.status, job.error


def test_one_process_answers_one_request_after_another(make: Callable[..., CaseHelper]) -> None:
    helper = make(PLAYED)
    jobs = [ask(helper, "case-0001"), ask(helper, "unknown"), ask(helper, "case-0002", method="occlusion")]
    assert [end_of(job) for job in jobs] == [("finished", ""), ("failed", "The run did not test it."), ("finished", "")]
    assert jobs[0].request == {"id": 1, "run": "run", "case": "case-0001", "parts": ["maps"]}
    assert jobs[2].request["method"] == "occlusion"


def test_a_network_is_read_ahead_without_waiting(make: Callable[..., CaseHelper]) -> None:
    helper = make(PLAYED)
    for run_id in ("run", "run", "another"):
        helper.prepare(run_id)
    assert end_of(ask(helper, "case-0001"))[0] == "finished"


def test_people_who_ask_at_once_get_their_own_answers(make: Callable[..., CaseHelper]) -> None:
    helper = make(PLAYED)
    with ThreadPoolExecutor(8) as people:
        jobs = list(people.map(lambda number: ask(helper, "unknown" if number % 2 else "case-0001"), range(16)))
    assert [end_of(job)[0] for job in jobs] == ["finished", "failed"] * 8


def test_progress_is_noted_and_a_job_that_nobody_waits_for_ends(make: Callable[..., CaseHelper]) -> None:
    helper = make(PLAYED)
    job = ask(helper, "long")
    until = time.monotonic() + 20
    while job.status == "waiting" and time.monotonic() < until:
        time.sleep(0.01)
    assert (job.status, job.done, job.doing) == ("running", 0.25, "Image 1 of 4")
    assert not job.ended.is_set()
    helper.check(job)
    helper.stop(job)
    assert end_of(job) == ("stopped", "")


def test_a_process_that_ended_is_reported_and_started_again(make: Callable[..., CaseHelper]) -> None:
    helper = make(PLAYED)
    waiting, fatal = ask(helper, "long"), ask(helper, "fatal")
    for job in (waiting, fatal):
        status, error = end_of(job)
        assert status == "failed"
        assert "ended before it answered" in error
    assert end_of(ask(helper, "case-0001"))[0] == "finished"


def test_a_process_that_says_nothing_is_given_up(make: Callable[..., CaseHelper]) -> None:
    helper = make(SILENT, patience_s=0.2)
    job = ask(helper, "case-0001")
    helper.check(job)
    assert not job.ended.is_set(), "not yet"
    time.sleep(0.3)
    helper.check(job)
    assert end_of(job)[0] == "failed"
    assert "not explained in time" in job.error


def test_a_program_that_is_not_there_is_reported() -> None:
    with pytest.raises(ExplanationError, match="cannot be started"):
        CaseHelper(["/nowhere/python"]).prepare("run")
