from __future__ import annotations

import subprocess

import torch

from brainmri.training import versions


def test_versions_name_what_made_a_result():
    found = versions.software_versions()
    assert found["torch"] == torch.__version__.split("+")[0]
    assert {"brainmri", "python", "torchvision", "numpy", "safetensors"} <= set(found)


def test_no_git_is_no_failure(monkeypatch):
    def absent(*_arguments: object) -> str:
        raise FileNotFoundError("git")

    versions.git_revision.cache_clear()
    monkeypatch.setattr(versions, "_git", absent)
    assert versions.git_revision() is None
    monkeypatch.setattr(versions, "_git", lambda *_a: (_ for _ in ()).throw(subprocess.TimeoutExpired("git", 5)))
    versions.git_revision.cache_clear()
    assert versions.git_revision() is None
    assert "git_revision" not in versions.software_versions()
    versions.git_revision.cache_clear()
