"""What comes into the head, against the head itself."""

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.errors import ExplanationError
from brainmri.explanation.features import features_of_run, head_inputs
from brainmri.explanation.trained import TrainedRun
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.architectures import build_model
from brainmri.training.loop import predict
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import Run
from tests.explanation.networks import state


def opened(architecture):
    torch.manual_seed(3)
    model = build_model(architecture, 3)
    meta = {"architecture": architecture, "classes": ["a", "b", "c"], "normalisation": IMAGENET_NORMALISATION}
    return TrainedRun(Run(run_id="run"), None, model, meta, "", model)


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).integers(0, 256, (5, 3, 64, 64), dtype=np.uint8)


@pytest.mark.parametrize("architecture", ["alexnet", "googlenet", "resnet50"])
def test_the_head_makes_the_answer_of_its_inputs(architecture, samples, monkeypatch):
    monkeypatch.setattr("brainmri.explanation.trained.BATCH_IMAGES", 2)
    trained = opened(architecture)
    told = []
    inputs, logits = head_inputs(trained, samples, progress=lambda *step: told.append(step))
    head = trained.model.get_submodule(ARCHITECTURES[architecture].head)
    with torch.no_grad():
        np.testing.assert_allclose(head(torch.from_numpy(inputs)).numpy(), logits, rtol=1e-5, atol=1e-5)
    probabilities = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    np.testing.assert_allclose(probabilities, predict(trained.model, samples), atol=1e-5)
    assert told == [(n / 5, f"Activations of image {n + 1} of 5") for n in (0, 2, 4)]


def test_records_hold_directions_answers_and_the_split(samples):
    trained = opened("googlenet")
    found = features_of_run(
        trained,
        samples,
        case_ids=["case-1", "case-1", "case-2", "case-3", "case-3"],
        true_class=[0, 0, 1, 2, 2],
        test=[3, 4],
        validation=[2],
    )
    inputs, logits = head_inputs(trained, samples)
    assert found.features.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(found.features.astype(float), axis=1), 1, atol=1e-3)
    expected = inputs / np.linalg.norm(inputs, axis=1, keepdims=True)
    np.testing.assert_allclose(found.features, expected, atol=1e-3)
    np.testing.assert_array_equal(found.predicted_class, logits.argmax(axis=1))
    assert found.part.tolist() == [0, 0, 1, 2, 2]
    assert found.made_from.startswith("run ")


def test_a_network_of_which_nothing_is_active_has_no_direction(samples):
    trained = opened("googlenet")
    with torch.no_grad():
        for module in trained.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.zero_()
    found = features_of_run(trained, samples, case_ids=list("abcde"), true_class=[0] * 5, test=[0])
    assert not found.features.any()
    assert [one.distance for one in found.similar(0).neighbours] == [1.0] * 4


def test_the_network_is_left_as_it_was_after_an_error(samples):
    trained = opened("googlenet")
    trained.model.train()
    before = state(trained.model)
    head_inputs(trained, samples[:1])
    assert state(trained.model) == before
    trained.model.fc = nn.Linear(5, 3)
    before = state(trained.model)
    for _ in range(2):  # the lock is free again
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            head_inputs(trained, samples[:1])
    assert state(trained.model) == before


def test_a_data_set_without_samples_is_refused(samples):
    with pytest.raises(ExplanationError, match="has no samples"):
        head_inputs(opened("googlenet"), samples[:0])
