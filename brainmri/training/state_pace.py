"""How often the state of a training is stored: often enough to lose little, and no oftener than it costs little."""

from __future__ import annotations

import os
import time
from typing import Final

INTERVAL_VARIABLE: Final = "BRAINMRI_STATE_INTERVAL_S"
"""Environment variable: shortest time in seconds between two stored states, where storing costs next to nothing."""

_INTERVAL_S: Final = 5.0
"""Its default: at most this much work, or one epoch, is done again after a kill."""
_SHARE: Final = 20.0
"""A state is stored no oftener than this many times as long as storing it takes: 5 % of the time at most."""


class StatePace:
    """Says when the next state is due, from when the last was stored and how long that took."""

    def __init__(self) -> None:
        self._interval_s = float(os.environ.get(INTERVAL_VARIABLE, _INTERVAL_S))
        self._stored_at, self._seconds = time.monotonic(), 0.0

    def is_due(self) -> bool:
        """Tell whether the last state is old enough."""
        return time.monotonic() - self._stored_at >= max(self._interval_s, _SHARE * self._seconds)

    def note_stored(self, seconds: float) -> None:
        """Note that a state was stored just now, and how long that took."""
        self._stored_at, self._seconds = time.monotonic(), seconds
