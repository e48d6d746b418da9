"""The one module that calls Ray.

Ray sends functions, arguments and results between its own processes as pickles, over connections that trust each other:
that is its own protocol, on the user's own cluster. Nothing that comes from outside is unpickled. Whoever can reach the
cluster's ports can run programs on it, so keep them within the cluster.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from brainmri.errors import TrainingError, UsageError
from brainmri.training.engines.mailbox import Mailbox

INSTALL: Final = "pip install -r requirements-cluster.txt"
_ANSWER_S: Final = 10.0
"""How long a cluster may take to answer at its address."""
_MAILBOX_S: Final = 60.0
"""How long the mailbox, a process of this machine, may take to answer: it waits for ever where what was sent to it went
with a node."""
_FETCH_S: Final = 300.0
"""How long the result of an ended task may take to arrive."""


class ClusterLost(TrainingError):  # noqa: N818 - a state
    """The cluster no longer answers."""


class NodeLost(Exception):  # noqa: N818 - the run goes on elsewhere
    """The node, or the process on it, is gone over a task."""


class Cancelled(Exception):  # noqa: N818 - as asked
    """A task was taken back."""


class TaskFailed(Exception):  # noqa: N818 - of one task
    """A task raised.

    Parameters
    ----------
    cause : Exception
        What it raised.
    detail : str
        Where.
    """

    def __init__(self, cause: Exception, detail: str) -> None:
        super().__init__(str(cause))
        self.cause, self.detail = cause, detail


@dataclass(frozen=True)
class Demand:
    """What a task takes of its node, beside one processor core."""

    gpus: float
    """Share of a GPU; 0: none."""

    def describe(self) -> str:
        """Return it in words."""
        return f"{self.gpus:g} of a GPU and a processor core" if self.gpus else "a processor core"


def import_ray() -> Any:
    """Return Ray.

    Raises
    ------
    TrainingError
        Where it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise TrainingError(
            f"Training on several machines needs Ray, which is not installed here ({error}). Install it with "
            f"'{INSTALL}', the same version on all machines, or train on this one with '--engine local'."
        ) from error


class Cluster:
    """A connection to a Ray cluster: what this process asks of it.

    This software is sent to the nodes with the tasks, so that all of them compute with the driver's copy.

    Parameters
    ----------
    address : str or None
        ``host:port`` of the cluster; None: of the one that this machine belongs to.

    Raises
    ------
    TrainingError
        Where Ray is not installed or no cluster answers.
    """

    def __init__(self, address: str | None) -> None:
        self._ray = import_ray()
        address = address or _own_cluster()
        if address is not None:
            _check_answers(address)
        try:
            self._ray.init(
                address=address or "auto",
                runtime_env={
                    "py_modules": [str(Path(__file__).resolve().parents[2])],
                    "excludes": [".*_cache"],
                    "env_vars": _environment(),
                },
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
            raise explain_refusal(error, address) from error
        self._mailbox = self._start_mailbox()

    def close(self) -> None:
        """Leave the cluster; Ray ends what this process still has there."""
        self._ray.shutdown()

    def nodes(self) -> int:
        """Return how many nodes there are."""
        return len(self._alive())

    def describe(self) -> str:
        """Return the cluster as a device."""
        count = self.nodes()
        return f"Ray cluster of {count} node{'' if count == 1 else 's'}"

    def has_gpu(self) -> bool:
        """Return whether a node has a GPU."""
        return any(resources.get("GPU", 0) > 0 for resources in self._alive())

    def slots(self, demand: Demand) -> int:
        """Return how many tasks of a kind the nodes can hold at once."""
        return sum(_slots(resources, demand) for resources in self._alive())

    def share(self, value: object) -> Any:
        """Put a value into the object store, once for all tasks, and return its reference."""
        return self._guard(lambda: self._ray.put(value))

    def submit(self, function: Callable[..., object], *arguments: object, demand: Demand, retries: int = 0) -> Any:
        """Hand a task over and return the reference of its result; references among the arguments become values."""
        options = {"num_cpus": 1, "num_gpus": demand.gpus, "max_retries": retries, "scheduling_strategy": "SPREAD"}
        return self._guard(lambda: self._ray.remote(**options)(function).remote(*arguments))

    def submit_run(self, function: Callable[..., object], *arguments: object, demand: Demand) -> Any:
        """Hand a task over that gets the mailbox as its last argument."""
        return self.submit(function, *arguments, self._mailbox, demand=demand)

    def wait(self, references: Sequence[Any], seconds: float) -> list[Any]:
        """Wait until a task has ended, or for so long; return those that have."""
        if not references:
            time.sleep(seconds)
            return []
        waiting = list(references)
        first, _ = self._guard(lambda: self._ray.wait(waiting, num_returns=1, timeout=seconds, fetch_local=False))
        if not first:
            return []
        done, _ = self._guard(lambda: self._ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False))
        return list(done)

    def result(self, reference: Any) -> Any:
        """Return what an ended task returned.

        Raises
        ------
        NodeLost, Cancelled, TaskFailed
        TrainingError
            Where nodes cannot prepare for this software.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference, timeout=_FETCH_S)
        except errors.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            raise TaskFailed(cause, str(error)) from error
        except errors.TaskCancelledError as error:
            raise Cancelled from error
        except errors.RuntimeEnvSetupError as error:
            raise TrainingError(f"The nodes of the Ray cluster cannot take this software: {error}") from error
        except errors.RayError as error:
            raise NodeLost(_first_sentence(error)) from error

    def cancel(self, reference: Any) -> None:
        """Take a task back that has not begun."""
        self._guard(lambda: self._ray.cancel(reference))

    def ask(self, method: str, *arguments: object) -> Any:
        """Call a method of the mailbox and return its answer."""
        return self._guard(lambda: self._ray.get(getattr(self._mailbox, method).remote(*arguments), timeout=_MAILBOX_S))

    def _start_mailbox(self) -> Any:
        """Start the mailbox on this machine: it must not go with another node."""
        strategies = import_module("ray.util.scheduling_strategies")
        here = self._ray.get_runtime_context().get_node_id()
        strategy = strategies.NodeAffinitySchedulingStrategy(node_id=here, soft=False)
        return self._ray.remote(num_cpus=0, scheduling_strategy=strategy)(Mailbox).remote()

    def _alive(self) -> list[dict[str, float]]:
        """Return what each node has."""
        return [node["Resources"] for node in self._guard(self._ray.nodes) if node["Alive"]]

    def _guard(self, call: Callable[[], Any]) -> Any:
        """Make a call that only fails where the connection has."""
        try:
            return call()
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise ClusterLost(
                f"The connection to the Ray cluster was lost: {_first_sentence(error)} The runs in hand are back in "
                "the queue; go on with 'python -m brainmri work' when the cluster is there."
            ) from error


def explain_refusal(error: Exception, address: str | None) -> TrainingError:
    """Return what to tell people where a cluster does not take this process: other versions, or none there."""
    text = str(error).strip()
    if text.startswith("Version mismatch"):
        found = " ".join(text.removeprefix("Version mismatch:").split())
        return TrainingError(
            f"The Ray cluster and this machine have different versions of Ray or Python. {found}. Install the same "
            f"version of Ray on all machines, with the same Python: '{INSTALL} -c constraints.txt'."
        )
    where = f"at {address}" if address else "on this machine"
    return TrainingError(
        f"No Ray cluster can be reached {where}: {_first_sentence(error)} Start one with 'ray start --head', or let "
        "this machine join a running one with 'ray start --address HOST:PORT'."
    )


def _own_cluster() -> str | None:
    """Return the address of the cluster that this machine belongs to, where it is noted, as Ray does."""
    if "RAY_ADDRESS" in os.environ:
        return os.environ["RAY_ADDRESS"]
    note = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir()), "ray", "ray_current_cluster")
    return note.read_text(encoding="ascii").strip() or None if note.is_file() else None


def _check_answers(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself would try for minutes, then end this process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"'{address}' is no address of a Ray cluster; expected HOST:PORT, such as 10.0.0.5:6379.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise explain_refusal(error, address) from error


def _environment() -> dict[str, str]:
    """Return what every process on a node starts with, as those of `brainmri.training.jobs` do."""
    return {"OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")}


def _slots(resources: dict[str, float], demand: Demand) -> int:
    cores = int(resources.get("CPU", 0))
    return min(cores, int(resources.get("GPU", 0) / demand.gpus + 1e-6)) if demand.gpus else cores


def _first_sentence(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0].split(". ")[0] if lines else type(error).__name__
    return text if text.endswith(".") else f"{text}."
