"""A real server and a real Chromium. A missing browser skips with the reason; in CI it fails."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZE = {"width": 1440, "height": 900}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 30


class Server:
    """``streamlit run app.py``, or another script, on a study, on a free port."""

    def __init__(self, study: Path, script: str = "app.py") -> None:
        self.study = study
        self.script = script
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it is healthy."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", self.script, "--server.port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "BRAINMRI_STUDY": str(self.study)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while not self._is_healthy():
            assert self.process.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline, f"the server was not healthy within {START_S} s"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server at once, as a crash does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            self.process.wait()
            self.process = None

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Visitor:
    """A page of the browser, with everything that it asked for and complained about."""

    def __init__(self, page: object, server: Server) -> None:
        self.page = page
        self.server = server
        self.outside: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str = "") -> None:
        """Go to an address of the dashboard and wait until it is drawn."""
        self.page.goto(f"{self.server.address}/{path}")
        self.wait()

    def wait(self) -> None:
        """Wait until the script has run."""
        self.page.wait_for_selector("h1", timeout=20_000)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=20_000)

    def press(self, name: str) -> None:
        """Press a button as a person does, who needs a moment to see that it is there."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.wait_for(timeout=20_000)
        self.page.wait_for_timeout(800)  # a click within some 200 ms after a button was swapped for another is lost
        button.click()

    def _note_request(self, request: object) -> None:
        if not request.url.startswith((self.server.address, f"ws://127.0.0.1:{self.server.port}", "data:", "blob:")):
            self.outside.append(request.url)

    def _note_message(self, message: object) -> None:
        # On a page's own address Streamlit's browser side looks for its server below that address first: 404, harmless.
        probe = "_stcore/" in str(message.location.get("url", ""))
        if message.type == "error" and not probe:
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")


def chromium_path() -> str | None:
    """Return where a Chromium is installed; None where there is none."""
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Return a running Chromium."""
    path = chromium_path()
    if path is None:
        reason = f"no browser: none of {', '.join(CHROMIUM_NAMES)} is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: object) -> Iterator[object]:
    """Return a function that starts a server on a study and returns a visitor of it."""
    servers: list[Server] = []
    contexts: list[object] = []

    def visitor(study: Path) -> Visitor:
        server = Server(study)
        servers.append(server)
        server.start()
        contexts.append(chromium.new_context(viewport=SIZE))
        return Visitor(contexts[-1].new_page(), server)

    yield visitor
    for context in contexts:
        context.close()
    for server in servers:
        server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
