"""An exported file is run beside the network that it came from, on the images that this one was tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainmri.errors import TrainingError
from brainmri.training.export.onnx_file import INPUT_NAME, OUTPUT_NAME, import_export_packages
from brainmri.training.normalisation import prepare_input

TOLERANCE: Final = 1e-4
"""Largest difference of a probability that an export may show: float32 sums in another order move it by some 1e-6."""

MOST_SAMPLES: Final = 256
"""Images that are run; of a larger test set, so many, evenly spread."""

_BATCH_PIXELS = 32 * 224 * 224
_ERRORS_ONLY = 3  # onnxruntime's scale; its warnings about devices that are not there go to stderr otherwise


@dataclass(frozen=True, kw_only=True)
class Check:
    """How an exported file did beside the original.

    Parameters
    ----------
    samples : int
        Test images that both were run on.
    largest_difference : float
        Largest absolute difference of a probability.
    """

    samples: int
    largest_difference: float


def choose_samples(test: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most `MOST_SAMPLES` of the test samples, evenly spread."""
    if len(test) <= MOST_SAMPLES:
        return test
    return test[np.linspace(0, len(test) - 1, MOST_SAMPLES).round().astype(np.int64)]


def check_onnx(path: Path, model: nn.Module, meta: Mapping[str, Any], samples: NDArray[np.uint8]) -> Check:
    """Run an ONNX file and the network that it came from on the same stored samples.

    Parameters
    ----------
    path : Path
    model : nn.Module
        In evaluation mode, on the processor.
    meta : mapping
        Of its checkpoint.
    samples : ndarray, shape (N, 3, size, size), uint8

    Raises
    ------
    TrainingError
        Where a probability differs by more than `TOLERANCE`, or the file cannot be run.
    """
    if len(samples) == 0:
        raise TrainingError(f"The run {meta.get('run', '')} has no test image to check the exported file on.")
    runtime = import_export_packages()["onnxruntime"]
    runtime.set_default_logger_severity(_ERRORS_ONLY)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batch = max(1, _BATCH_PIXELS // (samples.shape[2] * samples.shape[3]))
    differences = []
    for start in range(0, len(samples), batch):
        part = np.array(samples[start : start + batch])
        found = session.run([OUTPUT_NAME], {INPUT_NAME: part.astype(np.float32) / np.float32(255)})[0]
        with torch.inference_mode():
            logits = model(prepare_input(torch.from_numpy(part), meta["normalisation"]))
        differences.append(np.abs(found - torch.softmax(logits, dim=1).numpy()).max())
    check = Check(samples=len(samples), largest_difference=float(np.max(differences)))
    if not check.largest_difference <= TOLERANCE:  # not-a-number as well
        raise TrainingError(
            f"The ONNX file of the run {meta.get('run', '')} does not compute what the network computes: on "
            f"{check.samples} test images a probability differs by {check.largest_difference:.2g}, expected at most "
            f"{TOLERANCE:g}. It was not kept. Export with --format safetensors, and report the versions of torch and "
            "onnx."
        )
    return check
