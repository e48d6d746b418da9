"""The instructor's key: what opens a study without sign-in to others than readers."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
from typing import Final

from brainmri.errors import StudyError

KEY_VARIABLE: Final = "BRAINMRI_INSTRUCTOR_KEY"
"""Where it is set and no sign-in is configured, every visitor is a reader until they enter it."""

MINIMUM_LENGTH: Final = 8
LONGEST_WAIT_S: Final = 30.0
_PATIENCE: Final = 3
"""Wrong tries that cost nothing yet."""


def instructor_key() -> str | None:
    """Return the key, or None where none is set.

    Raises
    ------
    StudyError
        Where it is set and too short, or empty: nothing is shown rather than everything.
    """
    key = os.environ.get(KEY_VARIABLE)
    if key is not None and len(key.strip()) < MINIMUM_LENGTH:
        raise StudyError(
            f"{KEY_VARIABLE} has {len(key.strip())} characters; expected {MINIMUM_LENGTH} or more. Set a longer one, "
            "or take the variable away, and start the server again."
        )
    return None if key is None else key.strip()


def fingerprint(key: str) -> str:
    """Return what may be kept in place of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyHole:
    """Where keys are tried. Wrong tries, of all visitors together, make everybody wait ever longer.

    While a try has to wait, none is looked at, the right one included: else many tries at once would not be slowed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong = 0
        self._wait_until = 0.0

    def seconds_to_wait(self) -> float:
        """Return for how long no try is looked at, in s."""
        return max(0.0, self._wait_until - time.monotonic())

    def try_key(self, text: str) -> bool:
        """Tell whether a text is the key; False also while it is not looked at."""
        key = instructor_key()
        with self._lock:
            if key is None or self.seconds_to_wait() > 0:
                return False
            if hmac.compare_digest(text.strip().encode(), key.encode()):
                self._wrong = 0
                return True
            self._wrong += 1
            if self._wrong >= _PATIENCE:
                self._wait_until = time.monotonic() + min(LONGEST_WAIT_S, 2.0 ** min(self._wrong - _PATIENCE, 10))
            return False


KEY_HOLE: Final = KeyHole()
"""The one of this server."""
