"""Fixtures of the training tests: a network small enough to train in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from brainmri.training import architecture_names
from brainmri.training.architecture_names import Architecture


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Architecture:
    """Put a network of a few hundred weights into the table, in place of nothing."""
    entry = Architecture(
        name="tiny",
        display_name="Tiny",
        builder="tests.training.tiny_network:build",
        head="head",
        target_layers=("features.4", "features.1"),
        minimum_size_px=16,
        published_files=("tiny-00000000.pth",),
        published_layers_unused=("aux.",),
    )
    monkeypatch.setitem(architecture_names.ARCHITECTURES, "tiny", entry)
    return entry


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute in one thread, as training processes do: several wait for one another where other work runs beside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
