"""A Ray cluster of several nodes on this one machine, ended whatever happens."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

_STORE_BYTES = 256 << 20
"""Of a node's object store: room for some states of 50 MB."""
_START_S = 60
# A killed node refuses connections: noticed after some 4 s. A busy one answers late: it has 40 s.
_LOSS_IS_NOTICED_SOON = {
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "10000",
    "RAY_health_check_failure_threshold": "4",
}


class RayNodes:
    """A head and nodes, one processor core each; a context manager.

    Ray listens on all of a machine's addresses, so every process needs the token of the cluster.

    Parameters
    ----------
    folder : Path
        For what the nodes print.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = Path(tempfile.mkdtemp(prefix="ray"))  # short: paths of sockets have 107 characters at most
        self._port = _free_port()
        self._nodes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            **_LOSS_IS_NOTICED_SOON,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": str(self._temporary),
        }
        """Of every process that belongs to the cluster or talks to it."""
        self.address = f"127.0.0.1:{self._port}"

    def __enter__(self) -> RayNodes:
        try:
            self.start("--head", "--port", str(self._port), "--include-dashboard", "false")
            return self
        except BaseException:
            self._end()
            raise

    def __exit__(self, *_error: object) -> None:
        self._end()

    def join(self) -> int:
        """Start a further node and return its number."""
        return self.start("--address", self.address)

    def start(self, *options: str) -> int:
        """Start a node, wait until it says that it has, and return its number."""
        number = len(self._nodes)
        log = self._folder / f"node-{number}.log"
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, "--block", "--num-cpus", "1"]
        with log.open("wb") as stream:
            self._nodes.append(
                subprocess.Popen(
                    [*command, "--num-gpus", "0", "--object-store-memory", str(_STORE_BYTES)],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                )
            )
        deadline = time.monotonic() + _START_S
        while "Ray runtime started" not in log.read_text(encoding="utf-8"):
            assert self._nodes[-1].poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        return number

    def kill(self, number: int) -> None:
        """End a node at once with all its processes, as a machine that loses power."""
        process = self._nodes[number]
        if process.poll() is None:
            node = psutil.Process(process.pid)
            family = [node, *node.children(recursive=True)]
            for one in family:
                one.suspend()  # none must notice that others are gone, and say so
            for one in family:
                one.kill()
        process.wait()

    def _end(self) -> None:
        for number in range(len(self._nodes)):
            self.kill(number)
        _end_processes_of(self._temporary)
        shutil.rmtree(self._temporary, ignore_errors=True)


def _end_processes_of(folder: Path) -> None:
    """End what is left of a cluster, found by its folder, which no other has."""
    for process in psutil.process_iter():
        try:
            if any(str(folder) in word for word in process.cmdline()):
                process.kill()
        except psutil.Error:  # gone meanwhile, or somebody else's
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
