"""Runs to maps: Grad-CAM and its overlays."""

from typing import Final

EXPLAIN_AFTER_RUN: Final = "brainmri.explanation.precompute:explain_run"
"""Given to `brainmri.training.jobs.work`: runs get their maps in the worker, so that no page needs a network."""
