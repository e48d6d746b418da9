"""The viewer in a real Chromium."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.study import Study
from brainmri.training.records import Run, Split
from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.pages.filled import make_filled_study

pytestmark = pytest.mark.browser

RUN = "exp-001-resnet50-01"
PIXELS = "canvas => canvas.toDataURL()"


class Viewer:
    """The viewer on the review page."""

    def __init__(self, visitor) -> None:
        self.page = visitor.page
        self.sent: list[object] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", self.note))
        visitor.open(f"review?run={RUN}")
        self.canvas = self.page.locator("canvas[data-name=T1c]")
        expect(self.canvas).to_be_visible(timeout=20_000)
        expect(self.part("number")).to_contain_text("of 5")
        self.page.wait_for_timeout(700)  # the page's own last messages

    def note(self, frame: object) -> None:
        self.sent.append(frame)

    def part(self, name: str):
        return self.page.locator(f"[data-part={name}]")

    def pixels(self) -> str:
        self.page.wait_for_timeout(150)
        return self.canvas.evaluate(PIXELS)

    def slice(self) -> int:
        self.page.wait_for_timeout(150)
        return int(self.part("number").inner_text().split()[0])


@pytest.fixture(scope="module")
def explained(tmp_path_factory) -> Study:
    study = make_filled_study(tmp_path_factory.mktemp("viewer") / "filled")
    with study.session() as session:
        test = session.scalars(select(Split.test).where(Split.repeat == 1)).one()
        assert session.get(Run, RUN) is not None
    maps = np.random.default_rng(1).random((len(test), 3, 7, 7), dtype=np.float32)
    write_maps(
        Path(study.run_folder(RUN)) / FILE_NAME,
        RunMaps(layer="layer4.2", classes=TRAINED_DIAGNOSES, size_px=64, sample_index=np.array(test), maps=maps),
    )
    return study


@pytest.fixture
def viewer(visit, explained: Study) -> Viewer:
    return Viewer(visit(explained.folder))


def test_opacity_changes_the_picture_without_asking_the_server(viewer: Viewer) -> None:
    before, sent = viewer.pixels(), len(viewer.sent)
    box = viewer.part("opacity").bounding_box()
    viewer.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    viewer.page.mouse.down()
    viewer.page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2, steps=5)
    viewer.page.mouse.up()
    assert viewer.pixels() != before
    assert len(viewer.sent) == sent


def test_the_wheel_and_the_arrow_keys_change_the_slice(viewer: Viewer) -> None:
    start = viewer.slice()
    viewer.canvas.hover()
    viewer.page.mouse.wheel(0, -100)
    assert viewer.slice() == start - 1
    viewer.canvas.focus()
    viewer.page.keyboard.press("ArrowUp")
    assert viewer.slice() == start


def test_the_map_goes_and_comes_with_a_key(viewer: Viewer) -> None:
    with_map = viewer.pixels()
    viewer.page.keyboard.press("o")
    assert viewer.pixels() != with_map
    expect(viewer.part("overlay")).to_have_attribute("aria-pressed", "false")
    viewer.page.keyboard.press("o")
    assert viewer.pixels() == with_map


def test_a_drag_changes_the_window_and_reset_restores_it(viewer: Viewer) -> None:
    before, label = viewer.pixels(), viewer.canvas.get_attribute("aria-label")
    viewer.canvas.hover()
    viewer.page.mouse.down()
    box = viewer.canvas.bounding_box()
    viewer.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"], steps=4)
    viewer.page.mouse.up()
    viewer.page.wait_for_timeout(150)
    assert viewer.canvas.get_attribute("aria-label") != label
    viewer.part("reset").click()
    assert viewer.pixels() == before
    assert viewer.canvas.get_attribute("aria-label") == label


def test_zoom_region_and_another_diagnosis_change_the_picture(viewer: Viewer) -> None:
    seen = [viewer.pixels()]
    viewer.canvas.focus()
    for change in (
        lambda: viewer.page.keyboard.press("+"),
        lambda: viewer.page.keyboard.press("s"),
        lambda: viewer.part("classes").select_option(str((int(viewer.part("classes").input_value()) + 1) % 3)),
    ):
        change()
        now = viewer.pixels()
        assert now not in seen
        seen.append(now)


def test_the_next_case_keeps_keys_working_once(viewer: Viewer) -> None:
    case = viewer.page.url
    viewer.page.keyboard.press("n")
    viewer.page.wait_for_function("before => location.href !== before", arg=case)
    viewer.page.wait_for_timeout(1000)
    viewer.page.keyboard.press("o")
    expect(viewer.part("overlay")).to_have_attribute("aria-pressed", "false")


def test_pictures_are_crisp_on_a_fine_screen(viewer: Viewer) -> None:
    fine = {"width": 1440, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    viewer.page.context.new_cdp_session(viewer.page).send("Emulation.setDeviceMetricsOverride", fine)
    viewer.canvas.focus()
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.wait_for_timeout(200)
    assert viewer.canvas.evaluate("canvas => canvas.width / canvas.clientWidth") == pytest.approx(2, abs=0.02)
