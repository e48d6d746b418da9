"""What people are told where there is no cluster to train on. None of it needs Ray."""

from __future__ import annotations

import socket
import sys

import pytest

from brainmri.__main__ import main
from brainmri.errors import TrainingError, UsageError
from brainmri.training.engines import ray as engine
from brainmri.training.engines.cluster import Cluster, Demand, explain_refusal, import_ray


@pytest.fixture
def _some_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ray seem installed; none of its functions may be called."""
    monkeypatch.setattr("brainmri.training.engines.cluster.import_ray", object)


def test_a_missing_ray_is_told_with_the_file_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(TrainingError, match=r"not installed here .*pip install -r requirements-cluster.txt"):
        import_ray()


def test_a_missing_ray_is_told_before_an_experiment_is_made(study, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["train", "--engine", "ray", "--study", str(study.folder)]) == 1
    assert "requirements-cluster.txt" in capsys.readouterr().err


@pytest.mark.usefixtures("_some_ray")
def test_an_address_where_nobody_listens_is_told_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TrainingError, match=rf"No Ray cluster can be reached at {address}: .*ray start --head"):
        Cluster(address)


@pytest.mark.usefixtures("_some_ray")
@pytest.mark.parametrize("address", ["head", "head:", ":6379", "head:port"])
def test_an_address_without_a_port_is_refused(address):
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        Cluster(address)


@pytest.mark.usefixtures("_some_ray")
def test_the_cluster_of_this_machine_is_asked_first_too(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(TrainingError, match=r"reached at 127\.0\.0\.1:"):
        Cluster(None)


def test_different_versions_are_told_with_both():
    text = (  # as Ray 2.60 says it, ray._private.utils.check_version_info
        "Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
        "This process on node 10.0.0.5 was started with:\n    Ray: 2.59.0\n    Python: 3.12.1\n"
    )
    message = str(explain_refusal(RuntimeError(text), None))
    assert message.startswith("The Ray cluster and this machine have different versions of Ray or Python.")
    assert "Ray: 2.60.0 Python: 3.11.7" in message
    assert "Ray: 2.59.0 Python: 3.12.1" in message
    assert "requirements-cluster.txt" in message


@pytest.mark.parametrize("command", [["train"], ["retrain", "exp-001"]])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--address", "head:6379"], "give '--engine ray' with it"),
        (["--engine", "ray", "--queue"], "Give one of them"),
    ],
)
def test_options_that_contradict_each_other_are_refused(study, capsys, command, options, sentence):
    assert main([*command, *options, "--study", str(study.folder)]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("_some_ray")
@pytest.mark.parametrize(("command", "trained"), [("work", "exp-001"), ("retrain", "exp-002")])
def test_the_command_hands_engine_and_address_on(study, monkeypatch, command, trained):
    monkeypatch.setattr("brainmri.commands.training.import_ray", object)
    asked = []
    monkeypatch.setattr(engine, "work_on_ray", lambda study, experiment, **rest: asked.append((experiment, rest)))
    monkeypatch.setattr("brainmri.commands.retraining.repeat_corrected", lambda *_arguments, **_options: "exp-002")
    for module in ("training", "retraining"):
        monkeypatch.setattr(f"brainmri.commands.{module}.finish_training", lambda *_arguments, **_options: 0)
    options = ["--engine", "ray", "--address", "head:6379", "--study", str(study.folder)]
    assert main([command, "exp-001", *options]) == 0
    [(experiment, rest)] = asked
    assert (experiment, rest["address"]) == (trained, "head:6379")


def test_demands_are_told_in_words():
    assert Demand(gpus=0).describe() == "a processor core"
    assert Demand(gpus=0.5).describe() == "0.5 of a GPU and a processor core"
