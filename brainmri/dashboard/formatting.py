"""Numbers and times as pages write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units: ``45 s``, ``3 min 20 s``, ``1 h 5 min``, ``2 d 3 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two_units(whole, (60, "min"), (1, "s"))
    if whole < 86400:
        return _two_units(whole, (3600, "h"), (60, "min"))
    return _two_units(whole, (86400, "d"), (3600, "h"))


def format_time_left(seconds: float | None) -> str:
    """Return the time left in words."""
    if seconds is None:
        return "time left not known yet"
    return f"about {format_estimate(seconds)} left"


def format_estimate(seconds: float) -> str:
    """Return an estimated duration, rounded to what can be known."""
    step = 1 if seconds < 20 else 5 if seconds < 300 else 60
    return format_duration(max(1, round(seconds / step)) * step)


def format_date(moment: datetime) -> str:
    """Return a point in time in this computer's zone: ``3 Feb 2026, 14:05``."""
    local = moment.astimezone()
    return f"{local.day} {local:%b %Y, %H:%M}"


def format_count(count: int, word: str, plural: str | None = None) -> str:
    """Return ``1 case``, ``2 cases``, ``1,323 images``."""
    return f"{count:,} {word if count == 1 else plural or word + 's'}"


def format_bytes(count: float) -> str:
    """Return a size in the unit that suits it: ``450 MB``, ``1.2 GB``; a thousand of one make the next."""
    if count < 999.5e6:
        return f"{max(1, round(count / 1e6))} MB"
    return f"{count / 1e9:.1f} GB" if count < 99.95e9 else f"{round(count / 1e9):,} GB"


def fit_table(rows: int, most: int) -> int | Literal["content"]:
    """Return the height of a table: as many rows as it has, or a fixed height where it has more than `most`."""
    return "content" if rows <= most else 34 * (most + 1)


def format_voxel(spacing_mm: Sequence[float]) -> str:
    """Return a voxel's size, within the slice first: ``0.9 × 0.9 × 5.0 mm``.

    Parameters
    ----------
    spacing_mm : sequence of float
        Between slices, between rows, between columns.
    """
    between_slices, between_rows, between_columns = spacing_mm
    return f"{between_columns:.2f} × {between_rows:.2f} × {between_slices:.1f} mm"


def _two_units(seconds: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    count, rest = divmod(seconds, large[0])
    part = rest // small[0]
    return f"{count} {large[1]} {part} {small[1]}" if part else f"{count} {large[1]}"
