from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.training.optimisers import learning_rate, make_optimiser, set_learning_rate
from brainmri.training.settings import TrainingSettings


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(step, 100, 0.1) for step in range(100)]
    assert max(rates) == pytest.approx(0.1, rel=0.01)
    assert int(np.argmax(rates)) == 14
    assert rates[0] < 0.01
    assert rates[-1] < 0.001
    assert learning_rate(0, 1, 0.1) == 0.1


def test_the_steps_of_the_rate_are_at_half_and_at_three_quarters():
    rates = [learning_rate(step, 100, 1.0, "step") for step in range(100)]
    assert rates[15:50] == [1.0] * 35
    assert rates[50:75] == pytest.approx([0.1] * 25)
    assert rates[75:] == pytest.approx([0.01] * 25)


def test_a_constant_rate_stays_after_its_rise():
    rates = [learning_rate(step, 100, 0.3, "constant") for step in range(100)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[14:] == [0.3] * 86


def test_decay_spares_biases_and_the_head_has_a_rate_of_its_own():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    settings = TrainingSettings(weight_decay=0.01, head_rate_factor=10.0)
    optimiser = make_optimiser(model, model[2], settings)
    set_learning_rate(optimiser, 0.5)
    found = {id(p): (group["weight_decay"], group["lr"]) for group in optimiser.param_groups for p in group["params"]}
    assert found[id(model[0].weight)] == (0.01, 0.5)
    assert found[id(model[0].bias)] == (0.0, 0.5)
    assert found[id(model[1].weight)] == (0.0, 0.5)
    assert found[id(model[2].weight)] == (0.01, 5.0)
    assert found[id(model[2].bias)] == (0.0, 5.0)
    assert len(found) == len(list(model.parameters()))


def test_a_head_alone_has_groups_of_its_own_only():
    head = nn.Linear(3, 2)
    optimiser = make_optimiser(head, head, TrainingSettings(head_rate_factor=2.0))
    assert [group["rate_factor"] for group in optimiser.param_groups] == [2.0, 2.0]
    assert torch.optim.SGD is type(optimiser)
