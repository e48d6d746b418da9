"""The sign-in with OpenID Connect from end to end: a real provider on this computer, a real server, a real Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from brainmri.people.passphrase import KEY_VARIABLE
from brainmri.people.roles import grant
from brainmri.study import Study
from brainmri.teaching.choosing import Wish, choose_cases
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import Reader
from brainmri.teaching.sessions import create_session
from tests.browser.conftest import ROOT, START_S, Server, Visitor, _free_port
from tests.pages.filled import make_filled_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

for _name in ("authlib", "httpx", "oidc_provider_mock"):  # they run in other processes, and are not imported here
    if find_spec(_name) is None:
        pytest.skip(f"{_name} is not installed: pip install -r requirements-dev.txt", allow_module_level=True)

SIZE = {"width": 1280, "height": 720}
PAGES = ("Overview", "Cases", "Training", "Results", "Case review", "Teaching")
SHUT = ("", "training", "review?experiment=exp-001&case=case-0001")
ENTRANCE = (
    "brainmri",
    "Sign in to open this study",
    "What you see then depends on the role that you have in it.",
    "Sign in",
)
STYLE = "https://cdn.jsdelivr.net/"
"""Where the provider's own pages look for their style; nothing is fetched from there."""

WAIT_MS = 20_000


class Provider:
    """An OpenID provider on this computer, which takes any name without a password."""

    def __init__(self) -> None:
        port = _free_port()
        self.address = f"http://localhost:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def metadata(self) -> str:
        return f"{self.address}/.well-known/openid-configuration"

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(self.metadata, timeout=1):
                    return
            except OSError:
                assert self.process.poll() is None, "the provider ended at once"
                assert time.monotonic() < deadline, f"the provider did not answer within {START_S} s"
                time.sleep(0.05)

    def know(self, sub: str, **claims: object) -> None:
        """Take claims for a person; sub is what is typed when signing in."""
        request = urllib.request.Request(
            f"{self.address}/users/{quote(sub, safe='')}",
            data=json.dumps(claims).encode(),
            method="PUT",
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 204


class Caller(Visitor):
    """A visitor who can sign in, with all that the server tells their browser."""

    def __init__(self, page: object, server: Server) -> None:
        super().__init__(page, server)
        self.received: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda one: self.received.append(str(one))))

    def sign_in(self, sub: str, **claims: object) -> None:
        """Press *Sign in* and give a name to the provider."""
        self.press("Sign in")
        self.page.locator("input[name=sub]").fill(sub)
        self.page.get_by_role("button", name="Authorize", exact=True).click()
        self.page.wait_for_url(f"{self.server.address}/**")

    def sign_out(self) -> None:
        """Press *Sign out* and confirm it to the provider."""
        self.press("Sign out")
        self.page.get_by_role("button", name="End session", exact=True).click()
        self.page.wait_for_url(f"{self.server.address}/**")
        self.see_heading("Sign in to open this study", level=3)

    def see_heading(self, text: str, level: int = 1) -> None:
        heading = self.page.get_by_role("heading", name=text, level=level, exact=True)
        expect(heading).to_be_visible(timeout=WAIT_MS)
        self.wait()

    def turn_to(self, title: str) -> None:
        """Choose a page in the sidebar."""
        self.page.locator('[data-testid="stSidebarNavLink"]', has_text=title).click()

    def see_lines(self, *expected: str) -> None:
        """Wait until this, and nothing else, stands on the page."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while (lines := self._lines()) != list(expected):
            assert time.monotonic() < deadline, lines
            self.page.wait_for_timeout(50)

    def _lines(self) -> list[str]:
        text = self.page.locator('[data-testid="stMain"]').inner_text()
        icons = {one.inner_text() for one in self.page.query_selector_all('[data-testid="stIconMaterial"]')}
        return [line for line in (one.strip() for one in text.splitlines()) if line and line not in icons]

    def kept(self) -> str | None:
        """Return the address that waits for the sign-in."""
        return self.page.evaluate("sessionStorage.getItem('brainmri-asked-for')")

    def names(self) -> str:
        """Return who the sidebar says is signed in."""
        line = self.page.locator('[data-testid="stSidebarUserContent"] p', has_text="person")
        return line.inner_text().removeprefix("person").strip()  # the icon is a letter of its font

    def links(self) -> list[str]:
        return [one.inner_text() for one in self.page.query_selector_all('[data-testid="stSidebarNavLink"] p')]


@dataclass(frozen=True)
class Site:
    """A study behind a sign-in."""

    study: Study
    server: Server
    provider: Provider
    code: str
    """Of an open reading session."""


@pytest.fixture(scope="module")
def site(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a study behind a sign-in, with one instructor and an open reading session."""
    folder = tmp_path_factory.mktemp("sign-in")
    provider = Provider()
    server = Server(folder / "secret-study")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("BRAINMRI_DATABASE_URL", "BRAINMRI_SIGN_IN_CLAIM", KEY_VARIABLE):
                patch.delenv(name, raising=False)
            patch.setenv("STREAMLIT_SECRETS_FILES", str(_write_secrets(folder / "secrets.toml", provider)))
            study = make_filled_study(server.study)
            grant(study, "sato@h.example", ["instructor"], by="test", name="Dr Sato")
            cases = choose_cases(study, "exp-001", Wish(count=2, seed=1))
            session = create_session(
                study, SessionPlan(), cases, title="Tuesday", author="Dr Sato", experiment_id="exp-001"
            )
            provider.wait()
            server.start()
            yield Site(study, server, provider, session.code)
    finally:
        server.kill()
        provider.process.terminate()
        provider.process.wait(timeout=10)


def _write_secrets(file: Path, provider: Provider) -> Path:
    settings = {
        "redirect_uri": "http://127.0.0.1:{port}/oauth2callback",  # Streamlit puts its port there
        "cookie_secret": "a secret of forty characters, and no less",
        "client_id": "brainmri",
        "client_secret": "none",
        "server_metadata_url": provider.metadata,
    }
    file.write_text("[auth]\n" + "\n".join(f'{name} = "{value}"' for name, value in settings.items()))
    return file


@pytest.fixture(scope="module")
def context(chromium: object) -> Iterator[object]:
    """Return a browser that holds the scripts of the pages, which take seconds to load anew."""
    context = chromium.new_context(viewport=SIZE)
    context.route(f"{STYLE}**", lambda route: route.fulfill(body=""))
    yield context
    context.close()


@pytest.fixture
def come(site: Site, context: object) -> Iterator[Callable[[], Caller]]:
    """Return a function that opens a tab without cookies; afterwards nobody complained or asked for things outside."""
    callers: list[Caller] = []

    def caller() -> Caller:
        context.clear_cookies()
        callers.append(Caller(context.new_page(), site.server))
        return callers[-1]

    yield caller
    theirs = (site.provider.address, STYLE)
    for one in callers:
        one.page.close()
        assert [address for address in one.outside if not address.startswith(theirs)] == []
        assert [text for text in one.complaints if not any(address in text for address in theirs)] == []


def test_a_stranger_is_told_whom_to_ask_and_nothing_else(site: Site, come: Callable[[], Caller]) -> None:
    stranger = come()
    site.provider.know("stranger", email="New@h.example", email_verified=True, name="Dr Sato")
    stranger.open("training")
    stranger.see_lines(*ENTRANCE)
    stranger.sign_in("stranger")
    for address in (*SHUT[1:], "teaching?code=ABC234"):  # they are at the first one
        stranger.open(address)
        stranger.see_heading("You are signed in, and have no role in this study yet", level=3)
        stranger.see_lines(
            "brainmri",
            "You are signed in, and have no role in this study yet",
            "Ask Dr Sato. They need to know how the sign-in names you:",
            "new@h.example",
            "Roles are given on the computer that runs brainmri; in place of reader also instructor, reviewer or "
            "may-train:",
            "python -m brainmri people grant new@h.example reader",
            "Look again",
            "Sign out",
        )
        assert stranger.links() == []
    told = "".join(stranger.received)
    assert "Ask Dr Sato." in told, "what is drawn goes through the socket that is listened to"
    assert [word for word in ("case-0001", "exp-001", "secret-study", "glioblastoma", "Tuesday") if word in told] == []


def test_the_command_line_makes_an_instructor_who_reaches_all_pages(site: Site, come: Callable[[], Caller]) -> None:
    mori = come()
    site.provider.know("mori", email="mori@h.example", email_verified=True)
    mori.open("review?experiment=exp-001&case=case-0002")
    mori.sign_in("mori")
    mori.see_heading("You are signed in, and have no role in this study yet", level=3)
    subprocess.run(
        [sys.executable, "-m", "brainmri", "people", "grant", "Mori@h.example", "instructor", "--name", "Dr Mori"],
        cwd=ROOT,
        env={**os.environ, "BRAINMRI_STUDY": str(site.study.folder)},
        check=True,
        capture_output=True,
    )
    mori.press("Look again")
    mori.see_heading("Case review")
    assert "case=case-0002" in mori.page.url, "the address that was asked for outlives the sign-in"
    assert mori.kept() is None, "it leads there once"
    assert tuple(mori.links()) == PAGES
    assert mori.names() == "Dr Mori"
    for title in PAGES:
        mori.turn_to(title)
        mori.see_heading(title)
        assert mori.page.query_selector('[data-testid="stException"]') is None
    expect(mori.page.get_by_role("heading", name="Make a session")).to_be_visible(timeout=WAIT_MS)


def test_a_reader_comes_by_the_link_of_a_session_and_sees_nothing_but_it(
    site: Site, come: Callable[[], Caller]
) -> None:
    abe = come()
    grant(site.study, "abe@h.example", ["reader"], by="test", name="Abe")
    site.provider.know("abe", email="abe@h.example", email_verified=True, name="Another Name")
    abe.open(f"teaching?code={site.code}")
    abe.sign_in("abe")
    expect(abe.page.get_by_role("textbox", name="Code")).to_have_value(site.code, timeout=WAIT_MS)
    name = abe.page.get_by_role("textbox", name="Your name, from your sign-in")
    expect(name).to_be_disabled()
    expect(name).to_have_value("Abe")
    abe.press("Join")
    expect(abe.page.locator("h1", has_text="Case 1 of 2")).to_be_visible(timeout=WAIT_MS)
    with site.study.session() as session:
        (reader,) = session.scalars(select(Reader))
    assert (reader.name, reader.subject) == ("Abe", "abe@h.example")
    for address in SHUT:
        abe.open(address)
        abe.page.wait_for_function("location.pathname === '/teaching'", timeout=WAIT_MS)
        abe.see_heading("Teaching")
        assert abe.links() == []
    told = "".join(abe.received)
    assert "Join a session" in told
    assert [word for word in ("case-0001", "exp-001", "secret-study", "glioblastoma") if word in told] == []


def test_who_signs_out_is_out_and_leaves_nothing_to_the_next(site: Site, come: Callable[[], Caller]) -> None:
    browser = come()
    site.provider.know("sato", email="sato@h.example", email_verified=True)
    browser.open()
    browser.sign_in("sato")
    browser.see_heading("Overview")
    browser.turn_to("Cases")
    browser.see_heading("Cases")
    browser.sign_out()
    assert [one["name"] for one in browser.page.context.cookies() if "streamlit_user" in one["name"]] == []
    assert browser.kept() is None, "the next one is not led to the page that was left"
    told = len(browser.received)
    browser.open("training")
    browser.see_lines(*ENTRANCE)
    later = "".join(browser.received[told:])
    assert "Sign in to open this study" in later and "Dr Sato" not in later and "secret-study" not in later


def test_who_is_refused_by_the_provider_stays_outside_and_may_try_again(site: Site, come: Callable[[], Caller]) -> None:
    browser = come()
    browser.open("results")
    browser.press("Sign in")
    browser.page.get_by_role("button", name="Deny", exact=True).click()
    browser.page.wait_for_url(f"{site.server.address}/**")
    browser.see_heading("Sign in to open this study", level=3)
    assert browser.page.get_by_role("button", name="Sign in").is_enabled()
    assert browser.kept() == f"{site.server.address}/results", "for the next try"


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}])
def test_an_address_that_is_not_confirmed_is_nobodys(
    claims: dict[str, object], site: Site, come: Callable[[], Caller]
) -> None:
    impostor = come()
    site.provider.know("impostor", email="sato@h.example", name="Dr Sato", **claims)
    impostor.open("training")
    impostor.sign_in("impostor")
    impostor.see_heading("Your sign-in does not say who you are", level=3)
    assert impostor.links() == []
    told = "".join(impostor.received)
    assert "does not say who you are" in told and "exp-001" not in told and "secret-study" not in told
