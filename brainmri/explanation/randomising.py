"""The weight-randomisation check: whether maps change when the network forgets what it has learned.

References
----------
Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, https://doi.org/10.48550/arXiv.1810.03292 (cascading
randomisation, from the last layer to the first)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from brainmri.explanation.faithfulness import RandomisationCheck, RandomisationStep, rank_correlation
from brainmri.explanation.methods import make_maps
from brainmri.explanation.trained import Progress, TrainedRun, images_per_pass
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.freezing import modules_before
from brainmri.training.normalisation import prepare_input


def randomisation_check(
    trained: TrainedRun,
    samples: NDArray[np.uint8],
    classes: ArrayLike,
    *,
    method: str = "gradcam",
    seed: int = 0,
    progress: Progress | None = None,
) -> RandomisationCheck:
    """Compare maps of a trained network with those of copies whose weights are random from some layer on.

    The trained network itself is not changed.

    Parameters
    ----------
    trained : TrainedRun
    samples : ndarray, shape (N, 3, H, W), uint8
    classes : array_like of int, shape (N,)
        The class whose map is compared, for each image.
    method : str
        A name of `brainmri.explanation.method_names.METHODS`.
    seed : int
        Of the random weights, which are drawn as for a network that is trained from scratch.
    progress : callable, optional
        Called before each step; what it raises ends the work.
    """
    device = next(trained.model.parameters()).device
    inputs = prepare_input(torch.from_numpy(np.array(samples)), trained.meta["normalisation"])
    targets = torch.as_tensor(np.asarray(classes, dtype=np.int64))[:, None]
    batch = images_per_pass(samples.shape[2:])

    def maps_of(model: nn.Module) -> NDArray[np.float32]:
        layer = model.get_submodule(trained.layer_name)
        return make_maps(model, layer, inputs, targets, method, batch_size=batch)[:, 0]

    real = maps_of(trained.model)
    stages = list(_stages(trained))
    steps = []
    for index, (layer, kept) in enumerate(stages):
        if progress is not None:
            progress(index / len(stages), f"Random weights, step {index + 1} of {len(stages)}")
        random = maps_of(_partly_random(trained, kept, seed=seed).to(device))
        correlations = tuple(rank_correlation(one, other) for one, other in zip(real, random, strict=True))
        steps.append(RandomisationStep(layer=layer, correlations=correlations))
    return RandomisationCheck(method=method, steps=tuple(steps))


def _stages(trained: TrainedRun) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the layers from which weights are random, late to early, and the modules that keep theirs."""
    entry = find_architecture(trained.meta["architecture"])
    for layer in (entry.head, *reversed(entry.blocks)):
        yield layer, tuple(modules_before(trained.model, layer))
    yield "", ()


def _partly_random(trained: TrainedRun, kept: tuple[str, ...], *, seed: int) -> nn.Module:
    """Return a network with random weights except in the modules that keep theirs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(trained.meta["architecture"], len(trained.classes))
    prefixes = tuple(f"{name}." for name in kept)
    learned = {name: value for name, value in trained.model.state_dict().items() if name.startswith(prefixes)}
    model.load_state_dict(learned, strict=False)
    return model.eval()
