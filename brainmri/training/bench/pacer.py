"""The training process's side of the bench: which passes count, and when to wait."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

import torch

from brainmri.errors import BrainMRIError
from brainmri.training.bench.messages import EndRound, Failed, Finish, Measured, Ready, StartRound, WarmUp
from brainmri.training.devices import peak_memory_bytes

_PATIENCE: Final = 0.1
"""Share of a pass for which a process that has measured its part waits for the others before it trains on. They often
need no longer, and a pass can take many seconds."""


class Pacer:
    """Counts the passes of a round and obeys the bench between passes.

    Where several processes train at the same time, one that has measured its part goes on training, uncounted, until
    the bench has heard from all: otherwise the last one would have the machine to itself.

    Parameters
    ----------
    connection : Connection
        To the bench.
    device : torch.device
    alone : bool
        Whether no other process trains at the same time.
    others : callable
        Returns the answer to a command that is not about passes.
    """

    def __init__(
        self, connection: Connection, device: torch.device, *, alone: bool, others: Callable[[Any], object]
    ) -> None:
        self._connection, self._device, self._alone, self._others = connection, device, alone, others
        self._counting, self._keeping_busy = False, False
        self._round = StartRound(0.0, whole_passes=True)
        self._seconds, self._images = 0.0, 0
        self._patience_s = 0.0
        self._warm = False
        self.finished = False
        """Whether the bench is done with this process."""

    @property
    def pass_limit_s(self) -> float:
        """Time after which the present pass may be cut short, in seconds; infinite where it may not."""
        return math.inf if self._round.whole_passes or self._images else self._round.seconds

    def wait_for_warm_up(self) -> None:
        """Wait until the training is to begin."""
        while not self.finished:
            command = self._receive()
            if isinstance(command, WarmUp):
                return
            if not self.finished:
                self._connection.send(self._others(command))

    def after_pass(self, images: int, seconds: float, *, counts: bool = True) -> None:
        """Take note of a pass over ``images`` that took ``seconds``, and wait where the bench wants it.

        A first pass, and one with ``counts=False``, warms up: kernels are chosen, memory is taken.
        """
        if not self._warm:
            self._warm = True
            self._connection.send(self._ready())
        elif self._counting and counts:
            self._images += images
            self._seconds += seconds
            self._patience_s = _PATIENCE * seconds
            if self._seconds >= self._round.seconds:
                self._counting, self._keeping_busy = False, not self._alone
                self._connection.send(Measured(self._images / self._seconds))
        self._obey()

    def _obey(self) -> None:
        while not (self._counting or self.finished):
            if self._keeping_busy and not self._connection.poll(self._patience_s):
                return
            command = self._receive()
            if isinstance(command, StartRound):
                self._counting, self._round, self._seconds, self._images = True, command, 0.0, 0
            elif isinstance(command, EndRound):
                self._keeping_busy = False
                self._connection.send(self._ready())
            elif not self.finished:
                self._connection.send(self._others(command))

    def _receive(self) -> object:
        """Return the next command; `Finish`, also where the bench is gone."""
        try:
            command: object = self._connection.recv()
        except (EOFError, OSError):
            command = Finish()
        self.finished = isinstance(command, Finish)
        return command

    def _ready(self) -> Ready:
        return Ready(peak_memory_bytes(self._device))


@contextmanager
def answering_failures(connection: Connection) -> Iterator[None]:
    """Within the block, send an error to the bench in a sentence; leave Ctrl-C to the bench."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    except BrainMRIError as error:
        connection.send(Failed(str(error)))
    except torch.OutOfMemoryError as error:
        connection.send(Failed(f"The GPU has too little memory ({error}). Choose a smaller batch size."))
    except Exception as error:  # the bench explains it to its user
        connection.send(Failed(f"A training process failed with {type(error).__name__}: {error}"))
