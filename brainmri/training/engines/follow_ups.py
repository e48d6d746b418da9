"""What follows a finished run, on the driver's machine: one process at a time, beside the cluster's work."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import update

from brainmri.study import Study, open_study
from brainmri.training.experiments import read_run
from brainmri.training.keeping import keep_best_checkpoints
from brainmri.training.records import Run
from brainmri.training.storing import call_after_run


class FollowUps:
    """Calls a function for one finished run after the other.

    Parameters
    ----------
    study : Study
    experiment_id : str
    after_run : str or None
        ``module:function``, called with (study, run_id).
    """

    def __init__(self, study: Study, experiment_id: str, after_run: str | None) -> None:
        self._study, self._experiment_id, self._after_run = study, experiment_id, after_run
        self._waiting: deque[str] = deque()
        self._process: BaseProcess | None = None
        self._run_id = ""
        self._keeps = False

    @property
    def busy(self) -> bool:
        """Whether something is at work or waits."""
        return self._process is not None or bool(self._waiting) or self._keeps

    def add(self, run: Run) -> None:
        """Let the function be called for a finished run."""
        if self._after_run is not None:
            self._waiting.append(run.run_id)
        self._keeps = True

    def step(self) -> None:
        """See whether the process has ended, and start the next."""
        if self._process is not None and not self._process.is_alive():
            self._close()
        if self._process is None and self._waiting:
            self._start(self._waiting.popleft())
        elif self._process is None and self._keeps:  # networks are left until all that needs them is done
            self._keeps = False
            keep_best_checkpoints(self._study, self._experiment_id)

    def drop(self) -> None:
        """Begin no more; what is at work may end."""
        for run_id in self._waiting:
            self._explain(run_id, "the training was stopped before")
        self._waiting.clear()

    def end(self) -> None:
        """Begin no more, and wait for what is at work."""
        self.drop()
        if self._process is not None:
            self._process.join()
            self._close()
        self.step()

    def _start(self, run_id: str) -> None:
        context = multiprocessing.get_context("spawn")  # fork after Ray and torch have made threads hangs
        arguments = str(self._study.folder), run_id, self._after_run
        self._process, self._run_id = context.Process(target=_follow, args=arguments, daemon=True), run_id
        self._process.start()

    def _close(self) -> None:
        if self._process is not None and self._process.exitcode:
            self._explain(
                self._run_id, f"its process ended from outside or crashed (exit code {self._process.exitcode})"
            )
        self._process = None

    def _explain(self, run_id: str, reason: str) -> None:
        message = f"The run finished, but what follows it did not: {reason}."
        with self._study.session() as session:
            session.execute(update(Run).where(Run.run_id == run_id).values(message=message))


def _follow(folder: str, run_id: str, after_run: str) -> None:
    """Start point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal reaches the driver, which ends in order
    study = open_study(Path(folder), create=False)
    call_after_run(study, read_run(study, run_id), after_run)
