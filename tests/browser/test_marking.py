"""A point marked in the viewer, and maps for and against a diagnosis, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from brainmri.dashboard import viewer as viewer_files
from brainmri.explanation.maps import upsample
from tests.browser.conftest import SIZE, Server, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = str(Path(__file__).with_name("marking_page.py"))
FOLDER = Path(viewer_files.__file__).parent
PIXELS = "canvas => canvas.toDataURL()"
SIDE = 96
COLOUR_AT = """(canvas, [row, column, side]) => {
    const px = Math.min(canvas.width, canvas.height) / side;
    const x = canvas.width / 2 + (column + 0.5 - side / 2) * px;
    const y = canvas.height / 2 + (row + 0.5 - side / 2) * px;
    return [...canvas.getContext('2d').getImageData(Math.floor(x), Math.floor(y), 1, 1).data.slice(0, 3)];
}"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("marking"), PAGE)
    server.start()
    yield server
    server.kill()


class Reader(Visitor):
    """A visitor whose messages to the server, and the sizes of those that it gets, are noted."""

    def __init__(self, page: object, server: Server) -> None:
        super().__init__(page, server)
        self.sent: list[object] = []
        self.got: list[int] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: object) -> None:
        socket.on("framesent", self._note_sent)
        socket.on("framereceived", lambda frame: self.got.append(len(frame)))

    def _note_sent(self, frame: object) -> None:
        self.sent.append(frame)

    def part(self, name: str):
        return self.page.locator(f"[data-part={name}]")

    @property
    def canvas(self):
        return self.page.locator("canvas[data-name=T2]")

    def pixels(self) -> str:
        self.page.wait_for_timeout(200)
        return self.canvas.evaluate(PIXELS)

    def colour(self, row: int, column: int) -> list[int]:
        """Return the colour in the middle of a pixel of the grid."""
        self.page.wait_for_timeout(200)
        return self.canvas.evaluate(COLOUR_AT, [row, column, SIDE])

    def click(self, row: int, column: int) -> None:
        """Click in the middle of a pixel of the grid."""
        box = self.canvas.bounding_box()
        px = min(box["width"], box["height"]) / SIDE
        x = box["x"] + box["width"] / 2 + (column + 0.5 - SIDE / 2) * px
        self.page.mouse.click(x, box["y"] + box["height"] / 2 + (row + 0.5 - SIDE / 2) * px)


@pytest.fixture
def reader(chromium, server: Server):
    context = chromium.new_context(viewport=SIZE)
    reader = Reader(context.new_page(), server)
    reader.open()
    expect(reader.canvas).to_be_visible()
    expect(reader.part("number")).to_contain_text("5 of 9")
    reader.page.wait_for_timeout(700)  # the page's own last messages
    yield reader
    assert reader.complaints == []
    context.close()


def test_a_click_with_the_tool_marks_one_point_and_tells_python_once(reader: Reader) -> None:
    sent, before = len(reader.sent), reader.pixels()
    reader.click(20, 30)
    assert len(reader.sent) == sent, "without the tool a click marks nothing"
    reader.page.keyboard.press("m")
    expect(reader.part("mark")).to_have_attribute("aria-pressed", "true")
    reader.canvas.focus()
    reader.page.keyboard.press("ArrowUp")
    reader.click(33, 61)
    expect(reader.page.get_by_text("Told [(5, 33, 61)] in case 0")).to_be_visible()
    expect(reader.part("mark-said")).to_have_text("Marked on slice 6")
    expect(reader.part("mark")).to_have_attribute("aria-pressed", "false")
    assert reader.pixels() != before
    assert reader.colour(33, 61) == [255, 128, 171]
    reader.click(50, 50)
    reader.page.wait_for_timeout(500)
    expect(reader.page.get_by_text("Told [(5, 33, 61)] in case 0")).to_be_visible()


def test_a_new_mark_moves_the_cross_and_the_case_is_not_sent_again(reader: Reader) -> None:
    for row, column in ((33, 61), (44, 52)):
        reader.part("mark").click()
        got = len(reader.got)
        reader.click(row, column)
        expect(reader.page.get_by_text(f"(4, {row}, {column})] in case 0")).to_be_visible()
        assert max(reader.got[got:]) < 20_000, "a case has more than a hundred thousand bytes"
    assert reader.colour(44, 52) == [255, 128, 171]
    assert reader.colour(33, 61) != [255, 128, 171]


def test_a_mark_made_before_is_shown_when_the_case_is_opened(reader: Reader) -> None:
    reader.page.get_by_role("button", name="Other case").click()
    expect(reader.part("mark-said")).to_have_text("Marked on slice 5")
    assert reader.colour(40, 50) == [255, 128, 171]
    reader.part("mark").click()
    reader.click(30, 40)
    expect(reader.page.get_by_text("Told [(4, 30, 40)] in case 1")).to_be_visible()
    reader.page.get_by_role("button", name="Other case").click()
    expect(reader.part("mark-said")).to_be_empty()
    reader.page.wait_for_timeout(500)
    reader.page.get_by_role("button", name="Other case").click()
    expect(reader.part("mark-said")).to_have_text("Marked on slice 5")
    assert reader.colour(30, 40) == [255, 128, 171]


def test_escape_leaves_the_tool_and_typing_does_not_take_it(reader: Reader) -> None:
    reader.page.get_by_label("Note").fill("")
    reader.page.get_by_label("Note").press_sequentially("mmxoa+")
    expect(reader.part("mark")).to_have_attribute("aria-pressed", "false")
    expect(reader.part("crosshair")).to_have_attribute("aria-pressed", "false")
    expect(reader.part("overlay")).to_have_attribute("aria-pressed", "true")
    reader.canvas.focus()
    reader.page.keyboard.press("M")
    expect(reader.part("mark")).to_have_attribute("aria-pressed", "true")
    reader.page.keyboard.press("Escape")
    expect(reader.part("mark")).to_have_attribute("aria-pressed", "false")


def test_evidence_against_is_blue_and_shown_on_request_only(reader: Reader) -> None:
    sent = len(reader.sent)
    red, green, blue = reader.colour(48, 66)
    assert red == green == blue, "the right of the square speaks against: at first as without a map"
    red, green, blue = reader.colour(48, 30)
    assert not red == green == blue
    reader.page.keyboard.press("a")
    expect(reader.part("against")).to_have_attribute("aria-pressed", "true")
    red, _, blue = reader.colour(48, 66)
    assert blue > red + 20
    red, _, blue = reader.colour(48, 30)
    assert red > blue + 20
    red, green, blue = reader.colour(48, 48)
    assert max(red, green, blue) - min(red, green, blue) < 30, "in the middle nothing speaks for or against"
    expect(reader.part("colour-map")).to_be_hidden()
    assert len(reader.sent) == sent


def test_a_diagnosis_with_evidence_against_it_only_is_said_in_words(reader: Reader) -> None:
    reader.part("classes").select_option("1")
    expect(reader.part("note")).to_have_text("No positive evidence for Glioma in this case; some against it")
    expect(reader.part("scale")).to_be_hidden()
    reader.part("against").click()
    expect(reader.part("note")).to_have_text("No positive evidence for Glioma in this case; some against it (blue)")
    expect(reader.part("scale")).to_be_visible()


def test_other_colours_cost_no_round_trip_and_stay_from_case_to_case(reader: Reader) -> None:
    sent, seen = len(reader.sent), [reader.pixels()]
    for name in ("Viridis", "Cividis"):
        reader.part("colour-map").select_option(name)
        assert reader.pixels() not in seen
        seen.append(reader.pixels())
    assert len(reader.sent) == sent
    reader.page.get_by_role("button", name="Other case").click()
    expect(reader.part("mark-said")).to_have_text("Marked on slice 5")
    expect(reader.part("colour-map")).to_have_value("Cividis")


def test_plus_and_minus_change_the_opacity_and_digits_are_left_to_the_page(reader: Reader) -> None:
    start = int(reader.part("opacity").input_value())
    before = reader.pixels()
    reader.page.keyboard.press("-")
    assert int(reader.part("opacity").input_value()) == start - 10
    assert reader.pixels() != before
    reader.page.keyboard.press("+")
    assert reader.pixels() == before
    reader.page.evaluate("document.addEventListener('keydown', event => { window.taken = event.defaultPrevented; })")
    for key in ("1", "2", "3", "4", "5", "6", "e", "n", "p"):
        reader.page.keyboard.press(key)
        assert reader.page.evaluate("window.taken") is False
    reader.page.keyboard.press("o")
    assert reader.page.evaluate("window.taken") is True


def test_the_window_comes_back_and_the_arrow_keys_come_to_the_viewer_without_the_mouse(reader: Reader) -> None:
    before = reader.pixels()
    reader.page.keyboard.press("v")
    reader.page.keyboard.press("Shift+ArrowRight")
    first = reader.page.locator("canvas[data-name=T1]")
    reader.page.wait_for_timeout(200)
    label = first.get_attribute("aria-label")
    reader.page.keyboard.press("w")
    reader.page.wait_for_timeout(200)
    assert first.get_attribute("aria-label") != label
    assert reader.pixels() == before
    reader.page.keyboard.press("PageUp")
    expect(reader.part("number")).to_contain_text("9 of 9")


def test_air_is_read_as_no_brighter_than_its_noise(reader: Reader) -> None:
    reader.page.keyboard.press("x")
    box = reader.canvas.bounding_box()
    reader.page.mouse.move(box["x"] + box["width"] / 2 - box["height"] / 2 + 6, box["y"] + 6)
    found = reader.part("reading")
    expect(found).to_contain_text("T1 ≤ ")
    noise = int(found.inner_text().split("T1 ≤ ")[1].split(",")[0])
    assert 30 < noise < 100


def test_maps_are_scaled_up_in_the_browser_as_in_the_pictures(reader: Reader) -> None:
    grid = np.random.default_rng(4).normal(size=(7, 5)).astype(np.float32)
    page = reader.page.context.new_page()
    page.add_script_tag(content=(FOLDER / "maps.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "([values, rows, columns]) => [...upsampleMap(Float32Array.from(values), rows, columns, 96)]",
        [grid.ravel().tolist(), 7, 5],
    )
    page.close()
    np.testing.assert_allclose(np.array(found).reshape(96, 96), upsample(grid, 96), atol=1e-5)


def test_what_the_network_said_is_shown_where_it_looked_when_it_is_revealed(reader: Reader) -> None:
    reader.press("Blind case")
    expect(reader.part("classes")).to_be_hidden()
    reader.canvas.focus()
    for _ in range(2):
        reader.page.keyboard.press("ArrowUp")
    expect(reader.part("number")).to_contain_text("7 of 9")
    reader.press("Reveal")
    expect(reader.part("classes")).to_have_value("1")  # the predicted one
    expect(reader.part("number")).to_contain_text("5 of 9")  # that of the square
    reader.canvas.focus()
    reader.page.keyboard.press("ArrowUp")
    reader.press("Close")
    expect(reader.part("mark")).to_be_hidden()
    expect(reader.part("number")).to_contain_text("6 of 9")  # from then on the slice stays


def test_a_closed_mark_stays_where_it_is(reader: Reader) -> None:
    reader.press("Other case")
    expect(reader.part("mark-said")).to_have_text("Marked on slice 5")
    reader.press("Close")
    expect(reader.part("mark")).to_be_hidden()
    expect(reader.part("mark-said")).to_have_text("Marked on slice 5")
    reader.page.keyboard.press("m")
    reader.click(20, 30)
    reader.page.wait_for_timeout(500)
    expect(reader.page.get_by_text("Told [] in case 1")).to_be_visible()
    assert reader.colour(40, 50) == [255, 128, 171]
