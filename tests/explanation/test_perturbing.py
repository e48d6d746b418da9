"""Deletion and insertion on a network whose answer is known, and on a random order."""

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.errors import ExplanationError
from brainmri.explanation.perturbing import perturbation_curves
from tests.explanation.networks import Fails, state

AS_IT_IS = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
SIZE_PX = 20


class SeesOnePlace(nn.Module):
    """The probability of class 0 grows with the contrast inside a square of 40 pixels, a tenth of the image."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(30.0))

    def forward(self, images):
        contrast = images[:, 2, 4:8, 5:15].std(dim=(1, 2))
        return torch.stack([self.scale * contrast, torch.full_like(contrast, 3.0)], dim=1)


@pytest.fixture
def sample():
    image = np.full((1, 3, SIZE_PX, SIZE_PX), 100, dtype=np.uint8)
    image[0, 2, 4:8, 5:15] = np.indices((4, 10)).sum(axis=0) % 2 * 100 + 50
    return image


def evidence(inside, outside):
    found = np.full((1, SIZE_PX, SIZE_PX), outside, dtype=np.float32)
    found[0, 4:8, 5:15] = inside
    return found


def curves_of(sample, maps, **options):
    model = SeesOnePlace()
    return perturbation_curves(model, sample, maps, [0], normalisation=AS_IT_IS, sigma_px=3.0, **options)[0]


def test_a_right_map_removes_the_class_with_its_first_tenth(sample):
    curves = curves_of(sample, evidence(1.0, 0.0))
    assert curves.shares == pytest.approx(np.linspace(0, 1, 11))
    assert curves.deletion[0] > 0.95
    assert curves.insertion[-1] == pytest.approx(curves.deletion[0])  # nothing is blurred
    assert curves.deletion[-1] == pytest.approx(curves.insertion[0])  # all is
    assert max(curves.deletion[1:]) < 0.2
    assert min(curves.insertion[1:]) > 0.95
    assert curves.difference > 0.8


def test_a_wrong_map_removes_it_last(sample):
    curves = curves_of(sample, evidence(0.0, 1.0))
    assert min(curves.deletion[:-1]) > 0.95
    assert max(curves.insertion[:-1]) < 0.2
    assert curves.difference < -0.8


def test_a_random_order_has_no_difference_on_average(sample):
    draw = np.random.default_rng(0)
    many = np.repeat(sample, 60, axis=0)
    maps = draw.random((60, SIZE_PX, SIZE_PX)).astype(np.float32)
    found = perturbation_curves(SeesOnePlace(), many, maps, [0] * 60, normalisation=AS_IT_IS, sigma_px=3.0)
    differences = [curves.difference for curves in found]
    assert abs(np.mean(differences)) < 3 * np.std(differences) / np.sqrt(60) + 1e-3


def test_the_number_of_steps_can_be_chosen_and_work_tells_how_far_it_is(sample):
    told = []
    curves = curves_of(sample, evidence(1.0, 0.0), steps=4, progress=lambda *step: told.append(step))
    assert len(curves.shares) == len(curves.deletion) == len(curves.insertion) == 5
    assert told == [(0.0, "Deletion and insertion in image 1 of 1")]


def test_images_without_their_maps_are_refused(sample):
    with pytest.raises(ExplanationError, match="found 1 images, 2 maps and 1 classes"):
        curves_of(sample, np.zeros((2, 6, 6), dtype=np.float32))


def test_the_network_is_left_as_it_was_after_an_error(sample):
    model = Fails().train()
    before = state(model)
    with pytest.raises(RuntimeError, match="the network failed"):
        perturbation_curves(model, sample, evidence(1.0, 0.0), [0], normalisation=AS_IT_IS)
    assert state(model) == before
