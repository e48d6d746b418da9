"""How samples are made: one frozen record, stored with every data set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from brainmri.errors import UsageError
from brainmri.vocabulary import TRAINED_DIAGNOSES

MINIMUM_SIZE_PX = 63
"""AlexNet, the most demanding of the published architectures, cannot take smaller images."""
MAXIMUM_SIZE_PX = 1024


@dataclass(frozen=True, kw_only=True)
class DatasetSettings:
    """How regions and samples are made.

    Parameters
    ----------
    size_px : int
        Side of a sample in pixels.
    classes : tuple of str
        Diagnoses in the order of their class index.
    margin : float
        Added to each side of the tumour, as a share of the longer side of its bounding box.
    minimum_side_mm : float
        A region is not smaller than this, so that a small tumour keeps its surroundings.
    minimum_area_mm2 : float
        Parts of a mask smaller than this on a slice are left out: a grazed slice, or a stray voxel.
    lower_percentile, upper_percentile : float
        Limits of the intensity scale of a sequence, over the foreground of its volume.
    """

    size_px: int = 224
    classes: tuple[str, ...] = TRAINED_DIAGNOSES
    margin: float = 0.2
    minimum_side_mm: float = 24.0
    minimum_area_mm2: float = 30.0
    lower_percentile: float = 0.5
    upper_percentile: float = 99.5

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant."""
        if not MINIMUM_SIZE_PX <= self.size_px <= MAXIMUM_SIZE_PX:
            raise UsageError(
                f"The size of a sample is {self.size_px} px; expected {MINIMUM_SIZE_PX} to {MAXIMUM_SIZE_PX} px "
                "(64 to 96 for a quick study, 224 as published)."
            )
        if len(set(self.classes)) < 2 or len(set(self.classes)) != len(self.classes):
            raise UsageError(f"A data set needs two or more different diagnoses; found {', '.join(self.classes)!r}.")
        if not 0 <= self.margin <= 2:
            raise UsageError(f"The margin is {self.margin}; expected a share between 0 and 2.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return {**asdict(self), "classes": list(self.classes)}
