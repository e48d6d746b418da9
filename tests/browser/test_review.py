"""The review page in a real Chromium: the walk from case to case with the keyboard alone, and links to a list."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from brainmri.review.findings import read_findings
from brainmri.review.worklist import read_worklist
from brainmri.study import Study
from tests.browser.conftest import SIZE, Server, Visitor
from tests.browser.test_viewer import explained  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser

EXPERIMENT = "exp-001"


@pytest.fixture(scope="module")
def server(explained: Study):  # noqa: F811
    server = Server(explained.folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def visitor(chromium, server: Server):
    context = chromium.new_context(viewport=SIZE)
    yield Visitor(context.new_page(), server)
    context.close()


class Reviewer:
    """Somebody at the review page with a keyboard and no mouse."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self.page = visitor.page
        visitor.open(path)
        self.settle()

    def settle(self) -> None:
        expect(self.page.locator("canvas[data-name=T1c]")).to_be_visible(timeout=20_000)
        expect(self.page.locator(".st-key-finding-save button").first).to_be_visible(timeout=20_000)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_timeout(700)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.page.wait_for_timeout(200)

    def go(self, key: str, case_id: str) -> None:
        self.page.keyboard.press(key)
        self.page.wait_for_function("name => location.search.includes(name)", arg=case_id, timeout=10_000)
        expect(self.page.get_by_text(case_id).first).to_be_visible()
        self.settle()

    def window(self) -> str:
        return self.page.locator("canvas[data-name=T1]").evaluate("canvas => canvas.toDataURL()")


def test_a_case_is_found_judged_and_noted_with_the_keyboard_alone(visitor: Visitor, explained: Study) -> None:  # noqa: F811
    order = [row.case_id for row in read_worklist(explained, EXPERIMENT).rows]
    reviewer = Reviewer(visitor, "review")
    page = reviewer.page
    assert order[0] in page.url
    reviewer.go("n", order[1])
    reviewer.go("n", order[2])
    reviewer.go("p", order[1])
    overlay = page.locator("[data-part=overlay]")
    if overlay.is_enabled():
        reviewer.press("o")
        expect(overlay).to_have_attribute("aria-pressed", "false")
    before = reviewer.window()
    reviewer.press("v")
    for _ in range(4):
        reviewer.press("Shift+ArrowUp")
    assert reviewer.window() != before
    reviewer.press("3")
    reviewer.press("3")  # a second press takes nothing back
    reviewer.press("e")
    expect(page.locator(".st-key-finding-note textarea")).to_be_focused()
    page.keyboard.type("Necrosis 1 n p e, cut off")
    reviewer.press("Control+Enter")  # nobody has said who it is: the name is asked for first
    expect(page.locator(".st-key-reviewer input")).to_be_focused()
    page.keyboard.type("AB")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Earlier versions are kept")).to_be_visible(timeout=10_000)
    (finding,) = read_findings(explained, EXPERIMENT)
    assert (finding.case_id, finding.reviewer, finding.verdict, finding.note) == (
        order[1],
        "AB",
        "wrong region",
        "Necrosis 1 n p e, cut off",
    )
    expect(page.get_by_text(f"1 of {len(order)} reviewed").first).to_be_visible()
    reviewer.go("n", order[2])
    reviewer.press("1")
    reviewer.press("Control+Enter")
    expect(page.get_by_text("Earlier versions are kept")).to_be_visible(timeout=10_000)
    assert {one.case_id: one.verdict for one in read_findings(explained, EXPERIMENT)}[order[2]] == "model error"
    assert visitor.complaints == []
    assert visitor.outside == []


def test_a_filter_is_chosen_by_hand_and_its_address_shows_a_colleague_the_same(
    visitor: Visitor,
    explained: Study,  # noqa: F811
) -> None:
    reviewer = Reviewer(visitor, "review")
    page = reviewer.page
    visitor.press("Filter")
    page.get_by_text("Not reviewed (").click()
    page.wait_for_function("() => location.search.includes('status=open')", timeout=10_000)
    rows = read_worklist(explained, EXPERIMENT).rows
    fit = f"{sum(not row.reviewers for row in rows)} of {len(rows)} cases fit."
    expect(page.get_by_text(fit)).to_be_visible()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    reviewer.settle()
    expect(page.get_by_text(fit)).to_be_visible()
    assert not any(row.disagreement for row in rows)
    page.goto(f"{address}&disagreement=yes")
    reviewer.settle()
    expect(page.get_by_text("No case fits. Take a condition out.")).to_be_visible()
    visitor.press("Clear")
    page.wait_for_function("() => !/disagreement|status/.test(location.search)", timeout=10_000)
    expect(page.get_by_text("case fits")).to_have_count(0)


def test_a_click_on_a_row_opens_its_case(visitor: Visitor, explained: Study) -> None:  # noqa: F811
    order = [row.case_id for row in read_worklist(explained, EXPERIMENT).rows]
    reviewer = Reviewer(visitor, f"review?case={order[0]}")
    page = reviewer.page
    table = page.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    table.locator(".dvn-scroller").click(position={"x": 80, "y": 34 * 3 + 17})  # the heading, and two rows above it
    page.wait_for_function("name => location.search.includes(name)", arg=order[2], timeout=10_000)
    reviewer.settle()
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(order[2])
