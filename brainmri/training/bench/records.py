"""What the bench measures, and the figures that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

PROTOCOL_REPEATS: Final = 10
"""Runs of each architecture in the published study."""
PROTOCOL_TRAINING_IMAGES: Final = 2347
"""Seven tenths of its 3,353 images."""
PROTOCOL_EPOCHS: Final = 30


@dataclass(frozen=True)
class Round:
    """Training images per second of both ways, measured one right after the other."""

    ordinary: float
    engine: float

    @property
    def ratio(self) -> float:
        """How many times as fast the engine is."""
        return self.engine / self.ordinary


@dataclass(frozen=True, kw_only=True)
class ArchitectureFigures:
    """One architecture's measurements.

    Parameters
    ----------
    architecture : str
        Name from the table.
    rounds : tuple of Round
        At least one.
    flop_per_image : float
        Floating-point operations of forward and backward pass for one image in the engine's network, a multiplication
        and an addition counted as two.
    peak_flop_per_second : float
        Of the device, see `brainmri.training.bench.peak`.
    peak_memory_bytes : int or None
        Of the engine's processes together: memory allocated on the GPU, or resident sizes. None where the system does
        not tell.
    """

    architecture: str
    rounds: tuple[Round, ...]
    flop_per_image: float
    peak_flop_per_second: float
    peak_memory_bytes: int | None

    @property
    def ordinary_images_per_second(self) -> float:
        """Median over the rounds."""
        return median(one.ordinary for one in self.rounds)

    @property
    def engine_images_per_second(self) -> float:
        """Median over the rounds, of the sum over the processes that train at the same time."""
        return median(one.engine for one in self.rounds)

    @property
    def ratio(self) -> float:
        """Ratio of the two medians. It lies between the lowest and the highest ratio of a round."""
        return self.engine_images_per_second / self.ordinary_images_per_second

    @property
    def ratio_low(self) -> float:
        """Lowest ratio of a round."""
        return min(one.ratio for one in self.rounds)

    @property
    def ratio_high(self) -> float:
        """Highest ratio of a round."""
        return max(one.ratio for one in self.rounds)

    @property
    def share_of_peak(self) -> float:
        """Floating-point operations that the engine does each second, as a share of the device's peak."""
        return self.engine_images_per_second * self.flop_per_image / self.peak_flop_per_second

    @property
    def protocol_minutes(self) -> float:
        """Time for training all runs of this architecture under the published protocol at the engine's speed."""
        images = PROTOCOL_REPEATS * PROTOCOL_TRAINING_IMAGES * PROTOCOL_EPOCHS
        return images / self.engine_images_per_second / 60

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            "architecture": self.architecture,
            "ordinary_images_per_second": self.ordinary_images_per_second,
            "engine_images_per_second": self.engine_images_per_second,
            "ratio": self.ratio,
            "ratio_low": self.ratio_low,
            "ratio_high": self.ratio_high,
            "share_of_peak": self.share_of_peak,
            "peak_memory_mb": None if self.peak_memory_bytes is None else self.peak_memory_bytes / 1e6,
            "protocol_minutes": self.protocol_minutes,
            "training_gflop_per_image": self.flop_per_image / 1e9,
            "rounds": [{"ordinary": one.ordinary, "engine": one.engine} for one in self.rounds],
        }


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    """All that one run of the bench found.

    Parameters
    ----------
    device : str
        The engine's device, for example ``cuda (NVIDIA H100)``.
    cores : int
        Processor cores that the bench may use.
    processes : int
        Processes of the engine that train at the same time.
    precision : str
        Of the engine's matrix products; the ordinary way computes in fp32 (TF32 on a GPU that has it).
    versions : mapping
        Name to version.
    batch_size : int
    size_px : int
    peak_flop_per_second : float
    architectures : tuple of ArchitectureFigures
    compiled : bool
        Whether the engine compiled the networks.
    """

    device: str
    cores: int
    processes: int
    precision: str
    versions: Mapping[str, str]
    batch_size: int
    size_px: int
    peak_flop_per_second: float
    architectures: tuple[ArchitectureFigures, ...]
    compiled: bool = False

    @property
    def protocol_minutes(self) -> float:
        """Time for training all runs of the measured architectures under the published protocol."""
        return sum(one.protocol_minutes for one in self.architectures)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "device": self.device,
            "cores": self.cores,
            "processes": self.processes,
            "compiled": self.compiled,
            "precision": self.precision,
            "versions": dict(self.versions),
            "batch_size": self.batch_size,
            "size_px": self.size_px,
            "peak_tflop_per_second": self.peak_flop_per_second / 1e12,
            "architectures": [one.to_json() for one in self.architectures],
            "protocol_minutes": self.protocol_minutes,
        }
