"""Embeddings of a run: what reaches the last layer, stored and read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.errors import ExplanationError
from brainmri.explanation.embed import inputs_of
from brainmri.explanation.embeddings import FILE_NAME, RunEmbedding, embedded_runs, read_embedding, write_embedding
from brainmri.study import Study
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.normalisation import prepare_input

NORMALISATION = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}


def embedding(run_id: str = "exp-001-alexnet-01") -> RunEmbedding:
    features = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    return RunEmbedding(run_id=run_id, layer="fc", dataset_hash="d" * 16, features=features, made_from="now")


@pytest.mark.parametrize("architecture", ["alexnet", "googlenet", "resnet50"])
def test_the_last_layer_makes_the_outputs_of_what_is_taken(architecture: str) -> None:
    torch.manual_seed(1)
    model = build_model(architecture, 3, weights="scratch").eval()
    head = model.get_submodule(find_architecture(architecture).head)
    samples = np.random.default_rng(2).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8)
    taken = inputs_of(model, head, samples, NORMALISATION)
    with torch.inference_mode():
        outputs = model(prepare_input(torch.from_numpy(samples), NORMALISATION)).numpy()
    assert taken.shape[0] == 3
    weight, bias = (tensor.detach().numpy() for tensor in (head.weight, head.bias))
    assert taken @ weight.T + bias == pytest.approx(outputs, abs=1e-4)


def test_the_hook_is_gone_afterwards_also_after_a_stop() -> None:
    head = nn.Linear(3 * 8 * 8, 2)
    model = nn.Sequential(nn.Flatten(), head).eval()
    samples = np.zeros((2, 3, 8, 8), dtype=np.uint8)

    def stop(fraction: float, step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inputs_of(model, head, samples, NORMALISATION, progress=stop)
    assert not head._forward_pre_hooks


def test_an_embedding_comes_back_in_half_precision(study: Study) -> None:
    assert read_embedding(study, "exp-001-alexnet-01") is None
    write_embedding(study, embedding())
    found = read_embedding(study, "exp-001-alexnet-01")
    assert found.features == pytest.approx(embedding().features, rel=1e-3)
    assert (found.layer, found.dataset_hash, found.made_from) == ("fc", "d" * 16, "now")
    assert embedded_runs(study, ["exp-001-resnet50-01", "exp-001-alexnet-01"]) == ["exp-001-alexnet-01"]


def test_a_damaged_file_is_told_with_what_to_do(study: Study) -> None:
    write_embedding(study, embedding())
    (study.run_folder("exp-001-alexnet-01") / FILE_NAME).write_bytes(b"nothing")
    with pytest.raises(ExplanationError, match="python -m brainmri embed exp-001-alexnet-01"):
        read_embedding(study, "exp-001-alexnet-01")
