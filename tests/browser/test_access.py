"""Who sees what, in Chromium: behind the instructor's key and behind a sign-in, with addresses typed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from brainmri.people.passphrase import KEY_VARIABLE
from brainmri.people.roles import grant, revoke
from brainmri.study import Study, open_study
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


SECRET = "a secret of forty characters, and no less"


def sign_in(visitor: Visitor, email: str, *, secret: str = SECRET, **claims: object) -> None:
    """Give the browser the cookie that Streamlit sets after a sign-in with OpenID Connect."""
    signing = pytest.importorskip("streamlit.web.server.starlette.starlette_app_utils")
    claims = {"origin": visitor.server.address, "is_logged_in": True, "email": email, "email_verified": True, **claims}
    value = signing.create_signed_value(secret, "_streamlit_user", json.dumps(claims)).decode()
    visitor.page.context.add_cookies(
        [{"name": "_streamlit_user", "value": value, "url": visitor.server.address, "httpOnly": True}]
    )


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visit: Callable[[Path], Visitor]) -> tuple[Visitor, Study]:
    """Return a visitor of a study behind a sign-in, and the study."""
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    make_filled_study(tmp_path / "secret-study")
    secrets = tmp_path / "secrets.toml"
    settings = {
        "redirect_uri": "http://127.0.0.1/oauth2callback",
        "cookie_secret": SECRET,
        "client_id": "brainmri",
        "client_secret": "none",
        "server_metadata_url": "https://id.example/.well-known/openid-configuration",
    }
    secrets.write_text("[auth]\n" + "\n".join(f'{name} = "{value}"' for name, value in settings.items()))
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(secrets))
    return visit(tmp_path / "secret-study"), open_study(tmp_path / "secret-study")


def test_roles_of_a_sign_in_open_and_shut_the_pages(signed: tuple[Visitor, Study]) -> None:
    visitor, study = signed
    visitor.open("training")
    assert visitor.page.get_by_role("button", name="Sign in").is_visible()
    sign_in(visitor, "abe@h.example", secret="another secret of forty characters or more")
    visitor.open("training")
    assert visitor.page.get_by_role("button", name="Sign in").is_visible(), "a forged cookie is nobody's"
    sign_in(visitor, "Abe@h.example")
    visitor.open("training")
    visitor.page.get_by_text("no role in this study yet").wait_for(timeout=20_000)
    assert links(visitor) == 0
    grant(study, "abe@h.example", ["reviewer"], by="test", name="Abe")
    visitor.press("Look again")
    visitor.page.wait_for_selector("h1:has-text('Training')", timeout=20_000)
    visitor.wait()
    assert links(visitor) == 6
    assert visitor.page.query_selector("button:has-text('Start training')") is None
    revoke(study, "abe@h.example", ["reviewer"], by="test")
    grant(study, "abe@h.example", ["reader"], by="test")
    visitor.open("review?experiment=exp-001&case=case-0001")
    visitor.page.wait_for_function("location.pathname === '/teaching'", timeout=20_000)
    visitor.wait()
    assert headings(visitor) == ["Teaching"] and links(visitor) == 0
    name = visitor.page.get_by_role("textbox", name="Your name, from your sign-in")
    expect(name).to_have_value("Abe", timeout=20_000)
