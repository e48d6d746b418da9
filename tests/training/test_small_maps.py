from __future__ import annotations

import pytest
import torch
from torch import nn

from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.architectures import build_model
from brainmri.training.small_maps import _ProductConv2d, products_for_small_maps


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2)])
def test_the_product_is_the_convolution_with_its_gradients(kernel: int, stride: int, size: int):
    torch.manual_seed(0)
    conv = nn.Conv2d(32, 1024, kernel, stride=stride, padding=kernel // 2)
    images = torch.randn(2, 32, size, size, requires_grad=True)
    expected = conv(images)
    gradient = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, [images, *conv.parameters()], gradient)
    with products_for_small_maps(nn.Sequential(conv)):
        assert type(conv) is _ProductConv2d
        found = conv(images)
        got = torch.autograd.grad(found, [images, *conv.parameters()], gradient)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_computes_the_same_with_products(name: str):
    torch.manual_seed(0)
    model = build_model(name, 3).eval()
    images = torch.randn(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = model(images)
        with products_for_small_maps(model):
            assert any(type(module) is _ProductConv2d for module in model.modules()) == (name != "convnext_tiny")
            found = model(images)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_the_network_is_itself_again_afterwards():
    model = build_model("resnet50", 3)
    with pytest.raises(RuntimeError, match="in between"), products_for_small_maps(model):
        assert any(type(module) is _ProductConv2d for module in model.modules())
        raise RuntimeError("in between")
    assert not any(type(module) is _ProductConv2d for module in model.modules())
