"""A square region drawn in the viewer, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZE, Server, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = str(Path(__file__).with_name("drawing_page.py"))
SHAPE = (12, 80, 100)
"""Slices, rows and columns of the page's case."""
SIDE = 20
"""Pixels of the grid that a drag covers."""


class Drawer(Visitor):
    """A visitor whose messages to the server are noted."""

    def __init__(self, page: object, server: Server) -> None:
        super().__init__(page, server)
        self.sent: list[object] = []

    def note(self, frame: object) -> None:
        """Note a message to the server."""
        self.sent.append(frame)


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("drawing"), PAGE)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(chromium, server: Server):
    context = chromium.new_context(viewport=SIZE)
    visitor = Drawer(context.new_page(), server)
    visitor.page.on("websocket", lambda socket: socket.on("framesent", visitor.note))
    visitor.open()
    expect(visitor.page.locator("canvas[data-name=T2]")).to_be_visible()
    visitor.page.wait_for_timeout(700)  # the page's own last messages
    yield visitor
    assert visitor.complaints == []
    context.close()


def part(page: Drawer, name: str):
    return page.page.locator(f"[data-part={name}]")


def drag_square(page: Drawer, row: int, column: int, rows: int, columns: int) -> None:
    """Drag from the centre of one pixel of the grid over so many rows and columns."""
    box = page.page.locator("canvas[data-name=T2]").bounding_box()
    px = box["width"] / SHAPE[2]  # the grid is wider than high: it fills the panel's width
    top = box["y"] + (box["height"] - px * SHAPE[1]) / 2
    page.page.mouse.move(box["x"] + (column + 0.5) * px, top + (row + 0.5) * px)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + (column + 0.5 + columns) * px, top + (row + 0.5 + rows) * px, steps=8)
    page.page.mouse.up()
    page.page.wait_for_timeout(200)


def test_a_confirmed_region_reaches_python_once_and_nothing_is_sent_before(page: Drawer) -> None:
    sent = len(page.sent)
    panels = ("T1", "T2", "T1c")
    before = [page.page.locator(f"canvas[data-name={name}]").evaluate("c => c.toDataURL()") for name in panels]
    page.page.locator("canvas[data-name=T2]").focus()
    page.page.keyboard.press("d")
    drag_square(page, 10, 30, 12, SIDE)
    after = [page.page.locator(f"canvas[data-name={name}]").evaluate("c => c.toDataURL()") for name in panels]
    assert all(old != new for old, new in zip(before, after, strict=True)), "it is shown on all three panels"
    page.page.locator("canvas[data-name=T2]").focus()
    for key in ("ArrowUp", "ArrowUp", "l", "ArrowDown", "ArrowDown", "ArrowDown", "f"):
        page.page.keyboard.press(key)
    expect(part(page, "region-said")).to_have_text("40 × 40 mm, slices 6 to 9")
    assert len(page.sent) == sent
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_text("Told [(10, 30, 20, 5, 8)]")).to_be_visible()
    assert len(page.sent) == sent + 1
    page.page.get_by_role("button", name="Again").click()
    page.page.wait_for_timeout(800)
    expect(page.page.get_by_text("Told [(10, 30, 20, 5, 8)]")).to_be_visible()


def test_a_square_dragged_up_and_out_of_the_image_ends_at_its_edge(page: Drawer) -> None:
    part(page, "draw").click()
    drag_square(page, 14, 60, -40, -40)
    part(page, "use-region").click()
    expect(page.page.get_by_text("Told [(0, 46, 15, 6, 6)]")).to_be_visible()


def test_escape_discards_and_a_click_draws_nothing(page: Drawer) -> None:
    part(page, "draw").click()
    drag_square(page, 20, 20, 1, 1)
    expect(part(page, "use-region")).to_be_disabled()
    drag_square(page, 20, 20, SIDE, SIDE)
    expect(part(page, "use-region")).to_be_enabled()
    page.page.locator("canvas[data-name=T2]").focus()
    page.page.keyboard.press("Escape")
    expect(part(page, "use-region")).to_be_disabled()
    expect(part(page, "region-said")).to_be_empty()


def test_voxels_that_were_not_sent_are_shown_and_read_as_the_air_they_are(page: Drawer) -> None:
    draw = np.random.default_rng(3)  # as the page draws them
    stored = [draw.integers(1, 900, SHAPE)[6, 40, 55] for _ in range(3)]
    page.page.keyboard.press("x")
    box = page.page.locator("canvas[data-name=T2]").bounding_box()
    px = box["width"] / SHAPE[2]
    page.page.mouse.move(box["x"] + 55.5 * px, box["y"] + box["height"] / 2 + 0.5 * px)
    expect(part(page, "reading")).to_have_text("T1 {}, T2 {}, T1c {} at column 56, row 41".format(*stored))
    page.page.mouse.move(box["x"] + 5.5 * px, box["y"] + box["height"] / 2 + 0.5 * px)
    expect(part(page, "reading")).to_have_text("T1 0, T2 0, T1c 0 at column 6, row 41")
    page.page.keyboard.press("x")
    page.page.wait_for_timeout(200)
    mean = """(canvas, share) => {
        const wide = Math.floor(canvas.width * 0.04);
        const found = canvas.getContext('2d').getImageData(canvas.width * share, canvas.height * 0.6, wide, 40).data;
        return found.filter((_, i) => i % 4 === 0).reduce((sum, grey) => sum + grey, 0) / (wide * 40);
    }"""
    canvas = page.page.locator("canvas[data-name=T2]")
    assert canvas.evaluate(mean, 0.03) == 0
    assert canvas.evaluate(mean, 0.4) == pytest.approx(127, abs=25)


def test_outside_the_drawing_mode_a_drag_still_changes_the_window(page: Drawer) -> None:
    label = page.page.locator("canvas[data-name=T2]").get_attribute("aria-label")
    drag_square(page, 20, 20, SIDE, SIDE)
    assert page.page.locator("canvas[data-name=T2]").get_attribute("aria-label") != label
    expect(part(page, "use-region")).to_be_disabled()
