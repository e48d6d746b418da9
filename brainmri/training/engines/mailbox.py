"""The mailbox between the driver and its tasks: a Ray actor beside the driver, which both sides ask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainmri.training.engines.messages import GO, STOP, Note, Order


class Mailbox:
    """Notes and states on their way to the driver, orders on their way to the tasks.

    It holds one state a task at most, the newest. A task that is not expected, because its run has gone to another node
    meanwhile, is told to stop, and what it says is thrown away.
    """

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._notes: list[tuple[str, Note]] = []
        self._states: dict[str, NDArray[np.uint8]] = {}

    def expect(self, key: str) -> None:
        """Let a task speak."""
        self._orders[key] = GO

    def forget(self, key: str) -> None:
        """Stop a task, should it still speak."""
        self._orders.pop(key, None)
        self._states.pop(key, None)

    def order(self, order: Order) -> None:
        """Give an order to all tasks."""
        self._orders = dict.fromkeys(self._orders, order)

    def exchange(self, key: str, notes: Sequence[Note], state: NDArray[np.uint8] | None = None) -> tuple[Order, bool]:
        """Take what a task has to say; return its order, and whether its state still waits for the driver."""
        if key not in self._orders:
            return STOP, False
        self._notes += [(key, note) for note in notes]
        if state is not None:
            self._states[key] = state
        return self._orders[key], key in self._states

    def collect(self) -> tuple[list[tuple[str, Note]], list[str]]:
        """Return the notes since the last time, and the tasks whose state waits."""
        notes, self._notes = self._notes, []
        return notes, list(self._states)

    def take_state(self, key: str) -> NDArray[np.uint8] | None:
        """Return a task's state and hold it no longer."""
        return self._states.pop(key, None)
