"""The bench's side of its training processes: started, paced, and ended whatever happens."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Final, Self, TypeVar

from brainmri.errors import TrainingError
from brainmri.training.bench.messages import (
    EndRound,
    Failed,
    Finish,
    Measured,
    MultiplyMatrices,
    Ready,
    StartRound,
    TrainingTask,
    WarmUp,
)

Serve = Callable[[Connection, TrainingTask], None]
"""What a training process runs."""

_END_GRACE_S: Final = 10

_Answer = TypeVar("_Answer")


class TrainingProcess:
    """One training process.

    Parameters
    ----------
    serve : callable
        Runs in the process, which is spawned: a fork after torch has computed hangs.
    task : TrainingTask
    environment : mapping
        Variables that are read when a process starts.
    """

    def __init__(self, serve: Serve, task: TrainingTask, environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, task), name=f"brainmri bench {task.architecture}")
        with _environment(environment):
            self._process.start()
        theirs.close()

    def send(self, command: object) -> None:
        """Give a command."""
        try:
            self._connection.send(command)
        except OSError:  # it has ended; why, it may have said
            self.receive(Failed)

    def receive(self, kind: type[_Answer]) -> _Answer:
        """Wait for an answer of a kind.

        Raises
        ------
        TrainingError
            Where the process has failed or ended.
        """
        wait([self._connection, self._process.sentinel])
        try:
            answer = self._connection.recv() if self._connection.poll() else None
        except (EOFError, OSError):
            answer = None
        if isinstance(answer, Failed):
            raise TrainingError(answer.message)
        if not isinstance(answer, kind):
            self._process.join(_END_GRACE_S)
            raise TrainingError(
                f"A training process of the bench ended without an answer (exit code {self._process.exitcode}); most "
                "often memory ran out. Close other programs, or choose a smaller batch size or fewer processes."
            )
        return answer

    def finish(self) -> None:
        """Ask the process to end."""
        with suppress(OSError):  # it may be gone already
            self._connection.send(Finish())

    def end(self) -> None:
        """See to it that the process is gone."""
        self.finish()
        self._process.join(_END_GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()


class Crew:
    """Processes that train at the same time; their speeds add up.

    Parameters
    ----------
    serve : callable
    tasks : sequence of TrainingTask
        One a process.
    environment : mapping
    """

    def __init__(self, serve: Serve, tasks: Sequence[TrainingTask], environment: Mapping[str, str]) -> None:
        self._serve, self._tasks, self._environment = serve, tasks, environment
        self._processes: list[TrainingProcess] = []
        self.peak_memory_bytes: int | None = None
        """Of all processes together, as of the last round."""

    def __enter__(self) -> Self:
        for task in self._tasks:
            self._processes.append(TrainingProcess(self._serve, task, self._environment))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.finish()
        for process in self._processes:
            process.end()

    def multiply_matrices(self, *, size: int, seconds: float) -> float:
        """Return the operations a second of all processes together, see `brainmri.training.bench.peak`."""
        self._tell(MultiplyMatrices(size, seconds))
        return self._sum_rates()

    def warm_up(self) -> None:
        """Begin to train, and wait until the first pass is over."""
        self._tell(WarmUp())
        self._wait_until_ready()

    def measure(self, seconds: float, *, whole_passes: bool = True) -> float:
        """Train for at least so long; return the images a second of all processes together. They wait afterwards."""
        self._tell(StartRound(seconds, whole_passes))
        rate = self._sum_rates()
        self._tell(EndRound())
        self._wait_until_ready()
        return rate

    def _tell(self, command: object) -> None:
        for process in self._processes:
            process.send(command)

    def _sum_rates(self) -> float:
        return sum(process.receive(Measured).rate for process in self._processes)

    def _wait_until_ready(self) -> None:
        peaks = [process.receive(Ready).peak_memory_bytes for process in self._processes]
        known = [peak for peak in peaks if peak is not None]
        self.peak_memory_bytes = sum(known) if len(known) == len(peaks) else None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block, so that a process started in it inherits them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
