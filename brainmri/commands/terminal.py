"""What commands print: one JSON object on stdout, or tables for people; progress goes to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from brainmri.tasks import TaskHandle

_BAR_WIDTH = 24


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object on stdout; not-a-number is refused rather than written as invalid JSON."""
    print(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns of equal width, numbers to the right."""
    cells = [list(map(str, header)), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = [all(_is_number(row[column]) for row in cells[1:]) for column in range(len(header))]
    for row in cells:
        columns = zip(row, widths, numeric, strict=True)
        print("  ".join(text.rjust(width) if right else text.ljust(width) for text, width, right in columns).rstrip())


def show_progress(task: TaskHandle | None, *, stops: bool = True) -> Callable[[float, str], None]:
    """Return a progress function that writes the task's row and, on a terminal, a bar with the time left.

    Parameters
    ----------
    task : TaskHandle or None
        None where the work is no task.
    stops : bool
        Raise `StopRequested` where somebody asked for a stop; False for work that looks for itself.
    """
    started = time.monotonic()

    def progress(fraction: float, step: str) -> None:
        if sys.stderr.isatty():
            _draw_bar(fraction, step, time.monotonic() - started)
        if task is None:
            return
        if stops:
            task.advance(fraction, step)
        else:
            task.report(fraction, step)

    return progress


def _draw_bar(fraction: float, step: str, elapsed_s: float) -> None:
    filled = round(fraction * _BAR_WIDTH)
    left = f", {elapsed_s * (1 - fraction) / fraction:.0f} s left" if 0.02 < fraction < 1 else ""
    end = "\n" if fraction >= 1 else ""
    text = f"\r[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {fraction:4.0%}{left}  {step}"
    print(f"{text[:110]:<110}", end=end, file=sys.stderr, flush=True)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "–"
    return True
