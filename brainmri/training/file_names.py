"""Names of files in the folder of a run. Nothing here imports torch, so that pages can ask whether they are there."""

from typing import Final

CHECKPOINT_FILE: Final = "checkpoint.safetensors"
"""The trained network; see `brainmri.training.checkpoints`."""

STATE_FILE: Final = "state.safetensors"
"""What an unfinished training goes on from; see `brainmri.training.states`."""
