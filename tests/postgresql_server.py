"""A PostgreSQL server of the tests' own, on loopback, from the programs that Debian's package installs."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final

UNPRIVILEGED: Final = "postgres"
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""

_DEBIAN: Final = Path("/usr/lib/postgresql")


def program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, the newest version's; None where it is not installed."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name)


class PostgreSQL:
    """A server in a temporary folder; without durability, which nobody needs here."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="brainmri-postgresql-"))
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Make the server's folder and start it."""
        data = str(self._folder / "data")
        login = ("--username", "tests", "--auth", "trust")
        self._run("initdb", "--pgdata", data, *login, "--encoding", "UTF8", "--no-sync")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", log, "--options", options)

    def stop(self) -> None:
        """Stop the server and delete its folder."""
        self._run("pg_ctl", "stop", "--pgdata", str(self._folder / "data"), "--mode", "immediate")
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """Return the address of a new, empty database, for SQLAlchemy."""
        import psycopg

        name = f"study{next(self._numbers)}"
        address = f"tests@127.0.0.1:{self._port}"
        with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{address}/{name}"

    def _run(self, name: str, *arguments: str) -> None:
        command = [program(name) or name, *arguments]
        with (self._folder / f"{name}.txt").open("w") as said:  # a pipe would stay open as long as the server
            done = subprocess.run(
                command, check=False, user=self._user, cwd=self._folder, stdout=said, stderr=subprocess.STDOUT
            )
        assert done.returncode == 0, (self._folder / f"{name}.txt").read_text()
