from __future__ import annotations

import pytest
from torch import nn
from torchvision import models

from brainmri.training.bench.flops import count_training_flop, training_flop


def test_a_small_network_counted_by_hand():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    # Convolution: 8·8 positions × 4 outputs × 27 weights × 2, forward and for the weights' gradient; the picture needs
    # no gradient. Head: 4 × 3 × 2, forward and for both gradients.
    convolution, head = 8 * 8 * 4 * 27 * 2, 4 * 3 * 2
    assert count_training_flop(model, 8) == 2 * convolution + 3 * head


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("alexnet", models.AlexNet_Weights.IMAGENET1K_V1),
        ("googlenet", models.GoogLeNet_Weights.IMAGENET1K_V1),
        ("resnet50", models.ResNet50_Weights.IMAGENET1K_V1),
    ],
)
def test_training_takes_nearly_three_times_the_forward_pass_that_torchvision_publishes(name, weights):
    # torchvision's table of weights: billions of multiplications with addition of one forward pass at 224 px. The
    # backward pass is twice that, but for the first layer, whose input needs no gradient.
    forward = weights.meta["_ops"] * 1e9 * 2
    assert 2.85 * forward < training_flop(name, 224) < 3 * forward
