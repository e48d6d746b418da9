"""Fine-tuned networks leave the house: as ONNX, checked against the original, or as safetensors."""

from __future__ import annotations

from typing import Final

INTENDED_USE: Final = "Research and teaching. Not a medical device; not for diagnosis."
"""Stands in every exported file."""
