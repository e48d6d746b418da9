"""What a timer sends while a page is drawn is older than the page, and must not set it back."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZE, Server, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_timer_sets_neither_the_address_nor_a_control_back(chromium, tmp_path) -> None:
    server = Server(tmp_path, str(Path(__file__).with_name("timer_page.py")))
    server.start()
    context = chromium.new_context(viewport=SIZE)
    visitor = Visitor(context.new_page(), server)
    try:
        visitor.open()
        for number in range(1, 7):
            visitor.press("Next")
            expect(visitor.page.locator("h1")).to_have_text(f"case-{number}", timeout=10_000)
            expect(visitor.page.get_by_text(f"Drawn again for {number + 1} cases")).to_be_visible(timeout=10_000)
            expect(visitor.page.get_by_text(f"Noted case-{number}")).to_be_visible(timeout=10_000)
        visitor.page.wait_for_timeout(1000)
        assert sorted(urlsplit(visitor.page.url).query.split("&")) == ["case=case-6", "noted=case-6"]
        expect(visitor.page.locator("h1")).to_have_text("case-6")
    finally:
        context.close()
        server.kill()
