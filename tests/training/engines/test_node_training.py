"""A run as a node does it, beside the same run done here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import read_checkpoint
from brainmri.training.engines import node_training
from brainmri.training.engines.mailbox import Mailbox
from brainmri.training.engines.messages import Begun, EpochDone, NodeJob, NodeNetwork, NodeOutcome
from brainmri.training.engines.node import activations_on_node, train_on_node
from brainmri.training.loop import predict, train_run
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.settings import TrainingSettings
from brainmri.training.state_pace import INTERVAL_VARIABLE
from tests.training.training_studies import blobs

ROOT = Path(__file__).resolve().parents[3]
LABELS = np.arange(45) % 3
SAMPLES = blobs(LABELS, 32)
TRAIN, TEST, VALIDATION = np.arange(25), np.arange(30, 45), np.arange(25, 30)
SETTINGS = TrainingSettings(
    architectures=("tiny",), epochs=4, batch_size=8, learning_rate=0.05, weights="scratch", validation_fraction=0.2
)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Return a mailbox that the node speaks with directly, and that expects it."""
    box = Mailbox()
    box.expect("run/1")
    monkeypatch.setattr(node_training, "_exchange", lambda mailbox, key: lambda *said: mailbox.exchange(key, *said))
    monkeypatch.setenv(INTERVAL_VARIABLE, "0")
    return box


def make_job(settings: TrainingSettings = SETTINGS) -> NodeJob:
    network = NodeNetwork(
        architecture="tiny",
        settings=settings.to_dict(),
        classes=3,
        device="cpu",
        threads=1,
        weights_name=None if settings.weights == "scratch" else Path(settings.weights).name,
    )
    meta = {"run": "run", "architecture": "tiny", "classes": ["a", "b", "c"], "target_layer": "features.4"}
    meta |= {"size_px": 32, "normalisation": IMAGENET_NORMALISATION, "versions": {"git_revision": "abc"}}
    return NodeJob(
        key="run/1",
        run_id="run",
        state_key="run/5/data",
        network=network,
        seed=5,
        labels=LABELS,
        train=TRAIN,
        test=TEST,
        validation=VALIDATION,
        meta=meta,
    )


def train_here(settings: TrainingSettings = SETTINGS):
    arguments = {"architecture": "tiny", "seed": 5, "device": "cpu", "validation": VALIDATION, "classes": 3}
    return train_run(SAMPLES, LABELS, TRAIN, TEST, settings=settings, **arguments)


def notes_of(mailbox: Mailbox, kind: type) -> list:
    return [note for _key, note in mailbox.collect()[0] if isinstance(note, kind)]


def test_a_node_gives_the_bits_that_this_machine_gives(tiny, mailbox, tmp_path):
    outcome = train_on_node(make_job(), SAMPLES, None, None, None, mailbox)
    here = train_here()
    assert (outcome.ending, outcome.detail) == ("finished", "")
    np.testing.assert_array_equal(outcome.result.probabilities, here.probabilities)
    np.testing.assert_array_equal(outcome.result.validation_probabilities, here.validation_probabilities)
    assert outcome.result.versions["git_revision"] == "abc"
    assert outcome.result.versions["torch"]
    outcome.result.checkpoint.tofile(tmp_path / "checkpoint.safetensors")
    model, meta = read_checkpoint(tmp_path / "checkpoint.safetensors")
    np.testing.assert_array_equal(predict(model, SAMPLES[TEST]), here.probabilities)
    assert meta["run"] == "run"
    assert [note.record["epoch"] for note in notes_of(mailbox, EpochDone)] == [1, 2, 3, 4]


def test_frozen_layers_of_a_weight_file_that_comes_along_give_the_same_bits(tiny, mailbox, tmp_path):
    path = tmp_path / "own.safetensors"
    save_file(build_model("tiny", 3).state_dict(), path)
    settings = replace(SETTINGS, mode="head", weights=str(path))
    here = train_here(settings)
    weights = np.fromfile(path, dtype=np.uint8)
    path.unlink()  # a node has no such file
    job = make_job(settings)
    activations = activations_on_node(job.network, SAMPLES, weights)
    outcome = train_on_node(job, SAMPLES, weights, activations, None, mailbox)
    assert (outcome.ending, outcome.detail) == ("finished", "")
    np.testing.assert_array_equal(outcome.result.probabilities, here.probabilities)


def test_a_pause_hands_the_state_over_and_the_next_task_ends_with_the_same_bits(tiny, mailbox, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(node_training, "DriverLink", _WithOrder(node_training.DriverLink, "pause"))
        paused = train_on_node(make_job(), SAMPLES, None, None, None, mailbox)
    assert paused == NodeOutcome(ending="paused")
    state = mailbox.take_state("run/1")
    mailbox.collect()
    outcome = train_on_node(make_job(), SAMPLES, None, None, state, mailbox)
    assert notes_of(mailbox, Begun)[0].epochs == 1
    np.testing.assert_array_equal(outcome.result.probabilities, train_here().probabilities)


def test_a_state_of_another_run_is_not_gone_on_from(tiny, mailbox, monkeypatch):
    train_on_node(make_job(), SAMPLES, None, None, None, mailbox)
    state = mailbox.take_state("run/1")
    assert state is not None
    mailbox.collect()
    other = replace(make_job(), state_key="run/6/data")
    assert train_on_node(other, SAMPLES, None, None, state, mailbox).ending == "finished"
    assert notes_of(mailbox, Begun)[0].epochs == 0


def test_a_task_that_nobody_expects_stops(tiny, mailbox, monkeypatch):
    monkeypatch.setattr(node_training, "DriverLink", _WithOrder(node_training.DriverLink, "stop"))
    outcome = train_on_node(make_job(), SAMPLES, None, None, None, mailbox)
    assert outcome.ending == "stopped"


def test_a_failure_comes_home_as_sentences(tiny, mailbox):
    job = replace(make_job(), train=TRAIN[:1])
    outcome = train_on_node(job, SAMPLES, None, None, None, mailbox)
    assert outcome.ending == "failed"
    assert outcome.message.startswith("This split has 1 training and 15 test images")
    assert "TrainingError" in outcome.detail


def test_what_runs_on_nodes_needs_neither_database_nor_dicom_nor_psutil():
    program = """
import sys
for name in ("sqlalchemy", "psutil", "streamlit", "pydicom", "SimpleITK", "sklearn", "plotly"):
    sys.modules[name] = None
import brainmri.training.engines.node, brainmri.training.engines.mailbox, brainmri.training.engines.node_training
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_node_without_torch_says_so():
    program = """
import sys
sys.modules["torch"] = None
from brainmri.training.engines.node import train_on_node
print(train_on_node(None, None, None, None, None, None).message)
"""
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "cannot train" in found.stdout
    assert "Install torch, torchvision, numpy and safetensors" in found.stdout


class _WithOrder:
    """Makes links on which an order has arrived before the training begins."""

    def __init__(self, link: type, order: str) -> None:
        self._link, self._order = link, order

    def __call__(self, exchange, measure):
        return self._link(lambda *said: (self._order, exchange(*said)[1]), measure, interval_s=0.0)
