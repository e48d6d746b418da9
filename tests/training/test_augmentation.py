from __future__ import annotations

import pytest
import torch

from brainmri.training.augmentation import AugmentationRanges, augment, draw_matrices

NOTHING = AugmentationRanges(
    flip_left_right=0, flip_up_down=0, rotation_degrees=0, translation=0, scale=0, gain=0, offset=0
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    """Return smooth images within 0.2 to 0.8, so that no clipping hides a change."""
    coarse = torch.rand(6, 3, 4, 4, generator=generator(7)) * 0.6 + 0.2
    return torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")


def test_strength_zero_changes_nothing(images):
    assert torch.equal(augment(images, strength=0, generator=generator()), images)


def test_empty_ranges_change_nothing(images):
    torch.testing.assert_close(augment(images, strength=1, generator=generator(), ranges=NOTHING), images)


def test_the_generator_decides(images):
    first = augment(images, strength=1, generator=generator(1))
    assert torch.equal(first, augment(images, strength=1, generator=generator(1)))
    assert not torch.equal(first, augment(images, strength=1, generator=generator(2)))


def test_every_image_gets_parameters_of_its_own(images):
    same = images[:1].expand(6, -1, -1, -1)
    changed = augment(same, strength=1, generator=generator())
    assert len({tuple(one.flatten()[:50].tolist()) for one in changed}) == 6


@pytest.mark.parametrize(("axis", "ranges"), [(3, {"flip_left_right": 1.0}), (2, {"flip_up_down": 1.0})])
def test_a_flip_is_a_mirror_image(images, axis, ranges):
    flipped = augment(images, strength=1, generator=generator(), ranges=AugmentationRanges(**(vars(NOTHING) | ranges)))
    torch.testing.assert_close(flipped, images.flip(axis))


def test_jitter_acts_on_each_sequence_by_itself(images):
    ranges = AugmentationRanges(**(vars(NOTHING) | {"gain": 0.2}))
    ratio = augment(images, strength=1, generator=generator(), ranges=ranges) / images
    assert (ratio.amax((2, 3)) - ratio.amin((2, 3))).max() < 1e-4  # one factor a channel
    assert ratio[:, :, 0, 0].flatten().unique().numel() == 18


def test_intensities_stay_within_range():
    extreme = torch.tensor([0.0, 1.0]).repeat(4, 3, 16, 8)
    changed = augment(extreme, strength=2, generator=generator())
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_rotation_turns_by_its_angle():
    ranges = AugmentationRanges(**(vars(NOTHING) | {"rotation_degrees": 15.0}))
    matrices = draw_matrices(500, strength=1, generator=generator(), ranges=ranges)
    angles = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert angles.abs().max() <= 15.0001
    assert angles.abs().max() > 14
    torch.testing.assert_close(torch.linalg.det(matrices[:, :, :2]), torch.ones(500))
