from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from brainmri.errors import TrainingError
from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import read_checkpoint, round_weights, write_checkpoint
from brainmri.training.loop import predict, train_run
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import blobs

LABELS = np.arange(12) % 3
META = {
    "architecture": "tiny",
    "classes": ["glioblastoma", "PCNSL", "meningioma"],
    "size_px": 32,
    "normalisation": IMAGENET_NORMALISATION,
    "target_layer": "features.4",
}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_stored_predictions_are_those_of_the_file(tiny, tmp_path, dtype):
    settings = TrainingSettings(
        architectures=("tiny",), epochs=2, batch_size=4, weights="scratch", checkpoint_dtype=dtype
    )
    samples, test = blobs(LABELS, 32), [9, 10, 11]
    result = train_run(samples, LABELS, range(9), test, architecture="tiny", settings=settings, seed=0, device="cpu")
    write_checkpoint(tmp_path / "run" / "checkpoint.safetensors", result.model, META, dtype)
    model, meta = read_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert meta == META
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    found = predict(model, samples[test], normalisation=meta["normalisation"])
    np.testing.assert_array_equal(found, result.probabilities)


def test_half_precision_is_for_matrices_only(tiny, tmp_path):
    write_checkpoint(tmp_path / "c.safetensors", build_model("tiny", 3), META, "float16")
    with safe_open(tmp_path / "c.safetensors", framework="pt") as stream:
        kinds = {name: stream.get_tensor(name).dtype for name in stream.keys()}  # noqa: SIM118
    assert kinds["features.0.weight"] == torch.float16
    assert kinds["features.1.running_var"] == torch.float32
    assert kinds["features.1.weight"] == torch.float32
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]


def test_the_published_networks_come_back(tmp_path):
    model = build_model("googlenet", 3)
    round_weights(model, "float16")
    meta = META | {"architecture": "googlenet", "size_px": 64}
    write_checkpoint(tmp_path / "c.safetensors", model, meta, "float16")
    again, _meta = read_checkpoint(tmp_path / "c.safetensors")
    samples = blobs(LABELS, 64)
    np.testing.assert_array_equal(predict(again, samples), predict(model, samples))


def test_weights_beyond_half_precision_are_refused(tiny):
    model = build_model("tiny", 3)
    with torch.no_grad():
        model.head.weight[0, 0] = 1e6
    with pytest.raises(TrainingError, match=r"head\.weight are not finite in float16"):
        round_weights(model, "float16")


def test_metadata_must_be_whole(tiny, tmp_path):
    with pytest.raises(TrainingError, match="needs target_layer in its metadata"):
        write_checkpoint(tmp_path / "c", build_model("tiny", 3), {k: v for k, v in META.items() if k != "target_layer"})


def test_a_missing_a_damaged_and_a_foreign_file_are_told_apart(tiny, tmp_path):
    with pytest.raises(TrainingError, match="does not exist"):
        read_checkpoint(tmp_path / "c.safetensors")
    (tmp_path / "c.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match="is damaged"):
        read_checkpoint(tmp_path / "c.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(TrainingError, match="no checkpoint of a run"):
        read_checkpoint(tmp_path / "foreign.safetensors")
    write_checkpoint(tmp_path / "other.safetensors", build_model("tiny", 3), META | {"architecture": "googlenet"})
    with pytest.raises(TrainingError, match="does not fit the network googlenet"):
        read_checkpoint(tmp_path / "other.safetensors")
