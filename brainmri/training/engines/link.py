"""A task's line to the driver: notes and states go out, orders come in, from a thread beside the training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.training.engines.messages import GO, STOP, Beat, Note, Order

INTERVAL_S: Final = 1.0
"""How often a task asks for orders."""
BEAT_S: Final = 5.0

Exchange = Callable[[Sequence[Note], NDArray[np.uint8] | None], tuple[Order, bool]]


class DriverLink:
    """Speaks with the driver about once a second; a context manager, which says the last words on leaving.

    The training itself never waits for it, but for a state that must be away before the task ends. Ray gives the
    processor of a task that waits to other tasks, unless it waits in another thread than the main one: hence the
    thread.

    Parameters
    ----------
    exchange : callable
        Takes notes and a state, returns the order and whether the last state still waits; raises where the driver is
        gone.
    measure : callable
        Returns a `Beat`.
    interval_s : float
    """

    def __init__(self, exchange: Exchange, measure: Callable[[], Beat], *, interval_s: float = INTERVAL_S) -> None:
        self._exchange, self._measure, self._interval_s = exchange, measure, interval_s
        self._lock = threading.Condition()
        self._notes: list[Note] = []
        self._state: NDArray[np.uint8] | None = None
        self._state_waits = False
        self._state_since = 0.0
        self._ending = False
        self._beaten_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="link to the driver", daemon=True)
        self.order: Order = GO
        """The last order; ``stop`` where the driver is gone."""
        self.delivery_s = 0.0
        """How long the last state took until the driver had it."""

    def __enter__(self) -> DriverLink:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._ending = True
            self._lock.notify_all()
        self._thread.join()

    @property
    def state_waits(self) -> bool:
        """Whether the last state has not reached the driver yet."""
        with self._lock:
            return self._state_waits

    def say(self, note: Note) -> None:
        """Send a note with the next exchange."""
        with self._lock:
            self._notes.append(note)

    def hand_over(self, state: NDArray[np.uint8]) -> None:
        """Send a state with the next exchange, which is now; an earlier one that still waits is replaced."""
        with self._lock:
            self._state, self._state_waits, self._state_since = state, True, time.monotonic()
            self._lock.notify_all()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._ending and self._state is None:
                    self._lock.wait(self._interval_s)
                ending = self._ending
                notes, self._notes = self._notes, []
                state, self._state = self._state, None
            if time.monotonic() - self._beaten_at >= BEAT_S:
                self._beaten_at = time.monotonic()
                notes.append(self._measure())
            try:
                order, waits = self._exchange(notes, state)
            except Exception:  # the driver, or all of the cluster, is gone: whatever the error, the training is over
                self.order = STOP
                return
            self._take(order, waits)
            if ending:
                return

    def _take(self, order: Order, waits: bool) -> None:
        with self._lock:
            self.order = order
            if self._state is None and self._state_waits and not waits:
                self._state_waits = False
                self.delivery_s = time.monotonic() - self._state_since
