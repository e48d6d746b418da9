"""The maps of all test images of a run, stored so that a page needs no network."""

from __future__ import annotations

import numpy as np

from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.explanation.trained import Progress, open_trained
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.devices import prepare_device, resolve_device
from brainmri.training.experiments import read_experiment, read_split


def explain_run(study: Study, run_id: str, *, progress: Progress | None = None) -> None:
    """Compute Grad-CAM of every test image of a finished run for every class, and store it with the run.

    On the GPU where there is one, unless the experiment asked for the processor.

    Parameters
    ----------
    study : Study
    run_id : str
    progress : callable, optional
        What it raises ends the work; maps that were stored before stay as they are.

    Raises
    ------
    ExplanationError
        Where there is no such run, it has not finished, or its network is not stored.
    """
    trained = open_trained(study, run_id)
    experiment = read_experiment(study, trained.run.experiment_id)
    device = resolve_device("cpu" if experiment.settings.get("device") == "cpu" else "auto")
    prepare_device(device)
    trained.model.to(device)
    tested = np.array(read_split(study, trained.run.experiment_id, trained.run.repeat).test, dtype=np.int64)
    samples = read_samples(study, trained.dataset.hash)[tested]  # (N, 3, H, W)
    maps = RunMaps(
        layer=trained.layer_name,
        classes=trained.classes,
        size_px=trained.dataset.size_px,
        sample_index=tested,
        maps=trained.explain(samples, progress=progress),
        made_from=trained.identity,
    )
    if progress is not None:
        progress(1.0, "Storing the maps")
    write_maps(study.run_folder(run_id) / FILE_NAME, maps)
