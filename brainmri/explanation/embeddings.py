"""Embeddings on disk: what a run's network makes of every image of its data set. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.stored import read_arrays, write_arrays
from brainmri.study import Study

FILE_NAME: Final = "embedding.npz"
"""Of the run folder."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunEmbedding:
    """Activations before the last layer of a run's network.

    Parameters
    ----------
    run_id : str
    layer : str
        Dotted name of the last layer, whose input this is.
    dataset_hash : str
    features : ndarray, shape (N, D), float32
        One row for each image of the data set, in its order.
    made_from : str
        Which training made the network: see `brainmri.explanation.trained.TrainedRun.identity`.
    """

    run_id: str
    layer: str
    dataset_hash: str
    features: NDArray[np.floating[Any]]
    made_from: str = ""


def read_embedding(study: Study, run_id: str) -> RunEmbedding | None:
    """Return the stored embedding of a run, or None where it has none.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    """
    try:
        stored = read_arrays(study, run_id, FILE_NAME, again=f"embed {run_id}")
        if stored is None:
            return None
        return RunEmbedding(
            run_id=run_id,
            layer=str(stored["layer"]),
            dataset_hash=str(stored["dataset_hash"]),
            features=stored["features"].astype(np.float32),
            made_from=str(stored["made_from"]),
        )
    except (ExplanationError, KeyError) as error:
        path = study.run_folder(run_id) / FILE_NAME
        raise ExplanationError(
            f"The embedding in {path} is damaged. Make it again: python -m brainmri embed {run_id}"
        ) from error


def write_embedding(study: Study, embedding: RunEmbedding) -> None:
    """Write an embedding into the folder of its run, in half precision: half the disk, and three digits."""
    write_arrays(
        study.run_folder(embedding.run_id) / FILE_NAME,
        {
            "layer": np.array(embedding.layer),
            "dataset_hash": np.array(embedding.dataset_hash),
            "features": embedding.features.astype(np.float16),
            "made_from": np.array(embedding.made_from),
        },
    )


def embedded_runs(study: Study, run_ids: Iterable[str]) -> list[str]:
    """Return those of the runs that have an embedding, in the order in which they came."""
    return [run_id for run_id in run_ids if (study.run_folder(run_id) / FILE_NAME).is_file()]
