"""A network during an explanation, and after it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from brainmri.explanation.baselines import blur
from brainmri.explanation.cams import COMBINE, layer_maps
from brainmri.explanation.coalitions import coalition_logits
from brainmri.explanation.integrating import integrate_sequences
from brainmri.explanation.modes import HOOKS, evaluating
from brainmri.training.architectures import build_model, target_layer_name
from brainmri.training.checkpoints import read_checkpoint, write_checkpoint
from brainmri.training.normalisation import IMAGENET_NORMALISATION, prepare_input
from tests.explanation.networks import Fails, state


def test_modes_and_gradient_settings_come_back_whatever_they_were():
    model = Fails().train()  # its dropout is in evaluation mode
    model.conv.bias.requires_grad_(False)
    before = state(model)
    with evaluating(model):
        assert not any(module.training for module in model.modules())
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert HOOKS.locked()
    assert state(model) == before
    with pytest.raises(RuntimeError, match="the network failed"), evaluating(model):
        model(torch.zeros(1, 3, 2, 2))
    assert state(model) == before
    assert not HOOKS.locked()


def test_explanations_of_all_kinds_at_once_do_not_mix():
    torch.manual_seed(5)
    model = build_model("googlenet", 3).train()  # as another session may have left it
    layer = model.get_submodule(target_layer_name("googlenet", 64))
    samples = np.random.default_rng(1).integers(0, 255, (2, 3, 64, 64), dtype=np.uint8)
    inputs = prepare_input(torch.from_numpy(samples), IMAGENET_NORMALISATION)

    def maps():
        return layer_maps(model, layer, inputs, torch.tensor([[0, 1], [1, 2]]), COMBINE["hirescam"])

    def games():
        replace = lambda _part, images: blur(images, 6.4)[:, None]  # noqa: E731
        return coalition_logits(model, samples, replace, normalisation=IMAGENET_NORMALISATION)

    def gradients():
        return integrate_sequences(model, samples, [0, 2], normalisation=IMAGENET_NORMALISATION, nodes=2)[0]

    before = state(model)
    kinds = [maps, games, gradients]
    alone = [kind() for kind in kinds]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda kind: kind(), kinds * 2))
    for place, found in enumerate(together):
        np.testing.assert_array_equal(found, alone[place % 3])
    assert state(model) == before


def test_maps_of_a_checkpoint_are_captums_on_the_same_checkpoint(tmp_path):
    torch.manual_seed(6)
    meta = {
        "architecture": "resnet50",
        "classes": ["a", "b", "c"],
        "size_px": 64,
        "normalisation": IMAGENET_NORMALISATION,
        "target_layer": target_layer_name("resnet50", 64),
    }
    path = tmp_path / "checkpoint.safetensors"
    write_checkpoint(path, build_model("resnet50", 3), meta)
    ours, theirs = read_checkpoint(path)[0], read_checkpoint(path)[0]  # one for each, so that neither helps the other
    name = target_layer_name("resnet50", 64)
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    found = layer_maps(ours, ours.get_submodule(name), inputs, torch.tensor([[0], [2]]), COMBINE["gradcam"])[:, 0]
    direct = LayerGradCam(theirs, theirs.get_submodule(name)).attribute(
        inputs, torch.tensor([0, 2]), relu_attributions=True
    )
    expected = direct.detach().numpy()[:, 0]
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())
