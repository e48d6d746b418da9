from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from brainmri.errors import TrainingError
from brainmri.training import steps as steps_module
from brainmri.training.inputs import PixelInputs
from brainmri.training.loop import train_run
from brainmri.training.settings import TrainingSettings
from brainmri.training.states import read_state, write_state
from brainmri.training.steps import Steps
from tests.training.training_studies import blobs

LABELS = np.arange(60) % 3
TRAIN, VALIDATION, TEST = np.arange(30), np.arange(30, 45), np.arange(45, 60)


class ProcessGoneError(Exception):
    """What a killed process would see, if it could see anything."""


def settings(**changes) -> TrainingSettings:
    values = {"architectures": ("tiny",), "epochs": 5, "batch_size": 8, "learning_rate": 0.05, "weights": "scratch"}
    return TrainingSettings(**(values | changes))


def run(chosen: TrainingSettings, *, labels=LABELS, samples=None, **arguments):
    return train_run(
        blobs(LABELS, 32) if samples is None else samples,
        labels,
        TRAIN,
        TEST,
        architecture="tiny",
        settings=chosen,
        seed=5,
        device="cpu",
        **arguments,
    )


@pytest.mark.parametrize("count", [2, 3, 9, 16, 17])
def test_no_batch_has_a_single_image(count):
    for batch_size in (2, 4, 8):
        batches = torch.tensor_split(torch.arange(count), steps_module._batch_count(count, batch_size))
        assert min(map(len, batches)) >= 2
        assert sum(map(len, batches)) == count


@pytest.mark.parametrize("dies_after", [1, 2, 4])
def test_a_run_that_goes_on_ends_as_one_that_was_never_interrupted(tiny, tmp_path, dies_after):
    chosen = settings(validation_fraction=0.2, patience=4)
    whole = run(chosen, validation=VALIDATION)
    path = tmp_path / "state.safetensors"

    def keep_and_die(capture):
        state = capture()
        write_state(path, state, key="run")
        if len(state.epochs) == dies_after:
            raise ProcessGoneError

    with pytest.raises(ProcessGoneError):
        run(chosen, validation=VALIDATION, on_state=keep_and_die)
    torch.manual_seed(99)  # another process begins with other random numbers
    seen = []
    again = run(chosen, validation=VALIDATION, state=read_state(path, key="run"), on_epoch=seen.append)
    assert [record.epoch for record in seen] == list(range(dies_after + 1, 6))
    assert np.array_equal(again.probabilities, whole.probabilities)
    assert [one.train_loss for one in again.epochs] == [one.train_loss for one in whole.epochs]
    assert [one.validation_loss for one in again.epochs] == [one.validation_loss for one in whole.epochs]
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_the_end_of_the_last_epoch_can_be_gone_on_from_too(tiny, tmp_path):
    path = tmp_path / "state.safetensors"
    whole = run(settings(), on_state=lambda capture: write_state(path, capture(), key="run"))
    again = run(settings(), state=read_state(path, key="run"))
    assert np.array_equal(again.probabilities, whole.probabilities)


def test_validation_is_measured_and_changes_nothing_where_it_chooses_nothing(tiny):
    plain, measured = run(settings()), run(settings(validation_fraction=0.2), validation=VALIDATION)
    assert np.array_equal(plain.probabilities, measured.probabilities)
    assert plain.epochs[0].validation_loss is None
    assert all(record.validation_loss > 0 and 0 <= record.validation_accuracy <= 1 for record in measured.epochs)
    assert measured.validation_probabilities.shape == (15, 3)
    chosen = measured.validation_probabilities[np.arange(15), LABELS[VALIDATION]]
    assert measured.epochs[-1].validation_loss == pytest.approx(-np.log(chosen).mean(), rel=1e-3)


def test_training_ends_early_with_the_best_weights_where_validation_gets_worse(tiny):
    wrong = LABELS.copy()
    wrong[VALIDATION] = (wrong[VALIDATION] + 1) % 3  # the better the network, the worse its validation loss
    chosen = settings(epochs=20, validation_fraction=0.2, patience=3)
    result = run(chosen, labels=wrong, validation=VALIDATION)
    losses = [record.validation_loss for record in result.epochs]
    best = int(np.argmin(losses)) + 1
    assert len(result.epochs) == best + 3 < 20
    assert f"those of epoch {best}" in result.remarks[0]
    chosen_probabilities = result.validation_probabilities[np.arange(15), wrong[VALIDATION]]
    assert -np.log(chosen_probabilities).mean() == pytest.approx(min(losses), rel=1e-3)


def test_balanced_weights_are_inverse_to_the_share_of_each_class():
    targets = torch.tensor([0] * 6 + [1] * 3 + [2])
    weights = steps_module._class_weights(targets, 3, TrainingSettings(class_weighting="balanced"))
    assert weights.tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert steps_module._class_weights(targets, 3, TrainingSettings()).tolist() == [1, 1, 1]


class _SmallMemory(nn.Module):
    """A network without batch normalisation that has no memory for more than a number of images."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 8 * 8, 3)
        self.limit = limit

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.head(images.flatten(1))


def _steps(limit: int, monkeypatch: pytest.MonkeyPatch) -> Steps:
    monkeypatch.setattr(steps_module, "training_dtype", lambda _device: torch.float32)
    torch.manual_seed(1)
    model = _SmallMemory(limit)
    inputs = PixelInputs(torch.from_numpy(blobs(LABELS, 8)), strength=0, generator=torch.Generator().manual_seed(1))
    targets = torch.from_numpy(LABELS)
    chosen = settings(class_weighting="balanced", batch_size=20, epochs=3)
    return Steps(
        model, model.head, inputs, targets, chosen, classes=3, seed=1, validation=None, validation_targets=targets[:0]
    )


def test_a_batch_that_does_not_fit_is_computed_in_parts_with_the_same_gradients(monkeypatch):
    whole, parts = _steps(100, monkeypatch), _steps(6, monkeypatch)
    whole_records, part_records = list(whole.run(lambda: False)), list(parts.run(lambda: False))
    for one, other in zip(whole_records, part_records, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)
    torch.testing.assert_close(whole._model.head.weight, parts._model.head.weight)
    assert whole.remarks() == ()
    assert "computed in 4 parts" in parts.remarks()[0]


def test_where_not_even_two_images_fit_the_error_is_told(monkeypatch):
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        list(_steps(1, monkeypatch).run(lambda: False))


def test_a_loss_that_is_not_finite_names_the_learning_rate(tiny):
    with pytest.raises(TrainingError, match="no longer finite in epoch"):
        run(settings(learning_rate=1e12))
