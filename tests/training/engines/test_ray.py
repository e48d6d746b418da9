"""Runs on a real Ray cluster of several nodes, started on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from brainmri.study import Study
from brainmri.training.experiments import create_experiment
from brainmri.training.heartbeats import list_workers
from brainmri.training.jobs import pause, request_stop
from brainmri.training.records import Epoch, Prediction, Run, Split
from brainmri.training.settings import TrainingSettings
from brainmri.training.state_pace import INTERVAL_VARIABLE
from brainmri.training.versions import THREADS_KEY
from tests.training.engines.ray_nodes import RayNodes
from tests.training.training_studies import DATASET, add_dataset

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 170

pytestmark = [pytest.mark.slow, pytest.mark.stress]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[RayNodes]:
    """Return a cluster of a head; skip where Ray is missing, fail in CI."""
    if find_spec("ray") is None:
        reason = "Ray is not installed: pip install -r requirements-cluster.txt -c constraints.txt"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with RayNodes(tmp_path) as cluster:
        yield cluster


def make_experiment(study: Study, **changes) -> str:
    values = {
        "architectures": ("efficientnet_b0",),
        "repeats": 3,
        "epochs": 16,
        "batch_size": 8,
        "learning_rate": 0.01,
        "weights": "scratch",
        "device": "cpu",
        "validation_fraction": 0.3,
    }
    if not study.dataset_folder(DATASET).exists():
        add_dataset(study, patients=6, slices=1)
    return create_experiment(study, DATASET, TrainingSettings(**(values | changes)))


class Driver:
    """``python -m brainmri work``, on two cores at most: then each run computes in one thread, here and there.

    A context manager that ends it.
    """

    def __init__(self, study: Study, experiment: str, *options: str, environment: dict[str, str]) -> None:
        self._output, self._errors = study.folder.parent / "output", study.folder.parent / "errors"
        cores = sorted(os.sched_getaffinity(0))[:2]
        command = [sys.executable, "-m", "brainmri", "work", experiment, "--json", "--study", str(study.folder)]
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env={**environment, INTERVAL_VARIABLE: "0"},
                stdout=output,
                stderr=errors,
                preexec_fn=partial(os.sched_setaffinity, 0, cores),  # noqa: PLW1509 - no thread here holds a lock
            )

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until something is so, as long as the driver works."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._process.poll() is None, self._errors.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)

    def finish(self) -> dict[str, Any]:
        """Wait for the end, which must be a good one, and return what was printed."""
        code = self._process.wait(PATIENCE_S)
        assert code == 0, self._errors.read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(self._output.read_text(encoding="utf-8"))
        return found


def read_runs(study: Study, experiment: str) -> list[Run]:
    with study.session() as session:
        return list(session.scalars(select(Run).where(Run.experiment_id == experiment).order_by(Run.run_id)))


def read_predictions(study: Study, experiment: str) -> dict[tuple[str, int, int], list[float]]:
    query = (
        select(Run.architecture, Run.repeat, Prediction.sample_index, Prediction.probabilities)
        .join(Run, Run.run_id == Prediction.run_id)
        .where(Run.experiment_id == experiment)
    )
    with study.session() as session:
        return {(name, repeat, index): list(found) for name, repeat, index, found in session.execute(query)}


def count_states(study: Study) -> int:
    return len(list(study.folder.glob("runs/*/state.safetensors")))


def read_log(study: Study, run: Run) -> str:
    path = study.run_folder(run.run_id) / "log.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def logs(study: Study, experiment: str) -> str:
    return "".join(read_log(study, run) for run in read_runs(study, experiment))


@pytest.mark.timeout(400)
def test_runs_of_a_node_that_is_killed_go_on_elsewhere_and_give_what_one_machine_gives(study, nodes):
    spread = make_experiment(study)
    doomed = nodes.join()
    with Driver(study, spread, "--engine", "ray", "--address", nodes.address, environment=nodes.environment) as driver:
        driver.wait_for(lambda: count_states(study) == 2)  # a run on each node, both with a state
        assert len(list_workers(study)) == 3, "the page shows the driver and a process on each node"
        nodes.kill(doomed)
        rows = driver.finish()["runs"]
    assert [row["status"] for row in rows] == ["finished"] * 3
    runs = read_runs(study, spread)
    assert max(run.attempt for run in runs) == 2, "the run of the lost node was taken again"
    assert [read_log(study, run).count("finished after") for run in runs] == [1] * 3
    assert "goes on after epoch" in logs(study, spread)
    assert {run.versions[THREADS_KEY] for run in runs} == {"1"}
    with study.session() as session:
        assert set(Counter(session.scalars(select(Epoch.run_id))).values()) == {16}
    assert list_workers(study) == []
    here = make_experiment(study)
    with Driver(study, here, environment=dict(os.environ)) as local:
        local.finish()
    assert {run.versions[THREADS_KEY] for run in read_runs(study, here)} == {"1"}
    found, expected = read_predictions(study, spread), read_predictions(study, here)
    assert len(expected) == sum(len(split) for split in _test_sets(study, here))
    assert found == expected


@pytest.mark.timeout(400)
def test_a_pause_puts_runs_back_with_their_state_and_a_stop_ends_them(study, nodes):
    experiment = make_experiment(study, repeats=2, epochs=500)
    options = "--engine", "ray", "--address", nodes.address
    with Driver(study, experiment, *options, environment=nodes.environment) as paused:
        paused.wait_for(lambda: count_states(study) == 1)
        pause(study, experiment)
        paused.finish()
    assert [run.status for run in read_runs(study, experiment)] == ["queued", "queued"]
    assert count_states(study) == 1
    with Driver(study, experiment, *options, environment=nodes.environment) as stopped:
        stopped.wait_for(lambda: "goes on after epoch" in logs(study, experiment))
        request_stop(study, experiment)
        stopped.finish()
    assert [run.status for run in read_runs(study, experiment)] == ["stopped", "stopped"]
    assert count_states(study) == 1, "the run can go on later"
    assert list_workers(study) == []


def _test_sets(study: Study, experiment: str) -> list[list[int]]:
    with study.session() as session:
        return list(session.scalars(select(Split.test).where(Split.experiment_id == experiment)))
