"""A process beside the server that explains single cases: the server itself never imports torch.

It is started when a page first needs it; it ends with the server, and after a while without requests.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final, Literal

import streamlit as st

from brainmri.errors import ExplanationError
from brainmri.study import Study

PATIENCE_S: Final = 120.0
"""A process that says nothing for so long is given up: something is wrong with it, or with the machine."""

_ENVIRONMENT: Final = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that have nothing to do sleep. By default they spin, and beside the server and a browser on two cores a case
took 6 (ResNet50) and 8 (GoogLeNet) times as long (median of n = 8 cases of 64 px each, alternating, load 4 to 5)."""

_GIVEN_UP: Final = (
    "The case was not explained in time. Try again when the machine has less to do, or explain the whole run in the "
    "background."
)
_ENDED: Final = (
    "The process that explains cases ended before it answered: torch may be missing on this machine, or the memory too "
    "small. Explain the case from a terminal to see the reason: python -m brainmri explain-case"
)

Status = Literal["waiting", "running", "finished", "stopped", "failed"]


@dataclass(eq=False)
class CaseJob:
    """One request: what was asked for, and how far it is. Changed by the thread that reads answers."""

    job_id: int
    request: dict[str, Any]
    status: Status = "waiting"
    done: float = 0.0
    """Share of the work, from 0 to 1."""
    doing: str = ""
    error: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def end(self, status: Status, error: str = "") -> None:
        """Note how it ended."""
        self.status, self.error = status, error
        self.ended.set()


class CaseHelper:
    """One process. What several people ask for is done one after another, and each gets their own answer."""

    def __init__(self, command: list[str], *, patience_s: float = PATIENCE_S) -> None:
        self._command = command
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._jobs: dict[int, CaseJob] = {}
        self._process: subprocess.Popen[str] | None = None
        self._prepared = ""
        self._heard = 0.0

    def prepare(self, run_id: str) -> None:
        """Start the process where it does not run, and let it read the network of a run, without waiting for it.

        Raises
        ------
        ExplanationError
            Where it cannot be started.
        """
        with self._lock:
            process = self._start()
            if self._prepared != run_id:
                self._prepared = run_id
                _send(process, {"run": run_id})

    def ask(
        self, run_id: str, case_id: str, parts: Sequence[str], *, method: str | None = None, layer: str | None = None
    ) -> CaseJob:
        """Ask for parts of the explanation of a case, and return at once.

        Parameters
        ----------
        run_id, case_id : str
        parts : sequence of str
            Of `brainmri.explanation.one_case.PARTS`.
        method, layer : str, optional
            Of the maps; default: Grad-CAM on the usual layer.

        Raises
        ------
        ExplanationError
            Where the process cannot be started.
        """
        with self._lock:
            process = self._start()
            number = next(self._numbers)
            wishes = {"method": method, "layer": layer}
            request = {"id": number, "run": run_id, "case": case_id, "parts": list(parts)}
            job = CaseJob(number, request | {name: wish for name, wish in wishes.items() if wish is not None})
            self._jobs[number] = job
            self._prepared = run_id
            self._heard = time.monotonic()
            _send(process, job.request)
            return job

    def stop(self, job: CaseJob) -> None:
        """End a job that nobody waits for."""
        with self._lock:
            if not job.ended.is_set() and self._process is not None:
                _send(self._process, {"stop": job.job_id})

    def check(self, job: CaseJob) -> None:
        """Give the process up, and all its jobs, where it has said nothing for too long while one is not done."""
        with self._lock:
            if not job.ended.is_set() and time.monotonic() - self._heard > self._patience_s:
                self._end(_GIVEN_UP)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end(_ENDED)

    def _start(self) -> subprocess.Popen[str]:
        """Return the running process, started where it does not run; it gets ready by itself."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end(_ENDED)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env={**_ENVIRONMENT, **os.environ},
            )
        except OSError as error:
            raise ExplanationError(f"The process that explains cases cannot be started: {error}.") from error
        self._process, self._prepared = process, ""
        threading.Thread(target=self._listen, args=(process, process.stdout), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[str], answers: IO[str] | None) -> None:
        """Note answers on their jobs until the process ends; what libraries print between them is left out."""
        if answers is not None:
            with answers:
                for line in answers:
                    with suppress(ValueError):
                        if line.startswith("{"):
                            self._note(json.loads(line))
        process.wait()
        with self._lock:
            if self._process is process:
                self._end(_ENDED)

    def _note(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._heard = time.monotonic()
            job = self._jobs.get(answer.get("id", 0))
            if job is None:
                return
            if "done" in answer:
                job.status, job.done, job.doing = "running", float(answer["done"]), str(answer["doing"])
                return
            del self._jobs[job.job_id]
            if "error" in answer:
                job.end("failed", str(answer["error"]))
            else:
                job.end("stopped" if "stopped" in answer else "finished")

    def _end(self, reason: str) -> None:
        """Kill the process, where there is one, and fail its jobs."""
        for job in self._jobs.values():
            job.end("failed", reason)
        self._jobs.clear()
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # the listening thread closes what it wrote
        process.wait()
        if process.stdin is not None:
            with suppress(OSError):  # what was still to be written can no longer be: the process is gone
                process.stdin.close()


def helper_of(study: Study, *, slow: bool = False) -> CaseHelper:
    """Return the helper of a study, one for all visitors; it is not started yet.

    Parameters
    ----------
    study : Study
    slow : bool
        Return the one for what takes a minute, so that nobody waits behind it for what takes a second.
    """
    return _make_helper(str(study.folder), study.url, slow)


@st.cache_resource(show_spinner=False, max_entries=4, on_release=CaseHelper.close)
def _make_helper(folder: str, url: str, slow: bool) -> CaseHelper:
    return CaseHelper([sys.executable, "-m", "brainmri", "explain-case", "--serve", "--study", folder])


def _send(process: subprocess.Popen[str], request: dict[str, Any]) -> None:
    """Write a request; where the process has just ended, the listening thread says so of its jobs."""
    if process.stdin is not None:
        with suppress(OSError, ValueError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
