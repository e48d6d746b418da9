"""Runs to maps: Grad-CAM and its overlays."""

from typing import Final

EXPLAIN_AFTER_RUN: Final = "brainmri.explanation.precompute:explain_run"
"""Given to `brainmri.training.jobs.work`: a finished run gets its maps in the worker, so that a page needs no network."""
