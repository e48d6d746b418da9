"""Protocols to begin with: each a few settings that differ from the usual ones. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from brainmri.errors import UsageError
from brainmri.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One protocol.

    Parameters
    ----------
    name : str
        On the command line.
    title, description : str
        For people.
    changes : mapping of str to object
        Fields of `TrainingSettings` that differ from its defaults.
    """

    name: str
    title: str
    description: str
    changes: Mapping[str, Any]

    def settings(self) -> TrainingSettings:
        """Return the settings of this protocol."""
        return TrainingSettings(preset=self.name, **self.changes)


BY_PATIENT: Final = "by-patient"

_TABLE: Final = (
    Preset(
        name=BY_PATIENT,
        title="By patient",
        description="All layers are fine-tuned; patients are split, so that the accuracy is that on new patients.",
        changes={},
    ),
    Preset(
        name="as-published",
        title="As published",
        description="As in the published study: images are split, so that images of one patient are trained on and "
        "tested on. The accuracy is higher than on new patients.",
        changes={"split_by": "image"},
    ),
    Preset(
        name="quick-look",
        title="Quick look",
        description="Only the last layer is trained, on what the published layers see: minutes in place of hours on a "
        "processor, and usually less accurate. Patients are split.",
        changes={"mode": "head", "learning_rate": 0.05, "batch_size": 64, "augmentation": 0.0},
    ),
)

PRESETS: Final[dict[str, Preset]] = {preset.name: preset for preset in _TABLE}
"""Every protocol by its name, the default one first."""


def find_preset(name: str) -> Preset:
    """Return a protocol.

    Raises
    ------
    UsageError
        Where there is none; the message names those that are known.
    """
    if name not in PRESETS:
        raise UsageError(f"Unknown protocol '{name}'; known are {', '.join(PRESETS)}.")
    return PRESETS[name]
