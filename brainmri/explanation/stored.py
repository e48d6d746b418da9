"""Arrays of a run on disk, as ``.npz`` files of the run folder. Nothing here imports torch."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.study import Study


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays, compressed, under a temporary name and rename the file.

    Parameters
    ----------
    path : Path
    arrays : dict of str to ndarray
        Numbers and texts only; no Python objects.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(study: Study, run_id: str, file_name: str, *, again: str) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file of a run, or None where the run has no such file.

    Parameters
    ----------
    study : Study
    run_id : str
    file_name : str
    again : str
        Arguments of ``python -m brainmri`` that make the file anew, for the message about a damaged one.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    """
    path = study.run_folder(run_id) / file_name
    if Path(run_id).name != run_id or not path.is_file():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise damaged(run_id, path, error, again=again) from error


def read_identity(study: Study, run_id: str, file_name: str) -> str | None:
    """Return which training a stored file was made from; None where there is no such file, or it is damaged."""
    try:
        with (study.run_folder(run_id) / file_name).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return str(stored["made_from"]) if "made_from" in stored.files else ""
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def damaged(run_id: str, path: Path, error: Exception, *, again: str) -> ExplanationError:
    """Return the error for a file of a run that cannot be read."""
    return ExplanationError(
        f"The maps of the run {run_id} in {path} cannot be read: {error}. Make them again: python -m brainmri {again}"
    )
