"""A map of one sample, fresh from the checkpoint, as files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.maps import overlay, upsample
from brainmri.explanation.method_names import find_method
from brainmri.explanation.trained import open_trained
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.loop import predict
from brainmri.vocabulary import SEQUENCES, normalise_diagnosis

LEAST_PX: Final = 256
"""Smallest side of a picture; a sample of fewer pixels is scaled up by a whole factor."""


@dataclass(frozen=True, kw_only=True)
class ExplainedSample:
    """What `explain_sample` found, and where it wrote it."""

    paths: tuple[Path, ...]
    """One picture a sequence, then the map."""
    predicted: str
    probabilities: dict[str, float]
    layer: str
    """Dotted name; empty where the map has the pixels of the image."""
    grid: tuple[int, int]
    """Rows and columns of the map before it was scaled up."""
    target: str
    """The diagnosis for which the map shows evidence."""


def explain_sample(
    study: Study,
    run_id: str,
    sample_index: int,
    out: Path,
    *,
    target: str | None = None,
    method: str = "gradcam",
    layer: str | None = None,
) -> ExplainedSample:
    """Draw the evidence in one sample over each of its sequences, and store the map.

    The colour's scale ends at the largest value among the maps of all classes for this sample: a class with little
    evidence looks faint. The map itself is stored unscaled, at the sample's size; of a signed one, the pictures show
    what speaks for the class.

    Parameters
    ----------
    study : Study
    run_id : str
    sample_index : int
        Index in the run's data set.
    out : Path
        Folder for the files; made where it is missing.
    target : str, optional
        Diagnosis to explain; default: the predicted one.
    method : str
        A name of `brainmri.explanation.method_names.METHODS`.
    layer : str, optional
        Dotted name from the architecture's table; default: that of the checkpoint.

    Raises
    ------
    ExplanationError
        Where there is no such run or sample, the run has not finished, or the files cannot be written.
    UsageError
        For a class that the network does not know, and an unknown method or layer.
    """
    trained = open_trained(study, run_id)
    samples = read_samples(study, trained.dataset.hash)
    if not 0 <= sample_index < len(samples):
        raise ExplanationError(
            f"The data set {trained.dataset.hash} has no sample {sample_index}; "
            f"choose one from 0 to {len(samples) - 1}."
        )
    sample = np.array(samples[sample_index : sample_index + 1])  # (1, 3, H, W)
    probabilities = predict(trained.model, sample, normalisation=trained.meta["normalisation"])[0]
    predicted = int(probabilities.argmax())
    chosen = predicted if target is None else _class_index(target, trained.classes)
    maps = trained.explain(sample, method=method, layer=layer)[0]  # (K, h, w)
    paths = _write(out, f"{run_id}-sample-{sample_index:04d}", sample[0], maps[chosen], highest=float(maps.max()))
    return ExplainedSample(
        paths=paths,
        predicted=trained.classes[predicted],
        probabilities={name: float(p) for name, p in zip(trained.classes, probabilities, strict=True)},
        layer=(layer or trained.layer_name) if find_method(method).on_layer else "",
        grid=(maps.shape[1], maps.shape[2]),
        target=trained.classes[chosen],
    )


def _class_index(target: str, classes: tuple[str, ...]) -> int:
    name = normalise_diagnosis(target)
    if name not in classes:
        raise UsageError(f"The network knows no class '{target}'; it tells {', '.join(classes)} apart.")
    return classes.index(name)


def _write(
    out: Path, stem: str, sample: NDArray[np.uint8], evidence: NDArray[np.float32], *, highest: float
) -> tuple[Path, ...]:
    """Write one picture a sequence and the map at the sample's size."""
    rows, columns = sample.shape[1:]
    factor = -(-LEAST_PX // min(rows, columns))
    shown = (rows * factor, columns * factor)
    share = upsample(evidence / highest if highest > 0 else evidence, shown)
    paths = [out / f"{stem}-{sequence}.png" for sequence in SEQUENCES]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, grey in zip(paths, sample, strict=True):
            _save_png(path, overlay(upsample(grey, shown).round().astype(np.uint8), share))
        path = out / f"{stem}-map.npy"
        np.save(path, upsample(evidence, (rows, columns)), allow_pickle=False)
    except OSError as error:
        raise ExplanationError(
            f"The pictures cannot be written to {out}: {error.strerror}. Choose another folder."
        ) from error
    return (*paths, path)


def _save_png(path: Path, picture: NDArray[np.uint8]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        Image.fromarray(picture).save(partial, "PNG")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
