"""Packed cases that all readers of a session share.

A case is packed once, under a name that stands for nobody; each reader gets it with their own opaque key in its place.
Twenty readers in twenty orders would otherwise pack, and read from the disk, each case again and again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

import streamlit as st

from brainmri.errors import TeachingError

MOST_BYTES: Final = 384 * 2**20
"""Of all packed cases together; the least recently shown go first."""

_KEY_LENGTH: Final = 24
PLACEHOLDER: Final = "0" * _KEY_LENGTH
"""What a case is packed under; as long as an opaque key."""

_HEAD: Final = 256
"""Bytes in which the key is: the first entry of the header."""

_NAMED: Final = '"id": "{}"'


class Shelf:
    """Bytes by name, up to a size; safe to use from many threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._packing: dict[Hashable, threading.Lock] = {}

    def take(self, name: Hashable, pack: Callable[[], bytes]) -> bytes:
        """Return what is kept under a name, or pack and keep it; who asks at the same time waits for the first."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            turn = self._packing.setdefault(name, threading.Lock())
        with turn:
            with self._lock:
                if name in self._kept:
                    return self._kept[name]
            try:
                packed = pack()
                with self._lock:
                    self._keep(name, packed)
            finally:
                with self._lock:
                    self._packing.pop(name, None)
            return packed

    def _keep(self, name: Hashable, packed: bytes) -> None:
        self._kept[name] = packed
        while sum(map(len, self._kept.values())) > self._most_bytes and len(self._kept) > 1:
            self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def shared_shelf() -> Shelf:
    """Return the shelf of all visitors."""
    return Shelf()


def write_key(packed: bytes, key: str) -> bytes:
    """Return a case that was packed under `PLACEHOLDER` with a reader's opaque key in its place.

    Raises
    ------
    TeachingError
        Where the key has another length, or the placeholder is not there.
    """
    named, wanted = _NAMED.format(PLACEHOLDER).encode(), _NAMED.format(key).encode()
    if len(named) != len(wanted) or named not in packed[:_HEAD]:
        raise TeachingError("The images of this case cannot be given the reader's key.")
    return packed.replace(named, wanted, 1)
