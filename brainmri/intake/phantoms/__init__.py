"""Phantoms: synthetic patients written as DICOM files."""

from __future__ import annotations

from typing import Final

PHANTOM_MANUFACTURER: Final = "brainmri phantom"
"""Manufacturer in the headers of phantoms: tells them from patients."""
