"""Training as a job: several processes that share the experiment's queue, watched by this one. Imports no torch."""

from __future__ import annotations

import ctypes.util
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Final

from brainmri import tasks
from brainmri.errors import TrainingError
from brainmri.study import Study
from brainmri.tasks import Progress
from brainmri.training import run_queue
from brainmri.training.experiments import read_experiment
from brainmri.training.heartbeats import list_workers
from brainmri.training.monitor import ExperimentProgress, experiment_progress, has_process
from brainmri.training.records import FAILED, STOPPED
from brainmri.training.settings import TrainingSettings

_POLL_S: Final = 0.25
_REPORT_S: Final = 0.5
_WAIT_S: Final = 2.0
"""How often a worker with nothing to do looks for runs."""
_STOP_GRACE_S: Final = 30
"""How long a process may take to end its batch and its row after a request to stop."""
_MOST_DEATHS: Final = 3
"""Processes that may die over one run before it has failed, and without a run before the whole is given up."""
_GPU_DRIVERS: Final = ("cuda", "nvcuda", "amdhip64")


def work(
    study: Study,
    experiment_id: str,
    *,
    after_run: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    task_id: int | None = None,
) -> None:
    """Do all runs of an experiment that are not finished.

    These are queued, stopped, failed, or left behind by a process that is gone.

    Parameters
    ----------
    study : Study
    experiment_id : str
    after_run : str, optional
        ``module:function``, called with (study, run_id) in the training process after every finished run.
    progress : callable, optional
    stop : callable, optional
        Returns True where somebody asked for a stop. `request_stop` has the same effect.
    task_id : int, optional
        Background task that this process is.

    Raises
    ------
    TrainingError
        For an unknown experiment, or where training processes cannot start.
    """
    settings = TrainingSettings.from_dict(read_experiment(study, experiment_id).settings)
    asked_before = run_queue.stop_requested(study, experiment_id)
    if recover(study, experiment_id):
        asked_before = False  # the request was to the processes that are gone
    if not asked_before:
        resume_experiment(study, experiment_id)
    crew = _Crew(study, experiment_id, settings.processes, settings.device, after_run, task_id)

    def report() -> None:
        state = experiment_progress(study, experiment_id)
        (progress or _ignore)(state.fraction, describe_progress(state))

    try:
        crew.run(report, lambda: (stop or _never)() or run_queue.stop_requested(study, experiment_id))
    finally:
        crew.end()
        if crew.stopping:
            run_queue.stop_queued(study, experiment_id)
        run_queue.set_stop(study, experiment_id, requested=False)


def work_queue(
    study: Study,
    *,
    processes: int = 0,
    device: str = "auto",
    after_run: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    task_id: int | None = None,
    wait: bool = False,
) -> None:
    """Do the queued runs of all experiments, together with other workers on this machine and elsewhere.

    A stop puts the runs in hand back into the queue, with the epochs that are finished.

    Parameters
    ----------
    study : Study
    processes : int
        That train at once; 0 chooses for this machine.
    device : {'auto', 'cpu', 'cuda'}
    after_run, progress, stop, task_id
        As in `work`.
    wait : bool
        Wait for further runs where none is left, until somebody asks for a stop.

    Raises
    ------
    TrainingError
        Where training processes cannot start.
    """
    asked = stop or _never
    while True:
        recover(study, None)
        crew = _Crew(study, None, processes, device, after_run, task_id)
        try:
            crew.run(lambda: _report_queue(study, progress or _ignore), asked)
        finally:
            crew.end()
        _settle_stops(study)
        if asked() or not wait:
            return
        (progress or _ignore)(0.0, "Waiting for runs")
        time.sleep(_WAIT_S)


def ensure_worker(study: Study) -> None:
    """Start a worker on this machine as a background task, unless one is at work or nothing waits."""
    if not run_queue.queued_runs(study, None) or tasks.is_running(study, tasks.WORKER):
        return
    if any(worker.experiment_id is None for worker in list_workers(study)):
        return
    tasks.start(study, tasks.WORKER, ["worker"])


def request_stop(study: Study, experiment_id: str) -> None:
    """Ask for a stop: running runs end at their next batch, waiting ones are not begun; `work` can go on later."""
    read_experiment(study, experiment_id)
    recover(study, experiment_id)
    works = has_process(study, experiment_id)
    run_queue.stop_queued(study, experiment_id)
    run_queue.set_stop(study, experiment_id, requested=works)


def pause(study: Study, experiment_id: str) -> None:
    """Pause an experiment: runs at work go back into the queue at the end of their epoch, and none is begun."""
    read_experiment(study, experiment_id)
    run_queue.set_paused(study, experiment_id, paused=True)


def resume_experiment(study: Study, experiment_id: str) -> list[str]:
    """Put stopped and failed runs back into the queue, end a pause, and return the runs' identifiers."""
    run_queue.set_stop(study, experiment_id, requested=False)
    run_queue.set_paused(study, experiment_id, paused=False)
    return run_queue.requeue_unfinished(study, experiment_id)


def recover(study: Study, experiment_id: str | None) -> list[str]:
    """Put runs back into the queue whose process is gone, and return their identifiers; None: of all experiments."""
    return run_queue.requeue_abandoned(study, experiment_id)


class _Crew:
    """The training processes of this one: for one experiment, or for all."""

    def __init__(
        self,
        study: Study,
        experiment_id: str | None,
        processes: int,
        device: str,
        after_run: str | None,
        task_id: int | None,
    ) -> None:
        self._study, self._experiment_id, self._device = study, experiment_id, device
        self._after_run, self._task_id = after_run, task_id
        self._context = multiprocessing.get_context("spawn")  # fork after torch has computed hangs
        self._stop: Event = self._context.Event()
        self._size = _process_count(processes, device)
        self._threads = _thread_count(min(self._size, run_queue.queued_runs(study, experiment_id)))
        self._processes: list[BaseProcess] = []
        self._idle_deaths = 0
        self._deaths: Counter[str] = Counter()

    @property
    def stopping(self) -> bool:
        """Whether the processes have been asked to end."""
        return self._stop.is_set()

    def run(self, report: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Start the processes and watch them until the queue is empty or somebody asks for a stop."""
        reported_at = 0.0
        self._start_missing()
        while self._processes:
            if not self.stopping and stop():
                self._stop.set()
            time.sleep(_POLL_S)
            self._bury_dead()
            self._start_missing()
            if time.monotonic() - reported_at >= _REPORT_S and not self.stopping:
                reported_at = time.monotonic()
                report()

    def end(self) -> None:
        """See to it that no process is left; what one still had in hand is stopped, or goes back into the queue."""
        if not self._processes:
            return
        self._stop.set()
        deadline = time.monotonic() + _STOP_GRACE_S
        for process in self._processes:
            process.join(max(deadline - time.monotonic(), 0.1))
            if process.is_alive():
                process.kill()
                process.join()
            run = run_queue.run_of_process(self._study, self._experiment_id, process.pid or -1)
            if run is not None and self._experiment_id is None:
                run_queue.put_back(self._study, run)
            elif run is not None:
                run_queue.end_run(self._study, run, STOPPED, "The training was stopped before this run's end.")
        self._processes = []

    def _start_missing(self) -> None:
        """Start processes up to the crew's size, no more than there are runs waiting."""
        if self.stopping:
            return
        wanted = min(self._size - len(self._processes), run_queue.queued_runs(self._study, self._experiment_id))
        for _ in range(wanted):
            self._processes.append(self._start_one())

    def _start_one(self) -> BaseProcess:
        process = self._context.Process(
            target=_serve,
            args=(
                str(self._study.folder),
                self._experiment_id,
                self._stop,
                self._after_run,
                self._task_id,
                self._device,
            ),
            name=f"brainmri {self._experiment_id or 'worker'}",
            daemon=True,
        )
        with _environment(OMP_NUM_THREADS=str(self._threads), **_large_pages()):  # both are read at a process's start
            process.start()
        return process

    def _bury_dead(self) -> None:
        """Forget ended processes; a run that one leaves behind goes on in another, unless that keeps happening."""
        for process in [one for one in self._processes if not one.is_alive()]:
            self._processes.remove(process)
            if process.exitcode == 0:
                continue
            run = run_queue.run_of_process(self._study, self._experiment_id, process.pid or -1)
            if run is None:
                self._idle_deaths += 1
            else:
                self._deaths[run.run_id] += 1
                if self._deaths[run.run_id] < _MOST_DEATHS:
                    run_queue.put_back(self._study, run)
                else:
                    run_queue.end_run(self._study, run, FAILED, _death_message(process.exitcode))
            if self._idle_deaths >= _MOST_DEATHS:
                raise TrainingError(
                    f"Training processes end before they take a run (exit code {process.exitcode}). Look at what they "
                    f"print, in the terminal or in the folder {self._study.folder / 'logs'}."
                )


def describe_progress(state: ExperimentProgress) -> str:
    """Return a line for people. The time left is for the reader of the progress to tell: once, for the whole work."""
    return f"{state.finished} of {state.total} runs finished"


def _serve(
    folder: str, experiment_id: str | None, stop: Event, after_run: str | None, task_id: int | None, device: str
) -> None:
    """Start point of a training process: torch is imported here, after its environment is set."""
    from pathlib import Path  # noqa: PLC0415

    from brainmri.training.worker import serve  # noqa: PLC0415

    serve(Path(folder), experiment_id, stop, after_run, task_id, device)


def _report_queue(study: Study, progress: Progress) -> None:
    """Tell how far the experiments are that have runs at work or waiting."""
    states = [experiment_progress(study, one) for one in run_queue.open_experiments(study)]
    if states:
        fraction = sum(state.fraction for state in states) / len(states)
        progress(fraction, "; ".join(f"{one.experiment_id}: {describe_progress(one)}" for one in states))


def _settle_stops(study: Study) -> None:
    """Take requests to stop back where nothing is left that could."""
    for experiment_id in run_queue.stopping_experiments(study):
        if not has_process(study, experiment_id):
            run_queue.set_stop(study, experiment_id, requested=False)


def _process_count(processes: int, device: str) -> int:
    """Return how many processes train at once: as set, else one a core, or one where a GPU trains."""
    if processes:
        return processes
    return 1 if device != "cpu" and _gpu_found() else max(1, _cores())


def _thread_count(processes: int) -> int:
    """Return the threads of a process: the cores shared out. One thread each is the fastest way to use all of them."""
    return max(1, _cores() // max(1, processes))


def _cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpu_found() -> bool:
    """Return whether torch can train on a GPU; asked only where a driver is installed, as importing torch takes 2 s."""
    if not any(ctypes.util.find_library(name) for name in _GPU_DRIVERS):
        return False
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())


def _death_message(exitcode: int | None) -> str:
    how = f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"exit code {exitcode}"
    return (
        f"The training process was ended from outside or crashed ({how}), {_MOST_DEATHS} times over this run; most "
        "often memory ran out. Close other programs, or choose a smaller batch size or fewer processes, and go on with "
        "the experiment."
    )


def _large_pages() -> dict[str, str]:
    """Let glibc ask for memory pages of 2 MB, unless its settings are made already; elsewhere without effect.

    Training on a processor is 4 % (GoogLeNet) to 12 % (AlexNet) faster with them.
    """
    return {"GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set environment variables for the block, so that a process started in it inherits them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ignore(_fraction: float, _step: str) -> None:
    return None


def _never() -> bool:
    return False
