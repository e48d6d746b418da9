"""A finished run opened for explaining: its row, its data set, its network and the layer that its maps come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sqlalchemy import select
from torch import nn

from brainmri.errors import ExplanationError
from brainmri.explanation.method_names import find_method
from brainmri.explanation.methods import find_layer, make_maps
from brainmri.imaging.datasets import read_dataset
from brainmri.imaging.records import Dataset
from brainmri.study import Study
from brainmri.training.checkpoints import read_checkpoint
from brainmri.training.experiments import read_experiment
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.normalisation import prepare_input
from brainmri.training.records import FINISHED, Run

Progress = Callable[[float, str], None]

BATCH_PIXELS = 32 * 112 * 112
"""Most pixels of the images of one pass: 8 images of 224 px."""
BATCH_IMAGES = 32
"""Most images of one pass: at 64 px a pass of 98 takes half as long again for an image."""

_LISTED = 12


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """What an explanation of a run needs."""

    run: Run
    dataset: Dataset
    model: nn.Module
    """In evaluation mode."""
    meta: dict[str, Any]
    """Of the checkpoint."""
    layer_name: str
    layer: nn.Module

    @property
    def classes(self) -> tuple[str, ...]:
        """Diagnoses in the order of their class index."""
        return tuple(self.meta["classes"])

    @property
    def identity(self) -> str:
        """Which training made the network: the run and when it finished. What was stored of another one is stale."""
        return identity_of(self.run)

    def explain(
        self,
        samples: NDArray[np.uint8],
        *,
        method: str = "gradcam",
        layer: str | None = None,
        signed: bool | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Return the maps of samples for every class.

        Parameters
        ----------
        samples : ndarray, shape (N, 3, H, W), uint8
        method : str
            A name of `brainmri.explanation.method_names.METHODS`.
        layer : str, optional
            Dotted name from the architecture's table; default: that of the checkpoint.
        signed : bool, optional
            Whether to keep what speaks against a class, below 0; default: as the method is.
        progress : callable, optional
            Called before each pass, or each image where that takes many; what it raises ends the work.

        Returns
        -------
        ndarray, shape (N, K, h, w), float32

        Raises
        ------
        UsageError
            For an unknown method or layer, and a signed form that does not exist.
        """
        found = find_method(method)
        chosen = self.layer if layer is None else find_layer(self.meta["architecture"], self.model, layer)
        batch = images_per_pass(samples.shape[2:])
        step = batch if found.on_layer else 1  # the others take many passes an image
        maps = []
        for start in range(0, len(samples), step):
            if progress is not None:
                progress(start / len(samples), f"{found.display_name} of image {start + 1} of {len(samples)}")
            stored = torch.from_numpy(np.array(samples[start : start + step]))
            inputs = prepare_input(stored, self.meta["normalisation"])
            every = torch.arange(len(self.classes)).expand(len(inputs), -1)
            maps.append(make_maps(self.model, chosen, inputs, every, method, signed=signed, batch_size=batch))
        return np.concatenate(maps)


def identity_of(run: Run) -> str:
    """Return which training a finished run stands for."""
    finished = run.finished_at
    return f"{run.run_id} {finished.isoformat() if finished is not None else 'at an unknown time'}"


def images_per_pass(size: tuple[int, ...]) -> int:
    """Return how many images of so many rows and columns a pass takes."""
    return min(BATCH_IMAGES, max(1, BATCH_PIXELS // (size[0] * size[1])))


def open_trained(study: Study, run_id: str) -> TrainedRun:
    """Read a finished run and its network.

    Raises
    ------
    ExplanationError
        Where there is no such run, it has not finished, or its network is not stored.
    TrainingError
        Where the checkpoint is damaged.
    """
    run = find_finished(study, run_id)
    path = study.run_folder(run_id) / CHECKPOINT_FILE
    if not path.is_file():
        raise ExplanationError(
            f"The network of the run {run_id} is not stored: {path} does not exist. Restore the file from a copy of "
            "the study, or train the experiment again; a run without its network cannot be explained."
        )
    model, meta = read_checkpoint(path)
    dataset = read_dataset(study, read_experiment(study, run.experiment_id).dataset_hash)
    if list(meta["classes"]) != list(dataset.classes) or meta["size_px"] != dataset.size_px:
        raise ExplanationError(
            f"The network in {path} tells {', '.join(meta['classes'])} apart on {meta['size_px']} px, and the data set "
            f"{dataset.hash} of the run has {', '.join(dataset.classes)} on {dataset.size_px} px. The file belongs to "
            "another run; restore the right one."
        )
    name = str(meta["target_layer"])
    return TrainedRun(run, dataset, model, meta, name, model.get_submodule(name))


def find_finished(study: Study, run_id: str) -> Run:
    """Return the row of a finished run.

    Raises
    ------
    ExplanationError
        Where there is none, or it has not finished.
    """
    with study.session() as session:
        run = session.get(Run, run_id)
        finished = session.scalars(select(Run.run_id).where(Run.status == FINISHED).order_by(Run.run_id)).all()
    if run is None:
        raise ExplanationError(f"The study {study.folder} has no run '{run_id}'. {_list_runs(finished)}")
    if run.status != FINISHED:
        raise ExplanationError(
            f"The run {run_id} has not finished; it is {run.status}. Only finished runs can be explained: wait for it, "
            f"or go on with it: python -m brainmri work {run.experiment_id}"
        )
    return run


def _list_runs(finished: Sequence[str]) -> str:
    if not finished:
        return "None of its runs has finished yet: train an experiment first."
    if len(finished) <= _LISTED:
        return f"Its finished runs: {', '.join(finished)}."
    listed = ", ".join(finished[:_LISTED])
    return f"Its finished runs: {listed} and {len(finished) - _LISTED} more; the page Results lists them all."
