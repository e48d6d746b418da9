"""Processes by identity: number, creation time and machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import psutil

_CREATE_TIME_TOLERANCE_S = 1.0
"""psutil derives the creation time from the boot time, which drifts by a fraction of a second."""


@dataclass(frozen=True)
class ProcessIdentity:
    """One process, told from a later one that got the same number."""

    pid: int
    created: float
    """Seconds since 1970."""
    host: str


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    process = psutil.Process()
    return ProcessIdentity(process.pid, process.create_time(), platform.node())


def is_alive(pid: int | None, created: float | None, host: str | None) -> bool:
    """Return whether a process still runs. Of another machine's only that machine can tell: taken as running."""
    if pid is None:
        return False
    if not is_here(host):
        return True
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - (created or 0.0)) < _CREATE_TIME_TOLERANCE_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_here(host: str | None) -> bool:
    """Return whether this is the machine of that name."""
    return host == platform.node()
