"""Why a training failed, in words for people. Needs torch and no database."""

from __future__ import annotations

import torch

from brainmri.errors import BrainMRIError


def explain_failure(error: Exception, run_id: str) -> str:
    """Return sentences that say what went wrong in a run and what to do."""
    if isinstance(error, BrainMRIError):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return f"The GPU has too little memory: {first_line(error)} Choose smaller images."
    if isinstance(error, MemoryError):
        return "Memory ran out. Close other programs, or choose a smaller batch size or fewer processes."
    return f"Unexpected {type(error).__name__}: {first_line(error)} Details are in runs/{run_id}/log.txt."


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message as a sentence."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if text.endswith(".") else f"{text}."
