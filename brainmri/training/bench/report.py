"""The bench's figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from brainmri.training.architecture_names import display_architecture
from brainmri.training.bench.profile import ProfileReport
from brainmri.training.bench.records import (
    PROTOCOL_EPOCHS,
    PROTOCOL_REPEATS,
    PROTOCOL_TRAINING_IMAGES,
    ArchitectureFigures,
    BenchReport,
)

_LIBRARIES: Final = ("torch", "torchvision", "numpy")
_HEADER: Final = (
    "Architecture",
    "Ordinary, images/s",
    "Engine, images/s",
    "Ratio (lowest to highest)",
    "Share of peak",
    "Memory",
    "Protocol",
)


def describe_report(report: BenchReport) -> str:
    """Return a table, and below it what it was measured on."""
    rows = [_HEADER, *map(_row, report.architectures)]
    images = f"{PROTOCOL_TRAINING_IMAGES:,} training images, {PROTOCOL_EPOCHS} epochs at {report.size_px} px"
    compiled = ", compiled" if report.compiled else ""
    processes = f"{report.processes} process{'' if report.processes == 1 else 'es'} of the engine"
    return "\n".join(
        [
            *_align(rows),
            "",
            f"Protocol: {PROTOCOL_REPEATS} runs of each architecture, {images}: "
            f"{format_minutes(report.protocol_minutes)} in all.",
            f"Device: {report.device}, {report.cores} cores; peak {report.peak_flop_per_second / 1e12:.3g} TFLOP/s in "
            f"{report.precision}; {processes}, batches of {report.batch_size}{compiled}.",
            f"Versions: {', '.join(f'{name} {report.versions[name]}' for name in _LIBRARIES)}.",
        ]
    )


def describe_profile(report: ProfileReport) -> str:
    """Return a table of operators and how busy the device was."""
    rows = [("Operator", "Calls", "Share"), *[(o.name, str(o.calls), f"{o.share:.1%}") for o in report.operators]]
    return "\n".join(
        [
            f"{display_architecture(report.architecture)} on {report.device}, one pass of training with batches of "
            f"{report.batch_size} at {report.size_px} px:",
            *_align(rows),
            f"In operators {report.busy_share:.0%} of the time.",
        ]
    )


def format_minutes(minutes: float) -> str:
    """Return a duration as people say it, for example ``2 h 05 min`` or ``4.2 min``."""
    if minutes < 10:
        return f"{minutes:.1f} min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def _row(figures: ArchitectureFigures) -> tuple[str, ...]:
    memory = figures.peak_memory_bytes
    return (
        display_architecture(figures.architecture),
        f"{figures.ordinary_images_per_second:.4g}",
        f"{figures.engine_images_per_second:.4g}",
        f"{figures.ratio:.1f} ({figures.ratio_low:.1f} to {figures.ratio_high:.1f})",
        f"{figures.share_of_peak:.1%}",
        "–" if memory is None else f"{memory / 1e6:,.0f} MB",
        format_minutes(figures.protocol_minutes),
    )


def _align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return lines of columns of equal width, the first to the left, the others to the right."""
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([name.ljust(first), *[cell.rjust(width) for cell, width in zip(cells, others, strict=True)]])
        for name, *cells in rows
    ]
