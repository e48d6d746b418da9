from __future__ import annotations

import itertools

import pytest
import torch

from brainmri.training.bench import peak
from brainmri.training.bench.peak import product_rate


def test_the_rate_counts_two_operations_a_weight_and_whole_products(monkeypatch):
    ticks = itertools.count(step=0.4)
    monkeypatch.setattr(peak.time, "perf_counter", lambda: next(ticks))
    # The clock says 0, then 0.4, 0.8, 1.2 after one, two, three products: the third ends past one second.
    rate = product_rate(torch.device("cpu"), torch.float32, size=8, seconds=1.0)
    assert rate == pytest.approx(3 * 2 * 8**3 / 1.2)


def test_half_precision_is_multiplied_too():
    assert product_rate(torch.device("cpu"), torch.bfloat16, size=16, seconds=0.001) > 0
