"""Shared fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainmri.study import Study, open_study

REAL_IMAGES = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return an empty study."""
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    return open_study(tmp_path / "study")


@pytest.fixture
def real_images() -> Path:
    """Return the folder of public example images; skip where it is absent."""
    if not REAL_IMAGES.is_dir():
        pytest.skip(f"the public example images are not in {REAL_IMAGES}")
    return REAL_IMAGES
