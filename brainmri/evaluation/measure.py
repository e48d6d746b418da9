"""What the numbers of a comparison measure: which end is better, and in which unit and words differences are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brainmri.evaluation.bayesian import EQUIVALENCE_POINTS
from brainmri.evaluation.metric_text import is_share, unit_of
from brainmri.evaluation.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What models are compared by.

    Parameters
    ----------
    plural : str
        The numbers in a sentence: ``the mean accuracies differ``.
    better : str
        What a model with better numbers is: ``a is more accurate than b``.
    higher_is_better : bool
    shares : bool
        Whether differences are told in percentage points; else as plain numbers.
    unit : str
        Of plain numbers, for example ``nats``; empty for none.
    point : float or None
        One percentage point in the unit of the numbers, or 1 for plain numbers; None to read it off the numbers, which
        may be shares or per cent.
    """

    plural: str = "accuracies"
    better: str = "more accurate"
    higher_is_better: bool = True
    shares: bool = True
    unit: str = ""
    point: float | None = None

    def describe(self, difference: float | None) -> str:
        """Return ``3.7 percentage points`` or ``0.037``, with the first digit where that would be zero.

        Parameters
        ----------
        difference : float or None
            In percentage points, or a plain number; a dash for none.
        """
        if difference is None:
            return "–"
        digits = 1 if self.shares else 3
        size = abs(difference)
        number = f"{difference:.{digits}f}" if size >= 0.5 / 10**digits or size == 0 else f"{difference:.1g}"
        return f"{number} {self.unit}".rstrip() if not self.shares else f"{number} percentage points"

    def describe_signed(self, difference: float | None) -> str:
        """Return ``+3.7`` or ``−0.037``, without a unit; a dash for none."""
        if difference is None:
            return "–"
        return f"{difference:+.{1 if self.shares else 3}f}".replace("-", "−")

    @property
    def usual_region(self) -> float:
        """Half the width of a region of practical equivalence, where nobody sets one, in the unit of `describe`."""
        return EQUIVALENCE_POINTS if self.shares else EQUIVALENCE_POINTS / 100

    @property
    def region_unit(self) -> str:
        """Unit in which the region of practical equivalence is set."""
        return "percentage points" if self.shares else self.unit or "in the metric itself"

    @property
    def axis(self) -> str:
        """Title of an axis or a column of differences."""
        if self.shares:
            return "Difference (percentage points)"
        return f"Difference ({self.unit})" if self.unit else "Difference"

    def describe_region(self, equivalence: float) -> str:
        """Return ``differences up to 1 percentage point``, in the unit of `describe`."""
        if not self.shares:
            return f"differences up to {equivalence:g} {self.unit}".rstrip()
        return f"differences up to {equivalence:g} percentage point{'' if equivalence == 1 else 's'}"


ACCURACY: Final = Measure()
"""Accuracies as they come, shares or per cent."""


def measure_of(metric: Metric) -> Measure:
    """Return how a metric of runs is compared and told."""
    accuracy = metric.name == "accuracy"
    shares = is_share(metric)
    return Measure(
        plural="accuracies" if accuracy else "values",
        better="more accurate" if accuracy else "better",
        higher_is_better=metric.higher_is_better,
        shares=shares,
        unit="" if shares else unit_of(metric),
        point=0.01 if shares else 1.0,
    )
