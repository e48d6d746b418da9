"""Fingerprints of a data set's images, kept beside its samples: half a second of work, many while a training computes.

A data set is frozen, so that a file of it never gets out of date; its name changes with how fingerprints are taken.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from brainmri.evaluation.near_duplicates import Fingerprints, take_fingerprints
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study

FILE_NAME: Final = "fingerprints-1.npz"


def read_fingerprints(study: Study, dataset_hash: str) -> Fingerprints:
    """Return the fingerprints of a data set's images, from disk or taken now and stored where that is possible.

    Raises
    ------
    ImagingError
        Where they are not stored and the samples cannot be read.
    EvaluationError
        Where images are too small.
    """
    path = study.dataset_folder(dataset_hash) / FILE_NAME
    stored = _read(path)
    if stored is not None:
        return stored
    taken = take_fingerprints(read_samples(study, dataset_hash))
    _write(path, taken)
    return taken


def _read(path: Path) -> Fingerprints | None:
    """Return what a file holds; None where there is none, or it is damaged and so has to be made anew."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return Fingerprints(hashes=stored["hashes"], thumbnails=stored["thumbnails"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, fingerprints: Fingerprints) -> None:
    """Write the file under a temporary name and rename it; a study that cannot be written to goes without."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            np.savez(stream, hashes=fingerprints.hashes, thumbnails=fingerprints.thumbnails)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
