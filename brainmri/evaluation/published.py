"""Numbers of the published study, to lay beside one's own. They come from other images than those of an open study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PUBLISHED_SOURCE: Final = (
    "Published study (Japan, 2018–2022): 878 glioblastoma, 1,323 PCNSL and 1,152 meningioma images, "
    "random 7:3 split of images, ten repeats"
)
"""What the published numbers were measured on."""


@dataclass(frozen=True, kw_only=True)
class PublishedAccuracy:
    """Median and quartiles of a model's accuracy on test images, shares from 0 to 1."""

    architecture: str
    median: float
    q1: float
    q3: float


@dataclass(frozen=True, kw_only=True)
class PublishedAnova:
    """Published one-way ANOVA. ``p`` is the bound that was printed: p < 0.001."""

    f: float
    p_below: float


@dataclass(frozen=True, kw_only=True)
class PublishedPair:
    """Published p of Tukey's test of two models, as printed."""

    a: str
    b: str
    p: str


PUBLISHED_ACCURACIES: Final = (
    PublishedAccuracy(architecture="alexnet", median=0.962, q1=0.953, q3=0.969),
    PublishedAccuracy(architecture="googlenet", median=0.925, q1=0.922, q3=0.934),
    PublishedAccuracy(architecture="resnet50", median=0.904, q1=0.900, q3=0.911),
)
"""Models 1, 2 and 3."""

PUBLISHED_ANOVA: Final = PublishedAnova(f=56.18, p_below=0.001)

PUBLISHED_PAIRS: Final = (
    PublishedPair(a="alexnet", b="googlenet", p="p < 0.0001"),
    PublishedPair(a="googlenet", b="resnet50", p="p = 0.0004"),
    PublishedPair(a="alexnet", b="resnet50", p="p < 0.0001"),
)
