"""The viewer in a real Chromium."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from brainmri.dashboard.review import read_tested_cases
from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.imaging.datasets import read_samples
from brainmri.imaging.records import Sample
from brainmri.study import Study
from brainmri.training.records import Run, Split
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis
from tests.browser.conftest import SIZE, Server, Visitor
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
    maps *= np.linspace(0.5, 1, len(test), dtype=np.float32)[:, None, None, None]  # a case below the run's strongest
    maps[:, empty_class(study)] = 0
    write_maps(
        Path(study.run_folder(RUN)) / FILE_NAME,
        RunMaps(layer="layer4.2", classes=TRAINED_DIAGNOSES, size_px=64, sample_index=np.array(test), maps=maps),
    )
    return study


def empty_class(study: Study) -> int:
    """Return a class that the case shown first is not taken for: it gets no evidence."""
    return (read_tested_cases(study, "exp-001", RUN)[0].predicted_class + 1) % len(TRAINED_DIAGNOSES)


@pytest.fixture(scope="module")
def server(chromium, explained: Study):
    server = Server(explained.folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def context(chromium):
    context = chromium.new_context(viewport=SIZE)  # one for all tests: it keeps what it has loaded
    yield context
    context.close()


@pytest.fixture
def viewer(context, server: Server):
    page = context.new_page()
    yield Viewer(Visitor(page, server))
    page.close()


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


def test_what_the_network_was_given_fills_the_panels_to_the_pixel(viewer: Viewer, explained: Study) -> None:
    viewer.page.keyboard.press("o")
    viewer.part("crop").click()
    expect(viewer.part("crop")).to_contain_text("As the network saw it")
    expect(viewer.part("crop")).to_have_attribute("aria-pressed", "true")
    viewer.page.wait_for_timeout(300)
    case = viewer.page.get_by_test_id("stMetricValue").first.inner_text()
    with explained.session() as session:
        rows = session.scalars(select(Sample).where(Sample.case_id == case)).all()
    (row,) = [row for row in rows if row.slice_index + 1 == viewer.slice()]
    given = read_samples(explained, row.dataset_hash)[row.sample_index, 2]
    shown = viewer.canvas.evaluate(
        """(canvas, side) => Array.from({ length: side * side }, (_, i) => {
        const side_px = Math.min(canvas.width, canvas.height) / side;
        const x = canvas.width / 2 + ((i % side) + 0.5 - side / 2) * side_px;
        const y = canvas.height / 2 + (Math.floor(i / side) + 0.5 - side / 2) * side_px;
        return canvas.getContext('2d').getImageData(Math.floor(x), Math.floor(y), 1, 1).data[0];
    })""",
        len(given),
    )
    letters = np.ones(given.shape, bool)
    letters[12:-12, 8:-8] = False  # names, letters and the bar lie on the edge
    np.testing.assert_array_equal(np.array(shown).reshape(given.shape)[~letters], given[~letters])


def test_colours_end_at_the_strongest_of_the_run_or_of_the_case(viewer: Viewer) -> None:
    of_run, sent = viewer.pixels(), len(viewer.sent)
    viewer.part("scale-by").select_option("case")
    assert viewer.pixels() != of_run
    viewer.part("scale-by").select_option("run")
    assert viewer.pixels() == of_run
    assert len(viewer.sent) == sent


def test_a_class_without_evidence_is_said_in_words(viewer: Viewer, explained: Study) -> None:
    name = display_diagnosis(TRAINED_DIAGNOSES[empty_class(explained)])
    viewer.part("classes").select_option(label=name)
    expect(viewer.part("note")).to_have_text(f"No positive evidence for {name} in this case")
    expect(viewer.part("scale")).to_be_hidden()


def test_keys_work_after_a_click_elsewhere_on_the_page(viewer: Viewer) -> None:
    viewer.page.get_by_text("All tested").click()
    viewer.page.wait_for_timeout(1000)
    viewer.page.keyboard.press("s")
    expect(viewer.part("crop")).to_have_attribute("aria-pressed", "true")


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
