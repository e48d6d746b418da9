"""Near-duplicate images on both sides of a split, found by a hash of the samples or by features of them.

A difference hash keeps of each channel whether brightness rises or falls between neighbours of a coarse grid: 64 bits
that stay when an image is compressed, scaled, brightened or shifted by a pixel. Neighbouring slices of one tumour are
mostly farther apart than that; features (a thumbnail, or what a network makes of the image) find more of them. How many
test images have their nearest training image in the same case tells a leak without any limit on the distance: none may,
where patients are divided.

References
----------
Difference hash: Krawetz N. Kind of like that. 2013, https://www.hackerfactor.com/blog/?/archives/529-Kind-of-Like-That.html.
Near-duplicates between training and test images: Barz B, Denzler J. J Imaging 2020;6:41, doi:10.3390/jimaging6060041.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import EvaluationError

HASH_ROWS: Final = 8
HASH_BITS: Final = 64
"""A channel's."""

HASH_LIMIT: Final = 19
"""Bits of three channels' 192 in which near-duplicates differ at most: a tenth. In 385 images of 72 phantoms the
closest pair of different heads differed in 36 bits, the closest neighbouring slices in 28."""

SIMILARITY_LIMIT: Final = 0.05
"""Near-duplicates by features have a cosine similarity of 0.95 or more. Thumbnails of different heads among the same
phantoms reached 0.89, neighbouring slices 0.96."""

UNUSUAL_SHARE: Final = 0.001
"""Share of the pairs of different cases that are as alike as near-duplicates, where a network says what is alike."""

THUMBNAIL_PX: Final = 16

_REDUCED_AT_ONCE: Final = 32
"""Images that are reduced at once, so that they stay in the processor's cache."""

_REFERENCE_IMAGES: Final = 1000
_COMPARED_AT_ONCE: Final = 256
"""Images that are compared with all others at once."""

Distances = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """A test image and the training image that is nearest to it.

    Parameters
    ----------
    test_sample, train_sample : int
        Sample indices of the data set.
    test_case, train_case : str
    distance : float
        Differing bits, or 1 − cosine similarity.
    """

    test_sample: int
    train_sample: int
    test_case: str
    train_case: str
    distance: float

    @property
    def same_case(self) -> bool:
        """Whether both are images of one case."""
        return self.test_case == self.train_case


@dataclass(frozen=True, kw_only=True)
class NearDuplicates:
    """Near-duplicates across one split.

    Parameters
    ----------
    limit : float
        Largest distance of a near-duplicate.
    test_images, train_images : int
    pairs : tuple of NearPair
        Each test image with its nearest training image, the nearest pair first; none where a side is empty.
    """

    limit: float
    test_images: int
    train_images: int
    pairs: tuple[NearPair, ...]

    @property
    def near(self) -> tuple[NearPair, ...]:
        """The pairs that are near-duplicates, the nearest first."""
        return tuple(pair for pair in self.pairs if pair.distance <= self.limit)

    @property
    def of_other_cases(self) -> tuple[NearPair, ...]:
        """Near-duplicates of different cases: perhaps one patient who was imported twice."""
        return tuple(pair for pair in self.near if not pair.same_case)

    @property
    def share(self) -> float | None:
        """Share of the test images with a near-duplicate in training; None where there is nothing to compare."""
        return len(self.near) / len(self.pairs) if self.pairs else None

    @property
    def share_nearest_of_same_case(self) -> float | None:
        """Share of the test images whose nearest training image is of the same case, however near it is."""
        return sum(pair.same_case for pair in self.pairs) / len(self.pairs) if self.pairs else None

    def within(self, limit: float) -> NearDuplicates:
        """Return the same with another limit."""
        return replace(self, limit=limit)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprints:
    """What images are compared by.

    Parameters
    ----------
    hashes : ndarray, shape (N, C), uint64
    thumbnails : ndarray, shape (N, D), float32
    """

    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.float32]


Sides = tuple[ArrayLike, ArrayLike]
"""Sample indices of the training and of the test images of a split."""


def take_fingerprints(samples: NDArray[np.uint8]) -> Fingerprints:
    """Reduce every image to its hash and its thumbnail, in one pass over the samples.

    Parameters
    ----------
    samples : ndarray, shape (N, C, H, W), uint8
        As stored, also memory-mapped; H and W at least 16.

    Raises
    ------
    EvaluationError
        Where images are smaller.
    """
    count, channels = samples.shape[:2]
    hashes = np.zeros((count, channels), dtype=np.uint64)
    thumbnails = np.zeros((count, channels * THUMBNAIL_PX**2), dtype=np.float32)
    sizes = ((HASH_ROWS, HASH_ROWS + 1), (THUMBNAIL_PX, THUMBNAIL_PX))
    for rows, (coarse, fine) in _reduce(samples, sizes):
        hashes[rows] = _hash(coarse)
        thumbnails[rows] = _normalise(fine)
    return Fingerprints(hashes=hashes, thumbnails=thumbnails)


def find_near_duplicates(
    hashes: NDArray[np.uint64], splits: Sequence[Sides], cases: Sequence[str], *, limit: int = HASH_LIMIT
) -> tuple[NearDuplicates, ...]:
    """Find for every test image of every split the training image with the most similar hash.

    Parameters
    ----------
    hashes : ndarray, shape (N, C), uint64
        See `take_fingerprints`.
    splits : sequence of pairs of array_like of int
        Sample indices of training and test images.
    cases : sequence of str, length N
        Case of each sample.
    limit : int
        Bits, over all channels.

    Raises
    ------
    EvaluationError
        Where a sample stands on both sides, or is not in the data set.
    """
    columns = np.ascontiguousarray(hashes.T)

    def differing_bits(rows: NDArray[np.intp]) -> Distances:
        bits = np.zeros((rows.size, len(hashes)), dtype=np.uint16)
        for channel in columns:
            bits += np.bitwise_count(channel[rows][:, None] ^ channel[None, :])
        return bits.astype(np.float32)

    return _find(differing_bits, splits, cases, float(limit))


def find_similar_images(
    features: NDArray[np.floating[Any]],
    splits: Sequence[Sides],
    cases: Sequence[str],
    *,
    limit: float = SIMILARITY_LIMIT,
) -> tuple[NearDuplicates, ...]:
    """Find for every test image of every split the training image with the most similar features, by cosine.

    Parameters
    ----------
    features : ndarray, shape (N, D)
        The embedding: thumbnails (`take_fingerprints`), or the activations of a network's last layer.
    splits : sequence of pairs of array_like of int
    cases : sequence of str, length N
    limit : float
        Of 1 − cosine similarity.

    Raises
    ------
    EvaluationError
        Where a sample stands on both sides, or is not in the data set.
    """
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, length, out=np.zeros_like(features), where=length > 0)

    def dissimilarity(rows: NDArray[np.intp]) -> Distances:
        return np.asarray(1 - unit[rows] @ unit.T)

    return _find(dissimilarity, splits, cases, limit)


def unusual_similarity(features: NDArray[np.floating[Any]], cases: Sequence[str]) -> float:
    """Return the cosine similarity that one in a thousand pairs of images of different cases passes.

    Networks differ in how alike all images seem to them; what is alike to one has to be read off its own features. At
    most a thousand images, evenly spaced, are compared.

    Parameters
    ----------
    features : ndarray, shape (N, D)
    cases : sequence of str, length N

    Returns
    -------
    float
        1 where all images are of one case.
    """
    places = np.unique(np.linspace(0, max(len(cases) - 1, 0), min(len(cases), _REFERENCE_IMAGES)).astype(np.intp))
    chosen, case = features[places].astype(np.float32), np.asarray(cases)[places]
    length = np.linalg.norm(chosen, axis=1, keepdims=True)
    unit = np.divide(chosen, length, out=np.zeros_like(chosen), where=length > 0)
    similarity = (unit @ unit.T)[case[:, None] != case[None, :]]
    return float(np.quantile(similarity, 1 - UNUSUAL_SHARE)) if similarity.size else 1.0


def _find(
    distances: Callable[[NDArray[np.intp]], Distances], splits: Sequence[Sides], cases: Sequence[str], limit: float
) -> tuple[NearDuplicates, ...]:
    """Go once through the rows of the table of distances, for all splits together."""
    sides = [(np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)) for train, test in splits]
    for train, test in sides:
        _check_split(train, test, len(cases))
    nearest = [np.zeros(test.size, dtype=np.intp) for _, test in sides]
    distance = [np.full(test.size, np.inf) for _, test in sides]
    for start in range(0, len(cases), _COMPARED_AT_ONCE):
        rows = np.arange(start, min(start + _COMPARED_AT_ONCE, len(cases)))
        table = distances(rows)
        for place, (train, test) in enumerate(sides):
            here = np.flatnonzero((test >= rows[0]) & (test <= rows[-1]))
            if here.size and train.size:
                block = table[np.ix_(test[here] - start, train)]
                closest = block.argmin(axis=1)
                nearest[place][here] = train[closest]
                distance[place][here] = block[np.arange(here.size), closest]
    return tuple(
        _describe(train, test, nearest[place], distance[place], cases, limit)
        for place, (train, test) in enumerate(sides)
    )


def _describe(
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    nearest: NDArray[np.intp],
    distance: NDArray[np.float64],
    cases: Sequence[str],
    limit: float,
) -> NearDuplicates:
    order = np.argsort(distance if train.size else distance[:0], kind="stable")
    return NearDuplicates(
        limit=limit,
        test_images=test.size,
        train_images=train.size,
        pairs=tuple(
            NearPair(
                test_sample=int(test[place]),
                train_sample=int(nearest[place]),
                test_case=cases[test[place]],
                train_case=cases[nearest[place]],
                distance=float(distance[place]),
            )
            for place in order
        ),
    )


def _check_split(train: NDArray[np.intp], test: NDArray[np.intp], size: int) -> None:
    both = np.intersect1d(train, test)
    if both.size:
        raise EvaluationError(f"The sample {both[0]} stands in training and in test: this is no split.")
    every = np.concatenate([train, test])
    if every.size and not 0 <= every.min() <= every.max() < size:
        raise EvaluationError(f"The split names samples up to {every.max()}; the data set has {size}, counted from 0.")


def _hash(reduced: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return one hash a channel, shape (n, C), of images reduced to 8 × 9."""
    rises = (np.diff(np.round(reduced, 3), axis=3) > 0).reshape(*reduced.shape[:2], HASH_BITS)
    weights = np.left_shift(np.uint64(1), np.arange(HASH_BITS, dtype=np.uint64))
    return np.asarray(np.where(rises, weights, np.uint64(0)).sum(axis=2, dtype=np.uint64))


def _normalise(reduced: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each channel without its mean and scaled to one length, in one row an image; one of one grey is zero."""
    flat = reduced.reshape(*reduced.shape[:2], -1)
    flat = flat - flat.mean(axis=2, keepdims=True)
    length = np.linalg.norm(flat, axis=2, keepdims=True)
    unit = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0.5)  # below: rounding of one grey
    return unit.reshape(len(unit), -1)


def _reduce(
    samples: NDArray[np.uint8], sizes: Sequence[tuple[int, int]]
) -> Iterator[tuple[slice, list[NDArray[np.float32]]]]:
    """Yield blocks of images reduced to each size by averaging over areas, each of shape (n, C, rows, columns)."""
    height, width = samples.shape[2:]
    least = max(max(size) for size in sizes)
    if height < least or width < least:
        raise EvaluationError(f"The images have {height} × {width} pixels; expected {least} × {least} or more.")
    across = np.concatenate([_averaging(width, columns) for _, columns in sizes]).T
    down = [_averaging(height, rows).T for rows, _ in sizes]
    ends = np.cumsum([columns for _, columns in sizes])[:-1]
    for start in range(0, len(samples), _REDUCED_AT_ONCE):
        block = slice(start, start + _REDUCED_AT_ONCE)
        pixels = samples[block].astype(np.float32)
        count, channels = pixels.shape[:2]
        # few large products: many small ones wait for one another wherever other processes compute
        narrow = (pixels.reshape(-1, width) @ across).reshape(count, channels, height, -1)
        bands = [np.ascontiguousarray(band.swapaxes(2, 3)) for band in np.split(narrow, ends, axis=3)]
        yield (
            block,
            [
                (band.reshape(-1, height) @ matrix).reshape(*band.shape[:3], -1).swapaxes(2, 3)
                for band, matrix in zip(bands, down, strict=True)
            ],
        )


def _averaging(size: int, parts: int) -> NDArray[np.float32]:
    """Return the weights that average ``size`` pixels over equal parts, shape (parts, size)."""
    edges = np.linspace(0, size, parts + 1)[:, None]
    pixel = np.arange(size)[None, :]
    covered = np.clip(np.minimum(pixel + 1, edges[1:]) - np.maximum(pixel, edges[:-1]), 0, None)
    return (covered * parts / size).astype(np.float32)
