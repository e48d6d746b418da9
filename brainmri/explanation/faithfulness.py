"""Is a map worth believing? Four measures, each a record that says in one sentence what its number means.

Nothing here imports torch: `brainmri.explanation.perturbing` and `brainmri.explanation.randomising` compute what needs
the network, and `brainmri.explanation.stored_faithfulness` keeps it.

References
----------
Wang et al., Score-CAM (share of energy), CVPR workshops 2020, https://doi.org/10.1109/CVPRW50498.2020.00020
Petsiuk et al., RISE (deletion and insertion), BMVC 2018, https://doi.org/10.48550/arXiv.1806.07421
Adebayo et al., Sanity checks for saliency maps (weights at random), NeurIPS 2018,
https://doi.org/10.48550/arXiv.1810.03292
Arun et al., Assessing the trustworthiness of saliency maps in medical imaging (repeats), Radiology: AI 2021,
https://doi.org/10.1148/ryai.2021200267
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.maps import upsample

Place = Literal["tumour", "centre"]

TOP_SHARE: Final = 0.1
"""Share of a map that its stability is measured by: the tenth with most evidence."""
CENTRE_SIDE: Final = 0.5
"""Side of the central square relative to the region's: a quarter of its area."""

_PLACES: Final[dict[Place, str]] = {"tumour": "inside the tumour's outline", "centre": "in the middle of the region"}


@dataclass(frozen=True, kw_only=True)
class EnergyShare:
    """How much of a map's evidence for a class lies in a place."""

    place: Place
    share: float | None
    """Of the map's values above 0, from 0 to 1; None where there are none."""
    area: float
    """Share of the image that the place covers: what a map without any focus would have."""

    def describe(self) -> str:
        """Return one sentence: what the number means and how to read it."""
        where = _PLACES[self.place]
        if self.share is None:
            return f"The map has no evidence for this class, so that none of it can lie {where}."
        return (
            f"{self.share:.0%} of the map's evidence lies {where}, which covers {self.area:.0%} of the image: above "
            f"{self.area:.0%} the map points there more than a map without any focus would."
        )


@dataclass(frozen=True, kw_only=True)
class PerturbationCurves:
    """The probability of a class while the image is blurred, and while it is unblurred, place by place."""

    shares: tuple[float, ...]
    """Share of the pixels that are changed, from 0 to 1; those with most evidence first."""
    deletion: tuple[float, ...]
    """Probability with these pixels blurred."""
    insertion: tuple[float, ...]
    """Probability with all but these pixels blurred."""

    @property
    def deletion_area(self) -> float:
        """Area below the deletion curve, 0 to 1: low where the map names first what the class rests on."""
        return float(np.trapezoid(self.deletion, self.shares))

    @property
    def insertion_area(self) -> float:
        """Area below the insertion curve, 0 to 1: high where the map names first what suffices for the class."""
        return float(np.trapezoid(self.insertion, self.shares))

    @property
    def difference(self) -> float:
        """Insertion area less deletion area. Pixels in random order have 0 on average: the two sets of images agree."""
        return self.insertion_area - self.deletion_area

    def describe(self) -> str:
        """Return one sentence: what the number means and how to read it."""
        return (
            f"Blurring what the map marks, strongest first, leaves a mean probability of {self.deletion_area:.2f}, and "
            f"unblurring it in the same order one of {self.insertion_area:.2f}; the difference of "
            f"{self.difference:+.2f} is 0 for pixels in random order and higher the better the map names what the "
            "network used."
        )


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How far the maps of one image by the repeats of a network agree on the tenth with most evidence."""

    maps: int
    """Maps with evidence."""
    empty: int
    """Maps without; they are left out."""
    mean_iou: float | None
    """Intersection over union of the top tenths, the mean over pairs; None with fewer than two maps."""
    lowest_iou: float | None

    @property
    def chance(self) -> float:
        """What two tenths drawn at random have: p / (2 − p) for a share p."""
        return TOP_SHARE / (2 - TOP_SHARE)

    def describe(self) -> str:
        """Return one sentence: what the number means and how to read it."""
        if self.mean_iou is None:
            return f"Agreement needs maps of two repeats with evidence for this class; found {self.maps}."
        return (
            f"The strongest tenths of the maps of {self.maps} repeats overlap by {self.mean_iou:.2f} (intersection "
            f"over union): 1 where all repeats mark the same place, {self.chance:.2f} where they mark places at random."
        )


@dataclass(frozen=True, kw_only=True)
class RandomisationStep:
    """Maps before and after part of the network got random weights."""

    layer: str
    """From this layer to the end, weights are random; ``""``: all weights."""
    correlations: tuple[float | None, ...]
    """Spearman's rank correlation of the two maps of each image; None where one of them is empty.

    Adebayo et al. give structural similarity as well. Its window of 11 × 11 is wider than a map of 4 to 13 cells; on
    the map scaled up, it would measure the interpolation.
    """

    @property
    def mean(self) -> float | None:
        """Mean over the images in which both maps have evidence."""
        found = [value for value in self.correlations if value is not None]
        return float(np.mean(found)) if found else None


@dataclass(frozen=True, kw_only=True)
class RandomisationCheck:
    """Whether maps depend on what the network learned: its weights are made random from the end to the beginning."""

    method: str
    steps: tuple[RandomisationStep, ...]
    """From the head alone to all weights."""

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.steps[0].correlations)

    def describe(self) -> str:
        """Return one sentence: what the number means and how to read it."""
        last = self.steps[-1].mean
        found = "are empty" if last is None else f"resemble the real ones with a rank correlation of {last:.2f}"
        return (
            f"With all weights random, the maps of {self.images} images {found}: near 0, or empty, the maps show what "
            "the network has learned; near 1 they would show the image's own structure whatever the network knows."
        )


def energy_share(evidence: ArrayLike, place: Place, inside: NDArray[np.bool_]) -> EnergyShare:
    """Return the share of a map's evidence that lies in a place.

    Parameters
    ----------
    evidence : array_like, shape (h, w)
        A map; values below 0, which speak against the class, do not count.
    place : {'tumour', 'centre'}
    inside : ndarray, shape (H, W), bool
        True in the place; the map is scaled up to it.
    """
    scaled = np.maximum(upsample(evidence, (inside.shape[0], inside.shape[1])).astype(np.float64), 0)
    total = scaled.sum()
    share = float(scaled[inside].sum() / total) if total > 0 else None
    return EnergyShare(place=place, share=share, area=float(inside.mean()))


def centre_square(size_px: int) -> NDArray[np.bool_]:
    """Return a mask (size_px, size_px) of the central square, half as wide as the region."""
    inside = np.zeros((size_px, size_px), dtype=bool)
    margin = round(size_px * (1 - CENTRE_SIDE) / 2)
    inside[margin : size_px - margin, margin : size_px - margin] = True
    return inside


def rank_pixels(evidence: ArrayLike, size: tuple[int, int], *, seed: int = 0) -> NDArray[np.int64]:
    """Return the place of each pixel (H, W) in the order of evidence, 0 for the strongest.

    Pixels of equal evidence, such as all those without any, are in random order: in the order of rows, a map would seem
    to name the upper edge.
    """
    scaled = upsample(evidence, size).ravel()
    order = np.lexsort((np.random.default_rng(seed).random(scaled.size), -scaled))
    ranks = np.empty(scaled.size, dtype=np.int64)
    ranks[order] = np.arange(scaled.size)
    return ranks.reshape(size)


def stability(maps: Sequence[ArrayLike], size_px: int) -> Stability:
    """Return how far maps of one image, by several repeats, agree.

    Parameters
    ----------
    maps : sequence of array_like, shape (h, w)
        For one class; their grids may differ.
    size_px : int
        Side to which they are scaled up before their top tenth is taken.
    """
    tops = [_top_tenth(one, size_px) for one in maps if np.max(one) > 0]
    overlaps = [float((a & b).sum() / (a | b).sum()) for a, b in combinations(tops, 2)]
    return Stability(
        maps=len(tops),
        empty=len(maps) - len(tops),
        mean_iou=float(np.mean(overlaps)) if overlaps else None,
        lowest_iou=min(overlaps) if overlaps else None,
    )


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float | None:
    """Return Spearman's rank correlation of the values of two maps; None where one has the same value everywhere."""
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.3 s that pages may not need

    first, second = np.ravel(np.asarray(one)), np.ravel(np.asarray(other))
    if first.shape != second.shape:
        raise ExplanationError(f"Maps of one grid can be compared; found {first.size} and {second.size} cells.")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def _top_tenth(evidence: ArrayLike, size_px: int) -> NDArray[np.bool_]:
    """Return where the tenth with most evidence is; fewer pixels where fewer have any."""
    size = (size_px, size_px)
    return (rank_pixels(evidence, size) < max(1, round(TOP_SHARE * size_px**2))) & (upsample(evidence, size) > 0)
