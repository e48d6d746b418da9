"""From a finished run to a file: what it holds, what it computes, and when it is refused."""

from __future__ import annotations

import copy
import hashlib
import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from sqlalchemy import select, update

from brainmri.errors import TrainingError
from brainmri.imaging.datasets import read_samples
from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import read_checkpoint
from brainmri.training.experiments import read_split
from brainmri.training.export import exporting
from brainmri.training.export.exporting import export_network
from brainmri.training.export.onnx_file import write_onnx
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.records import Prediction, Run
from tests.training.export.finished_run import NORMALISATION, RUN, add_finished_run
from tests.training.training_studies import DATASET


def test_the_onnx_file_predicts_what_the_run_predicted(finished, tmp_path):
    exported = export_network(finished, RUN, "onnx", tmp_path)
    test = read_split(finished, "exp-001", 1).test
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    intensities = read_samples(finished, DATASET)[test].astype(np.float32) / 255
    (found,) = session.run(None, {"intensities": intensities})
    with finished.session() as database:
        stored = database.execute(select(Prediction.sample_index, Prediction.probabilities)).all()
    expected = {row.sample_index: row.probabilities for row in stored}
    np.testing.assert_allclose(found, [expected[index] for index in test], atol=1e-5)
    assert np.ptp(found, axis=0).max() > 0.01  # images differ
    assert exported.checked.samples == len(test)
    assert 0 <= exported.checked.largest_difference < 1e-5
    assert exported.sha256 == hashlib.sha256(exported.path.read_bytes()).hexdigest()


def test_the_onnx_file_takes_any_number_of_images(finished, tmp_path):
    path = export_network(finished, RUN, "onnx", tmp_path).path
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).random((5, 3, 64, 64), dtype=np.float32)
    (together,) = session.run(None, {"intensities": images})
    alone = np.concatenate([session.run(None, {"intensities": images[i : i + 1]})[0] for i in range(5)])
    assert together.shape == (5, 3)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)


def test_the_onnx_file_says_what_it_is(finished, tmp_path):
    path = export_network(finished, RUN, "onnx", tmp_path).path
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["classes"]) == ["glioblastoma", "PCNSL", "meningioma"]
    assert json.loads(said["normalisation"]) == NORMALISATION
    assert json.loads(said["sequences"]) == ["T1", "T2", "T1c"]
    assert (said["size_px"], said["run"], said["dataset"]) == ("64", RUN, DATASET)
    assert "not for diagnosis" in said["intended_use"]
    assert json.loads(said["brainmri"])["settings"]["architectures"] == ["tiny"]
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape[1:]) == ("intensities", "tensor(float)", [3, 64, 64])
    assert (taken.name, taken.shape[1:]) == ("probabilities", [3])
    assert isinstance(given.shape[0], str)


def test_the_onnx_file_names_no_folder_of_this_machine(finished, tmp_path):
    model, meta = read_checkpoint(finished.run_folder(RUN) / CHECKPOINT_FILE)
    content = export_network(finished, RUN, "onnx", tmp_path).path.read_bytes()
    assert b".py" not in content
    write_onnx(tmp_path / "again.onnx", model, meta)
    assert not any(node.metadata_props for node in onnx.load(tmp_path / "again.onnx").graph.node)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_safetensors_holds_the_weights_in_float32_with_the_metadata(study, tiny, tmp_path, dtype):
    add_finished_run(study, dtype=dtype)
    exported = export_network(study, RUN, "safetensors", tmp_path)
    assert exported.checked is None
    stored = load_file(study.run_folder(RUN) / CHECKPOINT_FILE)
    found = load_file(exported.path)
    assert found.keys() == stored.keys()
    for name, tensor in stored.items():
        expected = tensor.float() if tensor.is_floating_point() else tensor
        assert found[name].dtype == expected.dtype
        assert torch.equal(found[name], expected)
    checkpoint = study.run_folder(RUN) / CHECKPOINT_FILE
    with safe_open(exported.path, framework="pt") as one, safe_open(checkpoint, "pt") as other:
        assert one.metadata() == other.metadata()


def test_a_weight_file_loses_its_folders_on_the_way_out(study, tiny, tmp_path):
    own = tmp_path / "Dr Example" / "own.pth"
    own.parent.mkdir()
    torch.save(build_model("tiny", 3).state_dict(), own)
    add_finished_run(study, weights=str(own))
    for file_format in ("onnx", "safetensors"):
        content = export_network(study, RUN, file_format, tmp_path).path.read_bytes()
        assert b"own.pth" in content
        assert b"Dr Example" not in content


def export_another_network(monkeypatch, change):
    """Let the exporter write a network that is not the one of the run."""

    def write(path, model, meta):
        other = copy.deepcopy(model)
        with torch.no_grad():
            change(other)
        write_onnx(path, other, meta)

    monkeypatch.setattr(exporting, "write_onnx", write)


@pytest.mark.parametrize("shift", [1e-2, float("nan")])
def test_a_file_that_computes_something_else_is_refused(finished, tmp_path, monkeypatch, shift):
    export_another_network(monkeypatch, lambda model: model.head.bias[0].add_(shift))
    with pytest.raises(TrainingError, match=r"differs by (0\.00|nan).*expected at most 0\.0001"):
        export_network(finished, RUN, "onnx", tmp_path)


def test_a_difference_below_the_tolerance_is_reported(finished, tmp_path, monkeypatch):
    export_another_network(monkeypatch, lambda model: model.head.bias[0].add_(1e-4))
    # p(1 - p) · 1e-4, at most a quarter of the shift
    assert 1e-6 < export_network(finished, RUN, "onnx", tmp_path).checked.largest_difference < 2.6e-5


def test_missing_packages_are_named_with_the_command_that_installs_them(finished, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(TrainingError, match=r"loaded: onnxruntime\..*pip install -r requirements-export\.txt"):
        export_network(finished, RUN, "onnx", tmp_path)
    assert export_network(finished, RUN, "safetensors", tmp_path).path.is_file()


def test_a_run_that_has_not_finished_is_refused(finished, tmp_path):
    with finished.session() as session:
        session.execute(update(Run).values(status="queued"))
    with pytest.raises(TrainingError, match="has not finished; it is queued"):
        export_network(finished, RUN, "onnx", tmp_path)


def test_a_run_that_is_not_there_is_refused(finished, tmp_path):
    with pytest.raises(TrainingError, match="no run 'exp-009-tiny-01'"):
        export_network(finished, "exp-009-tiny-01", "onnx", tmp_path)


def test_a_run_whose_network_was_not_kept_is_refused(finished, tmp_path):
    (finished.run_folder(RUN) / CHECKPOINT_FILE).unlink()
    with pytest.raises(TrainingError, match=r"is not stored: .* Export a run whose network was kept"):
        export_network(finished, RUN, "safetensors", tmp_path)
