from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from brainmri.errors import TrainingError, UsageError, WeightsMissing
from brainmri.training.architecture_names import ARCHITECTURES, DISPLAY_NAMES, display_architecture, find_architecture
from brainmri.training.architectures import (
    _replace_head,
    build_empty_model,
    build_model,
    layer_grids,
    target_layer,
    target_layer_name,
)
from brainmri.training.settings import PUBLISHED_ARCHITECTURES, TrainingSettings
from brainmri.training.weights import DOWNLOAD_ADDRESS

SIZES = (64, 80, 96, 112, 224)
ALL = ("alexnet", "googlenet", "resnet50", "densenet121", "efficientnet_b0", "convnext_tiny")
BLOCKS = [(name, block) for name in ALL for block in ARCHITECTURES[name].blocks]


def before(model: nn.Module, block: str) -> list[str]:
    """Return the names of the modules before a block: earlier siblings at each level of its dotted name."""
    earlier = []
    path = block.split(".")
    for level, own in enumerate(path):
        for sibling, _module in model.get_submodule(".".join(path[:level])).named_children():
            if sibling == own:
                break
            earlier.append(".".join([*path[:level], sibling]))
    return earlier


def test_the_table_holds_the_published_models_in_their_order():
    assert tuple(ARCHITECTURES)[:3] == PUBLISHED_ARCHITECTURES
    assert [DISPLAY_NAMES[name] for name in PUBLISHED_ARCHITECTURES] == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert display_architecture("resnet50") == "ResNet50"
    assert display_architecture("something_else") == "something_else"


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("name", ALL)
def test_the_target_layer_keeps_a_grid_of_at_least_six(name: str, size_px: int):
    layer = target_layer_name(name, size_px)
    assert min(layer_grids(name, size_px)[layer]) >= 6


def test_further_networks_are_in_the_table_and_chosen_by_nobody_but_the_user():
    assert tuple(ARCHITECTURES)[:6] == ALL
    assert [DISPLAY_NAMES[name] for name in ALL[3:]] == ["DenseNet121", "EfficientNet-B0", "ConvNeXt-Tiny"]
    assert TrainingSettings().architectures == ALL[:3]


def test_the_published_size_takes_the_latest_layer():
    latest = {name: ARCHITECTURES[name].target_layers[0] for name in ALL}
    assert {name: target_layer_name(name, 224) for name in ALL} == latest


@pytest.mark.parametrize("name", ALL)
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
    for name in ALL[3:]:
        with pytest.raises(TrainingError, match=f"too small for {DISPLAY_NAMES[name]}"):
            target_layer_name(name, ARCHITECTURES[name].minimum_size_px - 1)


@pytest.mark.parametrize("name", ALL)
def test_the_smallest_size_in_the_table_works(name: str):
    assert target_layer_name(name, ARCHITECTURES[name].minimum_size_px)


def test_an_unknown_architecture_is_named_with_the_known_ones():
    known = "alexnet, googlenet, resnet50, densenet121, efficientnet_b0, convnext_tiny"
    with pytest.raises(UsageError, match=f"Unknown architecture 'vgg'; known are {known}"):
        find_architecture("vgg")


@pytest.mark.parametrize("name", ALL)
def test_every_network_has_one_output_a_class(name: str):
    model = build_empty_model(name, 4)
    head = model.get_submodule(ARCHITECTURES[name].head)
    assert isinstance(head, nn.Linear)
    assert head.out_features == 4


@pytest.mark.parametrize("name", ALL)
def test_a_new_head_is_the_last_layer_and_leaves_the_others_alone(name: str):
    model = build_model(name, 7).eval()
    others = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith(ARCHITECTURES[name].head)}
    _replace_head(model, ARCHITECTURES[name], 3)
    with torch.no_grad():
        model.get_submodule(ARCHITECTURES[name].head).bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
        model.get_submodule(ARCHITECTURES[name].head).weight.zero_()
        logits = model(torch.randn(2, 3, 64, 64))
    assert logits.tolist() == [[1.0, 2.0, 3.0]] * 2
    assert others.keys() == {key for key in model.state_dict() if not key.startswith(ARCHITECTURES[name].head)}
    assert all(model.state_dict()[key].data_ptr() == tensor.data_ptr() for key, tensor in others.items())


@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_from_the_input_of_a_block_the_rest_computes_the_same(name: str, block: str):
    model = build_model(name, 3).eval()
    seen = []
    hook = model.get_submodule(block).register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].clone()))
    with torch.no_grad():
        logits = model(torch.randn(2, 3, 64, 64))
        hook.remove()
        for earlier in before(model, block):
            model.set_submodule(earlier, nn.Identity())
        assert len(seen) == 1
        assert torch.equal(model(seen[0]), logits)
    assert logits.std() > 0


@pytest.mark.parametrize("name", ALL)
def test_blocks_come_in_forward_order_before_the_head(name: str):
    model = build_empty_model(name, 3)
    blocks = ARCHITECTURES[name].blocks
    assert len(blocks) >= 3
    depths = [len(list(model.get_submodule(block).parameters())) + count_after(model, block) for block in blocks]
    assert depths == sorted(depths, reverse=True)
    assert len(set(depths)) == len(depths)
    assert all(ARCHITECTURES[name].head not in before(model, block) for block in blocks)


def count_after(model: nn.Module, block: str) -> int:
    """Return how many weights lie behind a block."""
    earlier = (*before(model, block), block)
    names = [name for name, _parameter in model.named_parameters()]
    return sum(not name.startswith(tuple(f"{one}." for one in earlier)) for name in names)


@pytest.mark.parametrize("name", ALL[3:])
def test_the_relative_cost_is_counted(name: str):
    counts = []
    for one in ("alexnet", name):
        with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
            build_empty_model(one, 3).eval()(torch.empty(1, 3, 64, 64))
        counts.append(counter.get_total_flops())
    assert ARCHITECTURES[name].relative_cost == pytest.approx(counts[1] / counts[0], rel=0.03)


def test_googlenet_has_no_auxiliary_heads_and_leaves_its_input_alone():
    model = build_empty_model("googlenet", 3)
    assert not model.aux_logits
    assert not model.transform_input
    assert not [name for name, _parameter in model.named_parameters() if name.startswith("aux")]


def test_the_weight_files_are_those_that_torchvision_names():
    kinds = [models.AlexNet_Weights, models.GoogLeNet_Weights, models.ResNet50_Weights, models.DenseNet121_Weights]
    kinds += [models.EfficientNet_B0_Weights, models.ConvNeXt_Tiny_Weights]
    for name, kind in zip(ALL, kinds, strict=True):
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


@pytest.mark.parametrize("entry", ARCHITECTURES.values(), ids=lambda entry: entry.name)
def test_the_table_knows_how_many_numbers_a_network_has(entry):
    model = build_empty_model(entry.name, 3)
    assert entry.parameters == sum(parameter.numel() for parameter in model.parameters())
