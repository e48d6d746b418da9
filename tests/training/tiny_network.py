"""A network small enough for tests: two convolutions with batch normalisation, dropout and a linear head."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def build(num_classes: int) -> nn.Module:
    """Return the network."""
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(),
    )
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1))
    return nn.Sequential(OrderedDict(features=features, pool=pool, head=nn.Linear(16, num_classes)))
