"""A process beside the server that explains single cases: the server itself never imports torch.

It is started when a page first offers to explain a case, so that it is ready when somebody presses the button; it ends
with the server, and after a while without requests.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any, Final

import streamlit as st

from brainmri.errors import ExplanationError
from brainmri.study import Study

PATIENCE_S: Final = 120.0
"""A case that takes longer is given up: something is wrong with the process, or with the machine."""

_ENVIRONMENT: Final = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that have nothing to do sleep. By default they spin, and beside the server and a browser on two cores a case
took 6 (ResNet50) and 8 (GoogLeNet) times as long (median of n = 8 cases of 64 px each, alternating, load 4 to 5)."""


class CaseHelper:
    """One process; people who ask at once wait for their turn, and each gets the answer to their own request."""

    def __init__(self, command: list[str], *, patience_s: float = PATIENCE_S) -> None:
        self._command = command
        self._patience_s = patience_s
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._prepared = ""
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def start(self) -> subprocess.Popen[str]:
        """Start the process where it does not run, and return it; it gets ready by itself.

        Raises
        ------
        ExplanationError
            Where it cannot be started.
        """
        with self._starting:
            if self._process is not None and self._process.poll() is None:
                return self._process
            self._close()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
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
            self._answers = queue.Queue()
            self._prepared = ""
            self._reader = threading.Thread(
                target=_read_answers, args=(self._process.stdout, self._answers), daemon=True
            )
            self._reader.start()
            return self._process

    def prepare(self, run_id: str) -> None:
        """Start the process and let it read the network of a run, without waiting for it.

        Raises
        ------
        ExplanationError
            Where it cannot be started.
        """
        process = self.start()
        if self._prepared == run_id or not self._turn.acquire(blocking=False):
            return
        try:
            self._prepared = run_id
            with suppress(OSError):  # the process has just ended: the next request starts it again
                _ask(process, {"run": run_id})
        finally:
            self._turn.release()

    def explain(self, run_id: str, case_id: str) -> float:
        """Explain a case, wait until it is stored, and return how long the work itself took, in seconds.

        Raises
        ------
        ExplanationError
            Where the case cannot be explained, or the process ends or takes too long.
        """
        with self._turn:
            process = self.start()
            try:
                _ask(process, {"run": run_id, "case": case_id})
            except OSError as error:
                raise self._ended() from error
            return self._wait()

    def stop(self) -> None:
        """End the process."""
        with self._starting:
            self._close()

    def _wait(self) -> float:
        """Return the seconds of the next answer."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self.stop()
                raise ExplanationError(
                    f"The case was not explained within {self._patience_s:.0f} seconds. Try again when the machine "
                    "has less to do, or explain the whole run in the background."
                ) from None
            if answer is None:
                raise self._ended()
            if "error" in answer:
                raise ExplanationError(str(answer["error"]))
            if "seconds" in answer:
                return float(answer["seconds"])

    def _ended(self) -> ExplanationError:
        self.stop()
        return ExplanationError(
            "The process that explains cases ended before it answered: torch may be missing on this machine, or the "
            "memory too small. Explain the case from a terminal to see the reason: python -m brainmri explain-case"
        )

    def _close(self) -> None:
        if self._process is None:
            return
        if self._process.stdin is not None:
            with suppress(OSError):  # what was still to be written can no longer be: the process is gone
                self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        if self._reader is not None:
            self._reader.join()  # at the end of the stream, which may be closed then only
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = self._reader = None


def helper_of(study: Study) -> CaseHelper:
    """Return the helper of a study, one for all visitors; it is not started yet."""
    return _make_helper(str(study.folder), study.url)


@st.cache_resource(show_spinner=False, max_entries=4, on_release=CaseHelper.stop)
def _make_helper(folder: str, url: str) -> CaseHelper:
    return CaseHelper([sys.executable, "-m", "brainmri", "explain-case", "--serve", "--study", folder])


def _ask(process: subprocess.Popen[str], request: dict[str, str]) -> None:
    if process.stdin is not None:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()


def _read_answers(stream: IO[str] | None, answers: queue.Queue[dict[str, Any] | None]) -> None:
    """Pass answers on, and None at the end; what libraries print between them is left out."""
    if stream is not None:
        for line in stream:
            with suppress(ValueError):
                if line.startswith("{"):
                    answers.put(json.loads(line))
    answers.put(None)
