"""Near-duplicate images across a split: what the hash withstands, and what it tells apart."""

from __future__ import annotations

import io
import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from brainmri.errors import EvaluationError
from brainmri.evaluation.near_duplicates import (
    HASH_LIMIT,
    find_near_duplicates,
    find_similar_images,
    take_fingerprints,
    unusual_similarity,
)


def hash_samples(samples: np.ndarray) -> np.ndarray:
    return take_fingerprints(samples).hashes


def thumbnail_features(samples: np.ndarray) -> np.ndarray:
    return take_fingerprints(samples).thumbnails


def draw_images(count: int, seed: int = 0, side: int = 64) -> np.ndarray:
    """Return smooth random images of three channels, (count, 3, side, side) uint8."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(count, 3, side, side)), (0, 0, side / 10, side / 10))
    low, high = noise.min(axis=(2, 3), keepdims=True), noise.max(axis=(2, 3), keepdims=True)
    return np.round(20 + 200 * (noise - low) / (high - low)).astype(np.uint8)


def compress(image: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(np.moveaxis(image, 0, -1)).save(stream, "JPEG", quality=quality)
    return np.moveaxis(np.asarray(Image.open(stream)), -1, 0)


def by_definition(image: np.ndarray) -> list[int]:
    """Return the hash of each channel by loops, for images whose sides are multiples of 8 and 9."""
    hashes = []
    for channel in image.astype(float):
        height, width = channel.shape[0] // 8, channel.shape[1] // 9
        value, bit = 0, 0
        for row in range(8):
            means = [
                channel[row * height : (row + 1) * height, column * width : (column + 1) * width].mean()
                for column in range(9)
            ]
            for left, right in pairwise(means):
                value |= int(right - left > 1e-3) << bit
                bit += 1
        hashes.append(value)
    return hashes


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.bitwise_count(hash_samples(a[None]) ^ hash_samples(b[None])).sum())


def test_the_hash_follows_its_definition() -> None:
    images = draw_images(5, side=72)
    assert hash_samples(images).tolist() == [by_definition(image) for image in images]


def test_areas_are_averaged_also_where_sides_are_no_multiples() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8), (1, 3, 64, 1))
    assert hash_samples(ramp).tolist() == [[2**64 - 1] * 3]
    assert hash_samples(ramp[..., ::-1]).tolist() == [[0] * 3]
    assert hash_samples(np.full((1, 3, 64, 64), 7, dtype=np.uint8)).tolist() == [[0] * 3]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: compress(image, 30),
        lambda image: np.clip(image * 1.2 + 10, 0, 255).astype(np.uint8),
        lambda image: np.roll(image, 1, axis=2),
        lambda image: np.clip(image + np.random.default_rng(1).normal(0, 4, image.shape), 0, 255).astype(np.uint8),
    ],
    ids=["compressed", "brighter", "shifted", "noisy"],
)
def test_a_changed_copy_stays_near(change) -> None:
    for image in draw_images(10):
        assert bits_apart(image, change(image)) <= HASH_LIMIT


def test_other_images_are_far() -> None:
    images = draw_images(40)
    hashes = hash_samples(images)
    apart = [int(np.bitwise_count(hashes[a] ^ hashes[b]).sum()) for a in range(40) for b in range(a)]
    assert min(apart) > 2 * HASH_LIMIT


def test_each_test_image_gets_its_nearest_training_image() -> None:
    images = draw_images(6)
    samples = np.concatenate([images, [compress(images[0], 60), images[3]]])  # 6 copies image 0, 7 image 3
    cases = ["A", "B", "C", "D", "E", "F", "A", "G"]
    found = find_near_duplicates(hash_samples(samples), [([0, 1, 2, 3], [4, 6, 7])], cases)[0]
    assert [(pair.test_sample, pair.train_sample, pair.same_case) for pair in found.near] == [
        (7, 3, False),
        (6, 0, True),
    ]
    assert found.pairs[0].distance == 0
    assert (found.test_images, found.train_images, found.share) == (3, 4, pytest.approx(2 / 3))
    assert found.share_nearest_of_same_case == pytest.approx(1 / 3)
    assert [(pair.test_case, pair.train_case) for pair in found.of_other_cases] == [("G", "D")]
    farthest = found.pairs[-1]
    assert farthest.test_sample == 4
    assert len(found.within(farthest.distance).near) == 3


def test_distances_agree_with_a_loop_over_all_pairs() -> None:
    hashes = hash_samples(draw_images(30))
    found = find_near_duplicates(hashes, [(range(10, 30), range(10))], [str(i // 2) for i in range(30)], limit=192)[0]
    assert len(found.pairs) == 10
    for pair in found.pairs:
        apart = [int(np.bitwise_count(hashes[pair.test_sample] ^ hashes[one]).sum()) for one in range(10, 30)]
        assert pair.distance == min(apart)
        assert pair.train_sample == 10 + int(np.argmin(apart))


def test_features_find_what_is_similar_by_cosine() -> None:
    features = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.3], [1.0, 1.0], [0.0, 0.0]])
    found = find_similar_images(features, [([0, 1], [2, 3, 4])], list("ABACD"))[0]
    assert [(pair.test_sample, pair.train_sample) for pair in found.near] == [(2, 0)]
    assert found.pairs[0].distance == pytest.approx(1 - 3 / np.hypot(3, 0.3))
    assert found.share_nearest_of_same_case == pytest.approx(1 / 3)


def test_thumbnails_do_not_see_brightness_and_contrast() -> None:
    images = draw_images(4)
    darker = (images // 2 + 5).astype(np.uint8)
    features = thumbnail_features(np.concatenate([images, darker]))
    assert features.shape == (8, 3 * 16 * 16)
    similarity = features[:4] @ features[4:].T / 3
    assert np.diag(similarity) == pytest.approx(np.ones(4), abs=0.01)
    assert (similarity - np.diag(np.diag(similarity))).max() < 0.8
    flat = thumbnail_features(np.full((1, 3, 64, 64), 9, dtype=np.uint8))
    assert not flat.any()


def test_neighbouring_slices_are_found_by_thumbnails_where_the_split_divides_images() -> None:
    rng = np.random.default_rng(3)
    heads = draw_images(12).astype(float)
    slices = np.clip(
        np.repeat(heads, 4, axis=0) + ndimage.gaussian_filter(rng.normal(0, 60, (48, 3, 64, 64)), (0, 0, 4, 4)), 0, 255
    ).astype(np.uint8)
    cases = [f"case-{index // 4}" for index in range(48)]
    features = thumbnail_features(slices)
    splits = [(np.flatnonzero(np.arange(48) % 4), np.arange(0, 48, 4)), (np.arange(24), np.arange(24, 48))]
    of_images, of_patients = find_similar_images(features, splits, cases)
    assert of_images.share_nearest_of_same_case == 1.0
    assert of_patients.share_nearest_of_same_case == 0.0
    assert of_patients.share == 0.0


def test_an_empty_side_has_nothing_to_compare() -> None:
    found = find_near_duplicates(hash_samples(draw_images(2)), [([0, 1], [])], ["A", "B"])[0]
    assert (found.pairs, found.share, found.share_nearest_of_same_case) == ((), None, None)
    untrained = find_near_duplicates(hash_samples(draw_images(2)), [([], [0, 1])], ["A", "B"])[0]
    assert (untrained.pairs, untrained.test_images) == ((), 2)


def test_what_is_no_split_is_refused() -> None:
    hashes = hash_samples(draw_images(3))
    with pytest.raises(EvaluationError, match="The sample 1 stands in training and in test"):
        find_near_duplicates(hashes, [([0, 1], [1, 2])], list("ABC"))
    with pytest.raises(EvaluationError, match="names samples up to 7; the data set has 3"):
        find_near_duplicates(hashes, [([0, 7], [1])], list("ABC"))
    with pytest.raises(EvaluationError, match="6 × 64 pixels; expected 16 × 16 or more"):
        take_fingerprints(np.zeros((1, 3, 6, 64), dtype=np.uint8))


def test_several_splits_are_answered_as_each_alone_also_over_several_blocks() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 4))
    cases = [str(index // 3) for index in range(600)]
    orders = [rng.permutation(600) for _ in range(3)]
    splits = [(order[200:], order[:200]) for order in orders]
    together = find_similar_images(features, splits, cases)
    assert together == tuple(find_similar_images(features, [one], cases)[0] for one in splits)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    train, test = splits[1]
    closest = train[(unit[test] @ unit[train].T).argmax(axis=1)]
    assert together[1].share_nearest_of_same_case == pytest.approx(np.mean(test // 3 == closest // 3))


def test_twenty_splits_of_a_thousand_test_images_are_compared_in_a_moment() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, size=(3353, 3), dtype=np.uint64)
    orders = [rng.permutation(3353) for _ in range(20)]
    started = time.perf_counter()
    find_near_duplicates(hashes, [(one[1000:], one[:1000]) for one in orders], [str(i // 10) for i in range(3353)])
    assert time.perf_counter() - started < 3.0  # 0.2 s on an idle core


def test_how_alike_different_cases_are_to_a_network_is_read_off_its_features() -> None:
    rng = np.random.default_rng(4)
    features = rng.normal(size=(300, 6)) + 2
    cases = [str(index // 3) for index in range(300)]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    other = np.arange(300)[:, None] // 3 != np.arange(300)[None, :] // 3
    assert unusual_similarity(features, cases) == pytest.approx(np.quantile((unit @ unit.T)[other], 0.999), abs=1e-6)
    assert unusual_similarity(features, ["A"] * 300) == 1.0
    assert unusual_similarity(np.zeros((0, 6)), []) == 1.0
    assert unusual_similarity(rng.normal(size=(2500, 3)), [str(i) for i in range(2500)]) == pytest.approx(1, abs=0.01)
