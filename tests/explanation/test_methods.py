"""The choice of methods and layers, and the methods that have the pixels of the image."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.errors import UsageError
from brainmri.explanation.baselines import blur
from brainmri.explanation.method_names import METHODS, QUICK_METHODS, find_method
from brainmri.explanation.methods import find_layer, layer_choices, make_maps, shrink
from brainmri.explanation.pixel_maps import integrated_gradients, occlusion
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.architectures import build_model, target_layer_name
from tests.explanation.networks import Fails, state


class Linear(nn.Module):
    """Two classes that weigh every pixel of every channel."""

    def __init__(self, size=16):
        super().__init__()
        self.head = nn.Linear(3 * size * size, 2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, images):
        return self.head(self.dropout(images.flatten(1)))


def both_classes(images):
    return torch.arange(2).expand(len(images), 2)


@pytest.fixture
def images():
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_integrated_gradients_of_a_linear_network_are_weights_times_differences(images):
    model = Linear()
    found = integrated_gradients(model, images, both_classes(images), sigma_px=3.0)
    weights = model.head.weight.detach().view(2, 3, 16, 16)
    expected = weights[None] * (images - blur(images, 3.0))[:, None]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_integrated_gradients_add_up_to_the_difference_of_the_scores():
    torch.manual_seed(1)
    model = build_model("alexnet", 2).eval()
    with torch.no_grad():
        list(model.parameters())[-2].mul_(50)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        expected = (model(image) - model(blur(image, 2.0)))[0].numpy()
    found = integrated_gradients(model, image, both_classes(image), sigma_px=2.0, steps=64)
    assert np.abs(expected).min() > 0.01
    np.testing.assert_allclose(found.sum(axis=(2, 3, 4))[0], expected, rtol=0.05)  # the error of 64 steps


def test_occlusion_of_a_linear_network_is_the_change_that_hiding_makes(images):
    model = Linear()
    found = occlusion(model, images, both_classes(images), sigma_px=3.0, window_px=4)
    weights = model.head.weight.detach().view(2, 3, 16, 16)
    change = (weights[None] * (images - blur(images, 3.0))[:, None]).sum(dim=2).numpy()  # (N, K, 16, 16)
    expected, windows = np.zeros_like(change), np.zeros((16, 16))
    for top in range(0, 13, 2):
        for left in range(0, 13, 2):
            hidden = (..., slice(top, top + 4), slice(left, left + 4))
            expected[hidden] += change[hidden].sum(axis=(2, 3), keepdims=True)
            windows[hidden] += 1
    np.testing.assert_allclose(found, expected / windows, atol=1e-5)


def test_occlusion_finds_the_place_that_a_network_looks_at():
    model = Linear(32)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.weight.view(2, 3, 32, 32)[0, 2, 20:24, 8:12] = 1.0
    image = torch.zeros(1, 3, 32, 32)
    image[:, :, 20:24, 8:12] = 1.0
    found = make_maps(model, model.head, image, both_classes(image), "occlusion")
    assert found.shape == (1, 2, 32, 32)
    peak = np.unravel_index(found[0, 0].argmax(), (32, 32))
    assert 20 <= peak[0] < 24
    assert 8 <= peak[1] < 12
    assert not found[0, 0, :12].any()
    assert not found[0, 1].any()


@pytest.mark.parametrize(
    ("architecture", "method"),
    [("alexnet", name) for name in METHODS] + list(product(("googlenet", "resnet50"), QUICK_METHODS)),
)
def test_every_method_works_for_every_class_on_every_network(architecture, method):
    torch.manual_seed(0)
    model = build_model(architecture, 3)
    if method in QUICK_METHODS:
        layers = ARCHITECTURES[architecture].target_layers
    else:
        layers = (target_layer_name(architecture, 64),)
    before = state(model)
    for name in layers:
        layer = find_layer(architecture, model, name)
        maps = make_maps(model, layer, torch.rand(1, 3, 64, 64), torch.arange(3)[None], method, batch_size=32)
        assert maps.dtype == np.float32
        assert maps.shape[:2] == (1, 3)
        assert np.isfinite(maps).all()
        assert np.abs(maps).max() > 0
        assert (maps.min() < 0) == METHODS[method].signed
        if not METHODS[method].on_layer:
            assert maps.shape[2:] == (64, 64)
    assert state(model) == before


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was_after_an_error(method, images):
    model = Fails().train()
    model.dropout.eval()
    before = state(model)
    for _ in range(2):  # the lock is free again
        with pytest.raises(RuntimeError, match="the network failed"):
            make_maps(model, model.conv, images, both_classes(images), method)
    assert state(model) == before


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_dropout_is_off_and_modes_come_back(method, images):
    model = Linear().train()
    before = state(model)
    first, second = (make_maps(model, model.head, images, both_classes(images), method) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert state(model) == before


def test_the_signed_form_can_be_asked_for_and_cut(images):
    model = Linear()
    for method in ("integrated-gradients", "occlusion"):
        signed = make_maps(model, model.head, images, both_classes(images), method)
        cut = make_maps(model, model.head, images, both_classes(images), method, signed=False)
        assert signed.min() < 0
        np.testing.assert_array_equal(cut, np.maximum(signed, 0))
    network = build_model("alexnet", 2)
    layer = find_layer("alexnet", network, "features.4")
    sample = torch.rand(1, 3, 64, 64)
    signed = make_maps(network, layer, sample, both_classes(sample), "gradcam", signed=True)
    assert signed.min() < 0
    np.testing.assert_array_equal(
        make_maps(network, layer, sample, both_classes(sample), "gradcam"), np.maximum(signed, 0)
    )
    with pytest.raises(UsageError, match=r"Grad-CAM\+\+ shows evidence for a class only"):
        make_maps(network, layer, sample, both_classes(sample), "gradcam++", signed=True)


def test_unknown_methods_and_layers_are_refused():
    with pytest.raises(UsageError, match="no map method 'lime'; expected one of gradcam, gradcam"):
        find_method("lime")
    model = build_model("alexnet", 2)
    with pytest.raises(UsageError, match=r"AlexNet are made on one of features.11, .*; found 'features.10'"):
        find_layer("alexnet", model, "features.10")


@pytest.mark.parametrize("architecture", ["alexnet", "googlenet", "resnet50"])
def test_layers_to_choose_from_are_those_of_the_table_and_one_is_the_default(architecture):
    choices = layer_choices(architecture, 64)
    assert tuple(choice.name for choice in choices) == ARCHITECTURES[architecture].target_layers
    (usual,) = [choice for choice in choices if choice.default]
    assert usual.name == target_layer_name(architecture, 64)
    assert not usual.coarse
    assert [choice.coarse for choice in choices] == [min(choice.grid) < 6 for choice in choices]


def test_maps_are_averaged_over_squares_for_storing():
    maps = np.arange(2 * 64 * 64, dtype=np.float32).reshape(1, 2, 64, 64)
    np.testing.assert_allclose(shrink(maps), maps.reshape(1, 2, 32, 2, 32, 2).mean(axis=(3, 5)))
    assert shrink(maps[..., :13, :13]) is not maps
    np.testing.assert_array_equal(shrink(maps[..., :13, :13]), maps[..., :13, :13])


def test_each_method_names_its_paper_and_its_file():
    assert {method.file_name for method in METHODS.values()} == {f"{name}.npz" for name in METHODS}
    assert all(method.doi.startswith("10.") and method.text.endswith(".") for method in METHODS.values())
