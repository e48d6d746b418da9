from __future__ import annotations

import pytest
import torch

from brainmri.training.states import EpochRecord, TrainingState, read_state, write_state

RECORD = EpochRecord(1, 0.7, 0.5, 0.01, 2.5, 0.8, 0.4)


def state() -> TrainingState:
    return TrainingState(
        (RECORD,), {"step": 3}, {"model.w": torch.arange(6.0).view(2, 3), "rng.torch": torch.get_rng_state()}
    )


def test_a_state_survives_the_file(tmp_path):
    path = tmp_path / "folder" / "state.safetensors"
    write_state(path, state(), key="run-1")
    found = read_state(path, key="run-1")
    assert found is not None
    assert found.epochs == (RECORD,)
    assert found.values == {"step": 3}
    assert torch.equal(found.tensors["model.w"], state().tensors["model.w"])
    assert found.tensors["rng.torch"].dtype is torch.uint8
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_state_of_another_training_is_not_taken(tmp_path):
    path = tmp_path / "state.safetensors"
    write_state(path, state(), key="run-1")
    assert read_state(path, key="run-2") is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_was_cut_short_is_not_taken(tmp_path, share):
    path = tmp_path / "state.safetensors"
    write_state(path, state(), key="run-1")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert read_state(path, key="run-1") is None


def test_no_file_is_no_state(tmp_path):
    assert read_state(tmp_path / "state.safetensors", key="run-1") is None
