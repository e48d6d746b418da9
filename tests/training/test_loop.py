from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from brainmri.errors import StopRequested, TrainingError
from brainmri.training.loop import predict, train_run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import blobs

LABELS = np.arange(45) % 3
TRAIN, TEST = np.arange(31), np.arange(31, 45)  # 31 = 3 × 8 + 7


def settings(**changes) -> TrainingSettings:
    values = {"architectures": ("tiny",), "epochs": 2, "batch_size": 8, "learning_rate": 0.05, "weights": "scratch"}
    return TrainingSettings(**(values | changes))


def run(seed: int = 5, train=TRAIN, on_epoch=None, should_stop=None, **changes):
    return train_run(
        blobs(LABELS, 32),
        LABELS,
        train,
        TEST,
        architecture="tiny",
        settings=settings(**changes),
        seed=seed,
        device="cpu",
        on_epoch=on_epoch,
        should_stop=should_stop,
    )


def test_an_easy_task_is_learnt(tiny):
    result = run(epochs=25)
    assert result.accuracy > 0.9
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss
    assert result.probabilities.shape == (14, 3)
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(result.test, TEST)
    np.testing.assert_array_equal(result.true, LABELS[TEST])


def test_the_same_seed_gives_the_same_bits(tiny):
    first, second, other = run(), run(), run(seed=6)
    assert np.array_equal(first.probabilities, second.probabilities)
    assert first.epochs[-1].train_loss == second.epochs[-1].train_loss
    assert not np.array_equal(first.probabilities, other.probabilities)


def test_a_run_leaves_the_global_generator_alone(tiny):
    before = torch.random.get_rng_state()
    run()
    assert torch.equal(before, torch.random.get_rng_state())


def test_every_epoch_is_reported(tiny):
    seen = []
    result = run(on_epoch=seen.append, epochs=3)
    assert seen == list(result.epochs)
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert result.images_per_second > 0
    assert result.precision in ("bf16", "fp32")


def test_a_stop_ends_the_run_at_the_next_batch(tiny):
    answers = iter([False, False, True])
    with pytest.raises(StopRequested, match="stopped as asked"):
        run(should_stop=lambda: next(answers))


def test_a_loss_that_is_no_number_is_explained(tiny):
    with pytest.raises(TrainingError, match=r"no longer finite in epoch \d+: the learning rate 1e\+20 is too high"):
        run(learning_rate=1e20, epochs=5)


def test_too_few_images_are_refused(tiny):
    with pytest.raises(TrainingError, match="1 training and 14 test images"):
        run(train=TRAIN[:1])


def test_half_precision_is_rounded_before_testing(tiny):
    result = run(checkpoint_dtype="float16")
    weight = result.model.head.weight
    assert torch.equal(weight, weight.half().float())
    recomputed = predict(result.model, blobs(LABELS, 32)[TEST])
    np.testing.assert_array_equal(recomputed, result.probabilities)


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet50"])
def test_the_published_networks_train_on_the_smallest_data(name):
    labels = np.array([0, 1, 0, 1])
    result = train_run(
        blobs(labels, 64),
        labels,
        [0, 1, 2],
        [3],
        architecture=name,
        settings=TrainingSettings(epochs=1, batch_size=2, weights="scratch", learning_rate=0.001),
        seed=0,
        device="cpu",
    )
    assert np.isfinite(result.probabilities).all()


def test_the_engine_needs_no_database_and_no_pages():
    code = """
import sys
for name in ("sqlalchemy", "psutil", "pydicom", "streamlit", "SimpleITK", "plotly", "pandas"):
    sys.modules[name] = None
import brainmri.training.architectures, brainmri.training.weights, brainmri.training.splits
import brainmri.training.augmentation, brainmri.training.loop, brainmri.training.checkpoints
import brainmri.training.settings, brainmri.training.versions
"""
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_what_pages_read_needs_no_torch():
    code = """
import sys
for name in ("torch", "torchvision", "sklearn", "captum"):
    sys.modules[name] = None
import brainmri.training.architecture_names, brainmri.training.experiments, brainmri.training.monitor
import brainmri.training.jobs
from brainmri.training.weights import weights_status
assert len(weights_status()) >= 3
"""
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU on this machine")
@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet50"])
def test_the_same_code_trains_on_a_gpu(name):
    result = train_run(
        blobs(LABELS, 64),
        LABELS,
        TRAIN,
        TEST,
        architecture=name,
        settings=settings(architectures=(name,), learning_rate=0.01, epochs=3),
        seed=0,
        device="cuda",
    )
    assert result.device.startswith("cuda")
    assert result.precision in ("bf16", "fp16")
    assert np.isfinite(result.probabilities).all()
