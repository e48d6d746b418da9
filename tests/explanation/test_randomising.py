"""Networks that forget, from the end to the beginning."""

import numpy as np
import pytest
import torch

from brainmri.explanation.randomising import _partly_random, _stages, randomisation_check
from brainmri.explanation.trained import TrainedRun
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.architectures import build_model, target_layer
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import Run


def opened(architecture, seed=1):
    torch.manual_seed(seed)
    model = build_model(architecture, 3).eval()
    name, layer = target_layer(architecture, model, 64)
    meta = {"architecture": architecture, "classes": ["a", "b", "c"], "normalisation": IMAGENET_NORMALISATION}
    return TrainedRun(Run(run_id="run"), None, model, meta, name, layer)


@pytest.mark.parametrize("architecture", [pytest.param("alexnet", marks=pytest.mark.slow), "googlenet", "resnet50"])
def test_weights_become_random_from_the_head_to_the_first_layer(architecture):
    trained = opened(architecture)
    stages = list(_stages(trained))
    entry = ARCHITECTURES[architecture]
    assert [layer for layer, _ in stages] == [entry.head, *reversed(entry.blocks), ""]
    before = dict(trained.model.named_parameters())
    order = [name for name, _ in trained.model.named_modules()]  # torchvision defines its layers in forward order
    random_counts = []
    for layer, kept in stages:
        after = dict(_partly_random(trained, kept, seed=0).named_parameters())
        weights = [name for name, value in before.items() if value.ndim > 1]
        changed = [name for name in weights if not torch.equal(before[name], after[name])]
        assert changed == [name for name in weights if order.index(name.rpartition(".")[0]) >= order.index(layer)]
        random_counts.append(len(changed))
    assert random_counts == sorted(set(random_counts))
    assert random_counts[0] == 1
    assert random_counts[-1] == len(weights)


def test_a_network_that_forgets_has_other_maps():
    trained = opened("googlenet")
    with torch.no_grad():
        trained.model.fc.weight.mul_(100)
    samples = np.random.default_rng(0).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8)
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    told = []
    check = randomisation_check(
        trained, samples, [0, 1, 2], method="hirescam", progress=lambda *step: told.append(step)
    )
    assert check.images == 3
    assert check.steps[0].layer == "fc"
    assert all(abs(value) < 0.5 for value in check.steps[-1].correlations)
    assert [step[1] for step in told] == [f"Random weights, step {n} of 5" for n in range(1, 6)]
    assert all(torch.equal(before[name], value) for name, value in trained.model.state_dict().items())
    again = randomisation_check(trained, samples[:1], [0], method="hirescam")
    assert again.steps[-1].correlations[0] == pytest.approx(check.steps[-1].correlations[0], abs=1e-4)


def test_a_network_of_the_same_weights_has_the_same_maps():
    trained = opened("googlenet", seed=0)  # what the check itself draws
    samples = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), dtype=np.uint8)
    check = randomisation_check(trained, samples, [0, 1], method="hirescam", seed=0)
    assert [step.mean for step in check.steps] == pytest.approx([1.0] * 5)
