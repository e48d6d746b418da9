"""Training processes for tests of the crew: they import no torch and train nothing."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

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


def serve_numbers(connection: Connection, task: TrainingTask) -> None:
    """Answer with numbers that tell seed, command and environment apart."""
    while True:
        match connection.recv():
            case MultiplyMatrices(size, seconds):
                connection.send(Measured(size * seconds + task.seed))
            case WarmUp() | EndRound():
                connection.send(Ready(None if task.batch_size == 0 else 1000 * (task.seed + 1)))
            case StartRound():
                connection.send(Measured(float(os.environ["BENCH_TEST_RATE"]) + task.seed))
            case Finish():
                return


def fail(connection: Connection, task: TrainingTask) -> None:
    """Fail as a training process does."""
    connection.recv()
    connection.send(Failed("The learning rate is too high."))


def die(connection: Connection, task: TrainingTask) -> None:
    """End without a word, as where memory has run out."""
    os._exit(9)


def ignore(connection: Connection, task: TrainingTask) -> None:
    """Answer nothing and end only when killed."""
    connection.send(Measured(1.0))
    while True:
        connection.poll(60)
