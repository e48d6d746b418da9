"""From a finished run to a file that other software reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from torch import nn

from brainmri.errors import TrainingError
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.checkpoints import read_checkpoint, write_checkpoint
from brainmri.training.experiments import read_experiment, read_run, read_split
from brainmri.training.export.checking import Check, check_onnx, choose_samples
from brainmri.training.export.onnx_file import import_export_packages, write_onnx
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.records import FINISHED, Run
from brainmri.training.weights import IMAGENET, SCRATCH

FileFormat = Literal["onnx", "safetensors"]

_PUBLISHED_STARTS: Final = (IMAGENET, SCRATCH)


@dataclass(frozen=True, kw_only=True)
class ExportedNetwork:
    """A network's file outside the study.

    Parameters
    ----------
    run_id : str
    file_format : {'onnx', 'safetensors'}
    path : Path
    sha256 : str
        Of the file, 64 hexadecimal digits.
    checked : Check or None
        Of an ONNX file against the original; None for safetensors, which holds the original's weights.
    """

    run_id: str
    file_format: FileFormat
    path: Path
    sha256: str
    checked: Check | None


def export_network(study: Study, run_id: str, file_format: FileFormat, folder: Path) -> ExportedNetwork:
    """Write the network of a finished run into a folder, as ``RUN.onnx`` or ``RUN.safetensors``.

    Parameters
    ----------
    study : Study
    run_id : str
    file_format : {'onnx', 'safetensors'}
        ``onnx``: intensities in, probabilities out, run beside the original on test images of the run.
        ``safetensors``: weights in float32 with the metadata of the checkpoint.
    folder : Path
        That exists.

    Raises
    ------
    TrainingError
        Where the run is not there, has not finished or its network is not stored; where packages are missing; or where
        the file computes something else than the network.
    """
    run = _finished_run(study, run_id)
    if file_format == "onnx":
        import_export_packages()  # before a large file is read
    model, meta = _read_network(study, run)
    path = folder / f"{run_id}.{file_format}"
    checked = None
    if file_format == "onnx":
        write_onnx(path, model, meta)
        checked = _check(study, run, path, model, meta)
    else:
        write_checkpoint(path, model, meta, "float32")
    return ExportedNetwork(run_id=run_id, file_format=file_format, path=path, sha256=_digest(path), checked=checked)


def _finished_run(study: Study, run_id: str) -> Run:
    run = read_run(study, run_id)
    if run.status != FINISHED:
        raise TrainingError(
            f"The run {run_id} has not finished; it is {run.status}. Only finished runs can be exported: wait for it, "
            f"or go on with it: python -m brainmri work {run.experiment_id}"
        )
    return run


def _read_network(study: Study, run: Run) -> tuple[nn.Module, dict[str, Any]]:
    path = study.run_folder(run.run_id) / CHECKPOINT_FILE
    if not path.is_file():
        raise TrainingError(
            f"The network of the run {run.run_id} is not stored: {path} does not exist. Export a run whose network was "
            "kept, restore the file from a copy of the study, or train the run again."
        )
    model, meta = read_checkpoint(path)
    return model, _without_folders(meta)


def _without_folders(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata with no more than the name of a weight file: its folders are this machine's business."""
    settings = dict(meta.get("settings", {}))
    if settings.get("weights", SCRATCH) not in _PUBLISHED_STARTS:
        settings["weights"] = Path(settings["weights"]).name
    return {**meta, "settings": settings} if "settings" in meta else dict(meta)


def _check(study: Study, run: Run, path: Path, model: nn.Module, meta: Mapping[str, Any]) -> Check:
    experiment = read_experiment(study, run.experiment_id)
    split = read_split(study, run.experiment_id, run.repeat)
    chosen = choose_samples(np.asarray(split.test, dtype=np.int64))
    return check_onnx(path, model, meta, np.asarray(read_samples(study, experiment.dataset_hash)[chosen]))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
