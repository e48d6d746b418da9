"""Ways to spread runs over machines. Several processes of one machine are the business of `brainmri.training.jobs`."""

from typing import Final

RAY: Final = "ray"
"""The engine's name on the command line."""
