"""Readers behind the instructor's key, in Chromium: addresses typed by hand, reloads, and the key itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brainmri.people.passphrase import KEY_VARIABLE
from tests.browser.conftest import Visitor
from tests.pages.filled import make_filled_study

pytestmark = pytest.mark.browser

KEY = "correct horse"
SHUT = ("", "cases", "training", "results", "review?experiment=exp-001&case=case-0001", "no-such-page")


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visit: Callable[[Path], Visitor]) -> Visitor:
    """Return a visitor of a study behind a key."""
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    make_filled_study(tmp_path / "secret-study")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return visit(tmp_path / "secret-study")


def headings(visitor: Visitor) -> list[str]:
    return [one.inner_text() for one in visitor.page.query_selector_all("h1")]


def links(visitor: Visitor) -> int:
    return len(visitor.page.query_selector_all('[data-testid="stSidebarNavLink"]'))


def test_a_reader_who_types_addresses_sees_the_teaching_page_alone(reader: Visitor) -> None:
    received: list[str] = []
    reader.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
    for path in SHUT:
        reader.open(path)
        reader.page.wait_for_function("location.pathname === '/teaching'", timeout=20_000)
        reader.wait()
        assert headings(reader) == ["Teaching"], path
        assert links(reader) == 0
    reader.page.reload()
    reader.wait()
    assert headings(reader) == ["Teaching"]
    told = "".join(received)
    assert "Join a session" in told, "what is drawn goes through the socket that is listened to"
    assert [word for word in ("case-0001", "exp-001", "secret-study", "glioblastoma") if word in told] == []
    unknown = [one for one in reader.complaints if "does not seem to exist" in one]
    assert reader.outside == [] and reader.complaints == unknown and len(unknown) == 1


def test_the_key_opens_the_other_pages_until_the_page_is_loaded_again(reader: Visitor) -> None:
    reader.open("teaching?code=ABC234")
    reader.page.get_by_text("Instructor", exact=True).click()
    reader.page.get_by_label("Key").fill(KEY)
    reader.press("Open all pages")
    reader.page.get_by_role("link", name="Training").click()
    reader.page.wait_for_selector("h1:has-text('Training')", timeout=20_000)
    reader.page.wait_for_selector("button:has-text('Start training')", state="attached", timeout=20_000)
    reader.page.reload()
    reader.page.wait_for_function("location.pathname === '/teaching'", timeout=20_000)
    reader.wait()
    assert headings(reader) == ["Teaching"] and links(reader) == 0
    assert KEY not in reader.page.url
