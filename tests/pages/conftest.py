"""The dashboard, driven through app.py on an empty and on a filled study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from brainmri.study import Study
from tests.pages.filled import make_filled_study

APP = Path(__file__).resolve().parents[2] / "app.py"

OpenPage = Callable[..., AppTest]


@pytest.fixture
def empty_study(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return an empty study that the dashboard opens."""
    monkeypatch.setenv("BRAINMRI_STUDY", str(study.folder))
    return study


@pytest.fixture
def filled_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a filled study that the dashboard opens."""
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    monkeypatch.setenv("BRAINMRI_STUDY", str(tmp_path / "filled"))
    return make_filled_study(tmp_path / "filled")


@pytest.fixture
def open_page() -> OpenPage:
    """Return a function that opens a page by its name, with what its address carries, and checks that nothing broke."""

    def opened(name: str = "overview", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if name != "overview":
            for key, value in query.items():
                app.query_params[key] = value
            app.switch_page(f"pages/{name}.py").run()
        assert not app.exception, [one.message for one in app.exception]
        return app

    return opened


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], str | None]]:
    """Return a list that takes the background tasks that a page starts, in place of processes."""
    calls: list[tuple[str, list[str], str | None]] = []

    def start(study: Study, kind: str, arguments: list[str], *, subject: str | None = None) -> int:
        calls.append((kind, list(arguments), subject))
        return len(calls)

    monkeypatch.setattr("brainmri.tasks.start", start)
    return calls
