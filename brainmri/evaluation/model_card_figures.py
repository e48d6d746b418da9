"""How good one run is, in numbers with intervals. Arrays in, records out.

References
----------
Score interval of a proportion: Wilson EB. J Am Stat Assoc 1927;22:209-212, doi:10.1080/01621459.1927.10502953.
Bootstrap of whole clusters: Field CA, Welsh AH. J R Stat Soc B 2007;69:369-390, doi:10.1111/j.1467-9868.2007.00593.x.
Too few clusters: Cameron AC, Gelbach JB, Miller DL. Rev Econ Stat 2008;90:414-427, doi:10.1162/rest.90.3.414.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.predictions import Predictions, Verdicts, verdicts_by_case

CONFIDENCE: Final = 0.95

FEWEST_PATIENTS: Final = 20
"""Fewest test patients for a bootstrap interval. Cameron et al. call 5 to 30 clusters few: intervals get too narrow."""

RESAMPLES: Final = 5000
_SEED: Final = 0
_Z: Final = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """A share with its Wilson 95 % interval; None where there is nothing to take a share of.

    Parameters
    ----------
    hits, total : int
    share, lower, upper : float or None
        0 to 1.
    """

    hits: int
    total: int
    share: float | None
    lower: float | None
    upper: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {
            "hits": self.hits,
            "total": self.total,
            "share": self.share,
            "lower": self.lower,
            "upper": self.upper,
        }


@dataclass(frozen=True, kw_only=True)
class ImageAccuracy:
    """Share of test images that a run classified correctly, with an interval over patients.

    Parameters
    ----------
    right, images, cases : int
        Images classified correctly; test images; patients that they are of.
    share : float
        0 to 1.
    lower, upper : float or None
        Percentiles of a bootstrap that draws whole patients.
    remark : str or None
        Why there is no interval, in words.
    """

    right: int
    images: int
    cases: int
    share: float
    lower: float | None
    upper: float | None
    remark: str | None


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy:
    """How well one diagnosis is told from all others, counted over test cases by their verdict."""

    diagnosis: str
    sensitivity: Proportion
    specificity: Proportion


@dataclass(frozen=True, kw_only=True)
class RunAccuracy:
    """How good one run is.

    Parameters
    ----------
    images : ImageAccuracy
    cases : Proportion
        Test cases whose verdict is right.
    classes : tuple of ClassAccuracy
        In the order of the class index.
    """

    images: ImageAccuracy
    cases: Proportion
    classes: tuple[ClassAccuracy, ...]


def measure_run(predictions: Predictions) -> RunAccuracy:
    """Return the figures of one run.

    Parameters
    ----------
    predictions : Predictions
        Of that run alone.
    """
    verdicts = verdicts_by_case(predictions)
    right = verdicts.true_class == verdicts.predicted_class
    return RunAccuracy(
        images=_image_accuracy(predictions),
        cases=wilson_proportion(int(right.sum()), right.size),
        classes=tuple(_class_accuracy(verdicts, index, name) for index, name in enumerate(predictions.classes)),
    )


def wilson_proportion(hits: int, total: int) -> Proportion:
    """Return a share with Wilson's score interval."""
    if total == 0:
        return Proportion(hits=0, total=0, share=None, lower=None, upper=None)
    share, square = hits / total, _Z**2
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    lower = 0.0 if hits == 0 else centre - half  # rounding would leave 1e-17 of zero
    upper = 1.0 if hits == total else centre + half
    return Proportion(hits=hits, total=total, share=share, lower=lower, upper=upper)


def clustered_interval(right: NDArray[np.int64], images: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 95 % interval of a share of images, from a bootstrap that draws whole patients.

    Parameters
    ----------
    right, images : ndarray, shape (C,), int
        Of each patient the images classified correctly, and all of its images.
    """
    draw = np.random.default_rng(_SEED)
    times = draw.multinomial(len(images), np.full(len(images), 1 / len(images)), size=RESAMPLES)
    shares = (times @ right) / (times @ images)
    lower, upper = np.quantile(shares, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return float(lower), float(upper)


def _image_accuracy(predictions: Predictions) -> ImageAccuracy:
    hits = predictions.true_class == predictions.predicted_class
    _cases, member = np.unique(predictions.case, return_inverse=True)
    images = np.bincount(member)
    right = np.bincount(member, weights=hits).astype(np.int64)
    remark = _obstacle(right, images)
    lower, upper = (None, None) if remark else clustered_interval(right, images)
    return ImageAccuracy(
        right=int(right.sum()),
        images=int(images.sum()),
        cases=len(images),
        share=float(hits.mean()),
        lower=lower,
        upper=upper,
        remark=remark,
    )


def _obstacle(right: NDArray[np.int64], images: NDArray[np.int64]) -> str | None:
    """Say why there is no bootstrap interval, or return None."""
    patients = len(images)
    if patients < FEWEST_PATIENTS:
        were = "1 patient was" if patients == 1 else f"{patients} patients were"
        return f"No interval: {were} tested, and fewer than {FEWEST_PATIENTS} do not tell how much patients differ."
    if np.unique(right / images).size == 1:
        return "No interval: every patient's share is the same, so that drawing patients anew changes nothing."
    return None


def _class_accuracy(verdicts: Verdicts, index: int, diagnosis: str) -> ClassAccuracy:
    truly, named = verdicts.true_class == index, verdicts.predicted_class == index
    return ClassAccuracy(
        diagnosis=diagnosis,
        sensitivity=wilson_proportion(int((truly & named).sum()), int(truly.sum())),
        specificity=wilson_proportion(int((~truly & ~named).sum()), int((~truly).sum())),
    )
