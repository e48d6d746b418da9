"""A cluster without Ray: tasks do nothing by themselves, a test says what becomes of them."""

from __future__ import annotations

from typing import Any

from brainmri.training.engines.cluster import ClusterLost
from brainmri.training.engines.mailbox import Mailbox
from brainmri.training.engines.messages import Begun, Note


class FakeTask:
    """One task; its ``ending`` is None while it runs, an exception to raise, or the outcome."""

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.ending: Any = None
        self.cancelled = False

    @property
    def job(self) -> Any:
        return self.arguments[0]


class FakeCluster:
    """What `brainmri.training.engines.cluster.Cluster` offers, with a real mailbox."""

    def __init__(self, room: int = 2, *, gpu: bool = False) -> None:
        self.room, self.gpu, self.lost, self.closed = room, gpu, False, False
        self.tasks: list[FakeTask] = []
        self.demands: list[float] = []
        self.shared: list[Any] = []
        self.mailbox = Mailbox()
        self.on_wait = lambda: None
        """Called where the driver waits: the moment at which a test lets something happen."""

    def close(self) -> None:
        self.closed = True

    def describe(self) -> str:
        return "Ray cluster of 2 nodes"

    def nodes(self) -> int:
        return 2

    def has_gpu(self) -> bool:
        return self.gpu

    def slots(self, demand: Any) -> int:
        return self.room

    def share(self, value: Any) -> Any:
        self.shared.append(value)
        return f"object {len(self.shared)}"

    def submit(self, function: Any, *arguments: Any, demand: Any, retries: int = 0) -> Any:
        return f"task of {function.__name__}"

    def submit_run(self, function: Any, *arguments: Any, demand: Any) -> FakeTask:
        self.demands.append(demand.gpus)
        self.tasks.append(FakeTask(function, arguments))
        return self.tasks[-1]

    def wait(self, references: list[FakeTask], seconds: float) -> list[FakeTask]:
        self.on_wait()
        return [task for task in references if task.ending is not None]

    def result(self, reference: FakeTask) -> Any:
        if isinstance(reference.ending, Exception):
            raise reference.ending
        return reference.ending

    def cancel(self, reference: FakeTask) -> None:
        reference.cancelled = True

    def ask(self, method: str, *arguments: Any) -> Any:
        if self.lost:
            raise ClusterLost("The connection to the Ray cluster was lost.")
        return getattr(self.mailbox, method)(*arguments)

    def say(self, task: FakeTask, *notes: Note, state: Any = None) -> str:
        """Let a task speak, and return its order."""
        return self.mailbox.exchange(task.job.key, notes, state)[0]

    def begin(self, task: FakeTask, epochs: int = 0) -> None:
        self.say(task, Begun(host="node-7", pid=4711, device="cpu: test", epochs=epochs))
