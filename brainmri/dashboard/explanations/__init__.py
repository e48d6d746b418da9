"""Panels of the review page that read what is stored of runs: networks, sequences, checks, similar cases."""

from typing import Final

from brainmri.dashboard.explanations.architectures import show_architectures
from brainmri.dashboard.explanations.checks import show_checks
from brainmri.dashboard.explanations.sequences import describe_missing, show_sequences
from brainmri.dashboard.explanations.similar import show_similar

__all__ = ["PANELS", "describe_missing", "show_architectures", "show_checks", "show_sequences", "show_similar"]

PANELS: Final = {
    "cases": "Cases",
    "networks": "Networks",
    "sequences": "Sequences",
    "checks": "Worth believing?",
    "similar": "Similar cases",
    "volume": "Volume",
    "change": "Before and after",
}
"""What the address calls a panel, and its label; the last one only where an experiment repeats another."""
