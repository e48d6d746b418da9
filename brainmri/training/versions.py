"""The software that made a result."""

from __future__ import annotations

import platform
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from brainmri import __version__

THREADS_KEY: Final = "torch_threads"
"""Under this name a run stores how many threads computed it: sums in another order differ in their last bits."""

_LIBRARIES: Final = ("torch", "torchvision", "numpy", "safetensors")
_GIT_TIMEOUT_S = 5


def software_versions() -> dict[str, str]:
    """Return versions of brainmri, Python and the libraries behind a run, and the git revision where there is one."""
    found = {"brainmri": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    revision = git_revision()
    return found if revision is None else {**found, "git_revision": revision}


@lru_cache(maxsize=1)
def git_revision() -> str | None:
    """Return the commit of this copy, with ``+changes`` where files differ; None without git or a repository."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+changes" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    finished = subprocess.run(  # noqa: S603 - fixed arguments
        command, capture_output=True, text=True, check=True, timeout=_GIT_TIMEOUT_S
    )
    return finished.stdout.strip()
