"""An exported file beside the network that it came from, for every network of the table."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainmri.errors import TrainingError
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.architectures import build_model
from brainmri.training.export.checking import MOST_SAMPLES, check_onnx, choose_samples
from brainmri.training.export.onnx_file import write_onnx
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from tests.training.export.finished_run import lively


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_leaves_the_house_as_it_is(name: str, tmp_path):
    torch.manual_seed(1)
    model = lively(build_model(name, 3))
    meta = {"architecture": name, "classes": ["a", "b", "c"], "size_px": 64}
    meta["normalisation"] = IMAGENET_NORMALISATION
    samples = np.random.default_rng(0).integers(0, 256, (5, 3, 64, 64), dtype=np.uint8)
    write_onnx(tmp_path / "network.onnx", model, meta)
    check = check_onnx(tmp_path / "network.onnx", model, meta, samples)
    assert check.samples == 5
    assert check.largest_difference < 1e-4


def test_a_run_without_test_images_cannot_be_checked(tmp_path):
    with pytest.raises(TrainingError, match="exp-001 has no test image to check"):
        check_onnx(tmp_path / "no.onnx", torch.nn.Identity(), {"run": "exp-001"}, np.empty((0, 3, 8, 8), np.uint8))


def test_a_large_test_set_is_checked_evenly():
    test = np.arange(0, 20000, 2)
    chosen = choose_samples(test)
    assert len(set(chosen.tolist())) == MOST_SAMPLES
    assert (chosen[0], chosen[-1]) == (0, 19998)
    assert np.ptp(np.diff(chosen)) <= 2
    assert set(chosen) <= set(test)
    np.testing.assert_array_equal(choose_samples(test[:100]), test[:100])
