"""What the explanation panels say of maps and repeats."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.dashboard.explanations.architectures import describe_peak, describe_repeats
from brainmri.dashboard.explanations.pictures import beside_colour_bar, enlarge
from brainmri.explanation.map_summary import MapSpread


def spread(*, n: int, empty: int) -> MapSpread:
    zeros = np.zeros((2, 2), dtype=np.float32)
    return MapSpread(n=n, empty=empty, mean=zeros, sd=zeros)


@pytest.mark.parametrize(
    ("peak", "words"),
    [
        (0.0, "**no positive evidence for PCNSL**"),
        (0.34, "strongest place 34 % of the scale"),
        (1.7, "strongest place 100 % of the scale or more"),
    ],
)
def test_a_map_without_evidence_is_told_apart_from_a_weak_one(peak: float, words: str) -> None:
    share = np.zeros((3, 3), dtype=np.float32)
    share[1, 2] = peak
    assert describe_peak(share, "PCNSL") == words


def test_repeats_are_told_with_their_spread_and_their_empty_maps() -> None:
    probabilities = np.array([0.2, 0.4, 0.9])  # mean 0.5; deviations -0.3, -0.1, 0.4: variance 0.13
    assert (
        describe_repeats(probabilities, spread(n=3, empty=1), "PCNSL")
        == "PCNSL 50 % ± 36 (mean ± SD of the 3 repeats that tested the case). 1 of 3 maps has no positive evidence."
    )
    assert describe_repeats(probabilities, spread(n=3, empty=0), "PCNSL").endswith("tested the case).")
    assert describe_repeats(probabilities[:1], None, "PCNSL") == "PCNSL 20 % by the one repeat that tested the case."


def test_a_sample_is_enlarged_between_its_own_values() -> None:
    grey = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    large = enlarge(grey, 8)
    assert large.shape == (8, 8)
    assert (large[0, 0], large[0, -1], large.dtype) == (0, 255, np.uint8)


def test_the_bar_beside_an_image_has_most_evidence_at_the_top() -> None:
    grey = np.full((50, 40), 7, dtype=np.uint8)
    picture = beside_colour_bar(grey, gap=6, width=10)
    assert picture.shape == (50, 56, 4)
    assert (picture[:, :40] == (7, 7, 7, 255)).all()
    assert not picture[:, 40:46].any()  # nothing, and transparent
    bar = picture[:, 46:, :3].astype(int).sum(axis=(1, 2))
    assert bar[0] > bar[25] > bar[-1]
    assert (picture[:, 46:, 3] == 255).all()
