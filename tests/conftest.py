"""Shared fixtures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainmri.study import Study, open_study

REAL_IMAGES = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _own_main_module() -> Iterator[None]:
    """Put `__main__` back after a test: Streamlit puts the page there, and processes spawned later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


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
