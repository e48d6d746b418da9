from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from brainmri.training.architectures import build_empty_model
from brainmri.training.bench.ordinary import (
    OrdinaryTraining,
    build_ordinary_model,
    make_loader,
    total_loss,
)
from brainmri.training.bench.pictures import write_image_folder

CPU = torch.device("cpu")


@pytest.fixture
def loader(tmp_path):
    write_image_folder(tmp_path / "pictures", 10, 32)
    return make_loader(tmp_path / "pictures", batch_size=4, workers=0, device=CPU)


def test_batches_are_transformed_pictures(loader):
    torch.manual_seed(0)
    batches = list(loader)
    assert [tuple(images.shape) for images, _targets in batches] == [(4, 3, 32, 32), (4, 3, 32, 32), (2, 3, 32, 32)]
    targets = torch.cat([targets for _images, targets in batches])
    assert sorted(targets.tolist()) == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    images = torch.cat([images for images, _targets in batches])
    assert images.dtype == torch.float32
    lowest = -0.485 / 0.229  # black in the first channel, ImageNet's mean and standard deviation
    assert images[:, 0].min() == pytest.approx(lowest, abs=1e-5)  # corners that a rotation leaves empty
    again = torch.cat([images for images, _targets in loader])
    assert not torch.equal(images.sort(dim=0).values, again.sort(dim=0).values)  # transforms are drawn anew


def test_a_pass_trains_on_every_picture(tiny, loader):
    training = OrdinaryTraining("tiny", CPU)
    layers = training._model.get_parameter("features.0.weight"), training._model.get_parameter("head.bias")
    before = [layer.clone() for layer in layers]
    images, seconds = training.train(loader)
    assert images == 10
    assert seconds > 0
    assert not any(torch.equal(old, new) for old, new in zip(before, layers, strict=True))


def test_a_pass_may_be_cut_short_after_a_batch(tiny, loader):
    images, seconds = OrdinaryTraining("tiny", CPU).train(loader, limit_s=1e-9)
    assert images == 4
    assert 0 < seconds < math.inf


def test_the_warm_up_sees_every_size_of_batch(tiny, loader, monkeypatch):
    sizes = []
    training = OrdinaryTraining("tiny", CPU)
    monkeypatch.setattr(training, "_train_batch", lambda images, _targets: sizes.append(len(images)))
    training.warm_up(loader, 4)
    assert sizes == [4, 2]


def test_googlenet_has_its_auxiliary_heads_and_the_engines_has_not():
    assert build_ordinary_model("googlenet").aux1 is not None
    assert build_empty_model("googlenet", 3).aux1 is None


def test_auxiliary_losses_weigh_three_tenths():
    rng = np.random.default_rng(0)
    main, first, second = (torch.from_numpy(rng.normal(size=(5, 3))) for _ in range(3))
    targets = torch.tensor([0, 1, 2, 1, 0])

    def cross_entropy(logits):  # by its definition
        shares = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True)
        return -np.log(shares[np.arange(5), targets.numpy()]).mean()

    expected = cross_entropy(main) + 0.3 * (cross_entropy(first) + cross_entropy(second))
    assert total_loss((main, first, second), targets).item() == pytest.approx(expected, rel=1e-9)
    assert total_loss((main, None, None), targets).item() == pytest.approx(cross_entropy(main), rel=1e-9)
    assert total_loss(main, targets).item() == pytest.approx(functional.cross_entropy(main, targets).item())
