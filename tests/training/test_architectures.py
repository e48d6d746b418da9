from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from brainmri.errors import TrainingError, UsageError, WeightsMissing
from brainmri.training.architecture_names import ARCHITECTURES, DISPLAY_NAMES, display_architecture, find_architecture
from brainmri.training.architectures import build_empty_model, build_model, layer_grids, target_layer, target_layer_name
from brainmri.training.settings import PUBLISHED_ARCHITECTURES
from brainmri.training.weights import DOWNLOAD_ADDRESS

SIZES = (64, 80, 96, 112, 224)


def test_the_table_holds_the_published_models_in_their_order():
    assert tuple(ARCHITECTURES)[:3] == PUBLISHED_ARCHITECTURES
    assert [DISPLAY_NAMES[name] for name in PUBLISHED_ARCHITECTURES] == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert display_architecture("resnet50") == "ResNet50"
    assert display_architecture("something_else") == "something_else"


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("name", PUBLISHED_ARCHITECTURES)
def test_the_target_layer_keeps_a_grid_of_at_least_six(name: str, size_px: int):
    layer = target_layer_name(name, size_px)
    assert min(layer_grids(name, size_px)[layer]) >= 6


def test_the_published_size_takes_the_latest_layer():
    latest = {name: ARCHITECTURES[name].target_layers[0] for name in PUBLISHED_ARCHITECTURES}
    assert {name: target_layer_name(name, 224) for name in PUBLISHED_ARCHITECTURES} == latest


@pytest.mark.parametrize("name", PUBLISHED_ARCHITECTURES)
def test_the_target_layer_is_not_overwritten_by_what_follows(name: str):
    model = build_model(name, 3).eval()
    layer, module = target_layer(name, model, 64)
    seen = []
    module.register_forward_hook(lambda _m, _i, output: seen.extend([output, output.clone()]))
    with torch.no_grad():
        logits = model(torch.randn(2, 3, 64, 64))
    assert logits.shape == (2, 3)
    assert min(seen[0].shape[2:]) >= 6, layer
    assert torch.equal(seen[0], seen[1])


def test_an_input_too_small_for_a_map_is_refused():
    with pytest.raises(TrainingError, match="32 px are too small for ResNet50"):
        target_layer_name("resnet50", 32)
    with pytest.raises(TrainingError, match="too small for AlexNet"):
        target_layer_name("alexnet", 32)


@pytest.mark.parametrize("name", PUBLISHED_ARCHITECTURES)
def test_the_smallest_size_in_the_table_works(name: str):
    assert target_layer_name(name, ARCHITECTURES[name].minimum_size_px)


def test_an_unknown_architecture_is_named_with_the_known_ones():
    with pytest.raises(UsageError, match=r"Unknown architecture 'vgg'; known are alexnet, googlenet, resnet50"):
        find_architecture("vgg")


@pytest.mark.parametrize("name", PUBLISHED_ARCHITECTURES)
def test_every_network_has_one_output_a_class(name: str):
    model = build_empty_model(name, 4)
    head = model.get_submodule(ARCHITECTURES[name].head)
    assert isinstance(head, nn.Linear)
    assert head.out_features == 4


def test_googlenet_has_no_auxiliary_heads_and_leaves_its_input_alone():
    model = build_empty_model("googlenet", 3)
    assert not model.aux_logits
    assert not model.transform_input
    assert not [name for name, _parameter in model.named_parameters() if name.startswith("aux")]


def test_the_weight_files_are_those_that_torchvision_names():
    kinds = (models.AlexNet_Weights, models.GoogLeNet_Weights, models.ResNet50_Weights)
    for name, kind in zip(PUBLISHED_ARCHITECTURES, kinds, strict=True):
        assert {DOWNLOAD_ADDRESS + file for file in ARCHITECTURES[name].published_files} == {one.url for one in kind}


def test_weights_start_from_the_seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first = build_model("googlenet", 3).fc.weight
        torch.manual_seed(3)
        second = build_model("googlenet", 3).fc.weight
    assert torch.equal(first, second)


def test_missing_published_weights_never_become_random_ones(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr("brainmri.training.weights._FOLDER", tmp_path)
    monkeypatch.setattr("brainmri.training.weights._fetch", lambda _status: False)
    with pytest.raises(WeightsMissing, match=r"alexnet-owt-7be5be79\.pth from https://download\.pytorch\.org"):
        build_model("alexnet", 3, weights="imagenet")
