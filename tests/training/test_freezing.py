from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from brainmri.errors import UsageError
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.freezing import compute_activations, first_trained_layer, make_tail, modules_before
from brainmri.training.loop import predict, train_run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import blobs

LABELS = np.arange(24) % 3


@pytest.fixture(scope="module")
def weight_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file of random weights of a GoogLeNet, which stand for learnt ones."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "googlenet.safetensors"
    save_file(build_model("googlenet", 3).state_dict(), path)
    return str(path)


def settings(weight_file: str, **changes) -> TrainingSettings:
    values = {"architectures": ("googlenet",), "epochs": 2, "batch_size": 8, "learning_rate": 0.01}
    return TrainingSettings(**(values | {"weights": weight_file} | changes))


def train(chosen: TrainingSettings, **arguments):
    return train_run(
        blobs(LABELS, 64),
        LABELS,
        np.arange(18),
        np.arange(18, 24),
        architecture="googlenet",
        settings=chosen,
        seed=4,
        device="cpu",
        **arguments,
    )


@pytest.mark.parametrize("mode", ["head", "partial"])
def test_what_is_frozen_keeps_its_values_and_the_rest_learns(weight_file, mode):
    chosen = settings(weight_file, mode=mode)
    begun = build_model("googlenet", 3, weights=weight_file).state_dict()
    ended = train(chosen).model.state_dict()
    layer = first_trained_layer(find_architecture("googlenet"), chosen)
    frozen = tuple(f"{name}." for name in modules_before(build_model("googlenet", 3), layer))
    assert frozen
    for name, tensor in begun.items():
        same = torch.equal(tensor, ended[name])
        if name.startswith(frozen):
            assert same, name
        elif name.endswith(".weight"):
            assert not same, name


def test_the_tail_computes_what_the_whole_network_computes(weight_file):
    entry = find_architecture("googlenet")
    model = build_model("googlenet", 3, weights=weight_file).eval()
    layer = first_trained_layer(entry, settings(weight_file, mode="partial"))
    samples = blobs(LABELS, 64)
    activations = compute_activations(model, layer, samples, views=1, strength=1.0, seed=0, device=torch.device("cpu"))
    assert activations.dtype == np.float16
    tail = make_tail(model, layer, entry, 3).eval()
    with torch.inference_mode():
        probabilities = torch.softmax(tail(torch.from_numpy(activations[0]).float()), dim=1).numpy()
    np.testing.assert_allclose(probabilities, predict(model, samples), atol=2e-3)


def test_the_first_view_is_of_the_image_itself_and_the_others_differ(weight_file):
    model = build_model("googlenet", 3, weights=weight_file)
    values = compute_activations(
        model, "fc", blobs(LABELS, 64), views=3, strength=1.0, seed=0, device=torch.device("cpu")
    )
    plain = compute_activations(
        model, "fc", blobs(LABELS, 64), views=1, strength=1.0, seed=9, device=torch.device("cpu")
    )
    assert values.shape == (3, 24, 1024)
    assert values.dtype == np.float32
    assert np.array_equal(values[0], plain[0])
    assert not np.allclose(values[1], values[0])
    assert not np.allclose(values[1], values[2])


def test_activations_that_are_given_change_nothing(weight_file):
    chosen = settings(weight_file, mode="head", cached_views=2)
    model = build_model("googlenet", 3, weights=weight_file)
    given = compute_activations(
        model, "fc", blobs(LABELS, 64), views=2, strength=1.0, seed=chosen.seed, device=torch.device("cpu")
    )
    assert np.array_equal(train(chosen, activations=given).probabilities, train(chosen).probabilities)


def test_more_blocks_than_there_are_cannot_be_trained():
    chosen = TrainingSettings(mode="partial", trained_blocks=9)
    with pytest.raises(UsageError, match="'trained_blocks' is 9; GoogLeNet has"):
        first_trained_layer(find_architecture("googlenet"), chosen)


def test_random_weights_cannot_be_frozen():
    with pytest.raises(UsageError, match="frozen layers would have learnt nothing"):
        TrainingSettings(mode="head", weights="scratch")
