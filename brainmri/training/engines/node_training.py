"""A run on a node: from the arrays that the driver sent to the record that it stores."""

from __future__ import annotations

import os
import platform
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brainmri.errors import StopRequested
from brainmri.training.architecture_names import find_architecture
from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import write_checkpoint
from brainmri.training.devices import describe_device, measure_gpu, resolve_device, tune_allocator
from brainmri.training.engines.cluster import import_ray
from brainmri.training.engines.link import DriverLink, Exchange
from brainmri.training.engines.messages import (
    PAUSE,
    STOP,
    Beat,
    Begun,
    EpochDone,
    NodeJob,
    NodeNetwork,
    NodeOutcome,
    NodeResult,
    Note,
    Order,
)
from brainmri.training.failures import explain_failure
from brainmri.training.file_names import CHECKPOINT_FILE, STATE_FILE
from brainmri.training.freezing import compute_activations, first_trained_layer
from brainmri.training.loop import Capture, RunResult, train_run
from brainmri.training.settings import TrainingSettings
from brainmri.training.state_pace import StatePace
from brainmri.training.states import TrainingState, read_state, write_state
from brainmri.training.versions import THREADS_KEY, software_versions
from brainmri.training.weights import IMAGENET, weights_folder


class _Paused(Exception):  # noqa: N818 - no failure
    """Somebody asked for a pause, and the state is on its way."""


def run_job(
    job: NodeJob,
    samples: NDArray[np.uint8],
    weights: NDArray[np.uint8] | None,
    activations: NDArray[np.floating] | None,
    state: NDArray[np.uint8] | None,
    mailbox: Any,
) -> NodeOutcome:
    """Do one run; see `brainmri.training.engines.node.train_on_node`."""
    with tempfile.TemporaryDirectory(prefix="brainmri-") as name:
        folder = Path(name)
        try:
            device = _prepare_process(job.network)
            settings = _place_weights(job.network, weights, folder)
            with DriverLink(_exchange(mailbox, job.key), _measure(device)) as link:
                keeper = _StateKeeper(link, folder / STATE_FILE, job.state_key)
                begin_with = keeper.unpack(state)
                epochs = len(begin_with.epochs) if begin_with else 0
                link.say(Begun(host=platform.node(), pid=os.getpid(), device=describe_device(device), epochs=epochs))
                result = train_run(
                    samples,
                    job.labels,
                    job.train,
                    job.test,
                    architecture=job.network.architecture,
                    settings=settings,
                    seed=job.seed,
                    classes=job.network.classes,
                    device=job.network.device,
                    validation=job.validation,
                    activations=activations,
                    state=begin_with,
                    on_epoch=lambda record: link.say(EpochDone(asdict(record))),
                    on_state=keeper.keep,
                    should_stop=lambda: link.order == STOP,
                )
            return NodeOutcome(ending="finished", result=_pack_result(result, job, settings, folder))
        except _Paused:
            return NodeOutcome(ending="paused")
        except StopRequested as error:
            return NodeOutcome(ending="stopped", message=str(error))
        except Exception as error:  # the driver tells why this run failed; the others go on
            message = explain_failure(error, job.run_id)
            return NodeOutcome(ending="failed", message=message, detail=traceback.format_exc())


def compute_node_activations(
    network: NodeNetwork, samples: NDArray[np.uint8], weights: NDArray[np.uint8] | None
) -> NDArray[np.floating]:
    """Compute the activations before the first trained layer, as `brainmri.training.activation_cache` does."""
    device = _prepare_process(network)
    with tempfile.TemporaryDirectory(prefix="brainmri-") as name:
        settings = _place_weights(network, weights, Path(name))
        model = build_model(network.architecture, network.classes, weights=settings.weights)
    return compute_activations(
        model,
        first_trained_layer(find_architecture(network.architecture), settings),
        samples,
        views=settings.cached_views,
        strength=settings.augmentation,
        seed=settings.seed,
        device=device,
    )


class _StateKeeper:
    """Hands the state to the driver every now and then, and where a pause is asked for.

    Parameters
    ----------
    link : DriverLink
    path : Path
        Of a file of this node, for as long as it takes to read it.
    key : str
        What the state is of.
    """

    def __init__(self, link: DriverLink, path: Path, key: str) -> None:
        self._link, self._path, self._key = link, path, key
        self._pace = StatePace()
        self._packing_s: float | None = None

    def unpack(self, state: NDArray[np.uint8] | None) -> TrainingState | None:
        """Return the state to go on from; None where there is none, or it is of another training."""
        if state is None:
            return None
        state.tofile(self._path)
        return read_state(self._path, key=self._key)

    def keep(self, capture: Capture) -> None:
        """Hand the state over where it is due and the last one has arrived: a busy driver gets fewer."""
        paused = self._link.order == PAUSE
        if not paused and not self._is_due():
            return
        started = time.monotonic()
        write_state(self._path, capture(), key=self._key)
        self._link.hand_over(np.fromfile(self._path, dtype=np.uint8))
        self._packing_s = time.monotonic() - started
        if paused:
            raise _Paused

    def _is_due(self) -> bool:
        if self._link.state_waits:
            return False
        if self._packing_s is not None:  # the last state has arrived since
            self._pace.note_stored(self._packing_s + self._link.delivery_s)
            self._packing_s = None
        return self._pace.is_due()


def _prepare_process(network: NodeNetwork) -> torch.device:
    """Make this process compute as a training process of the local engine does."""
    tune_allocator()
    torch.set_num_threads(network.threads)
    return resolve_device(network.device)


def _place_weights(network: NodeNetwork, weights: NDArray[np.uint8] | None, folder: Path) -> TrainingSettings:
    """Put the weight file that came along where `build_model` finds it; return the settings that name it."""
    settings = TrainingSettings.from_dict(network.settings)
    if weights is None or network.weights_name is None:
        return settings
    if settings.weights != IMAGENET:
        path = folder / network.weights_name
        weights.tofile(path)
        return replace(settings, weights=str(path))
    path = weights_folder() / network.weights_name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        weights.tofile(partial)
        partial.replace(path)
    return settings


def _pack_result(result: RunResult, job: NodeJob, settings: TrainingSettings, folder: Path) -> NodeResult:
    """Return the record that goes to the driver."""
    versions = {**software_versions(), **job.meta["versions"], THREADS_KEY: str(torch.get_num_threads())}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    path = folder / CHECKPOINT_FILE
    meta = {**job.meta, "versions": versions, "created_at": created}
    write_checkpoint(path, result.model, meta, settings.checkpoint_dtype)
    names = {field.name for field in fields(NodeResult)} - {"accuracy", "versions", "checkpoint"}
    return NodeResult(
        **{name: getattr(result, name) for name in names},
        accuracy=result.accuracy,
        versions=versions,
        checkpoint=np.fromfile(path, dtype=np.uint8),
    )


def _exchange(mailbox: Any, key: str) -> Exchange:
    """Return the function that speaks with the mailbox."""
    ray = import_ray()

    def exchange(notes: Sequence[Note], state: NDArray[np.uint8] | None) -> tuple[Order, bool]:
        answer: tuple[Order, bool] = ray.get(mailbox.exchange.remote(key, notes, state))
        return answer

    return exchange


def _measure(device: torch.device) -> Callable[[], Beat]:
    """Return a function that measures the GPU, or this process since it was last asked."""
    if device.type == "cuda":
        return lambda: Beat(**measure_gpu(device))  # type: ignore[arg-type]
    last = [time.monotonic(), time.process_time()]

    def measure() -> Beat:
        now = [time.monotonic(), time.process_time()]
        load = (now[1] - last[1]) / max(now[0] - last[0], 1e-9)
        last[:] = now
        return Beat(load=load, memory_bytes=_resident_bytes())

    return measure


def _resident_bytes() -> int | None:
    """Return the memory of this process, where Linux tells it."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
