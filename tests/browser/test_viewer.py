"""The viewer in a real Chromium."""

import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from playwright.sync_api import expect
from sqlalchemy import select

from brainmri.dashboard import viewer as viewer_files
from brainmri.dashboard.review import read_tested_cases
from brainmri.explanation.maps import RunMaps, write_maps
from brainmri.explanation.method_names import METHODS
from brainmri.imaging.datasets import read_samples
from brainmri.imaging.records import Sample
from brainmri.intake.volumes import read_case
from brainmri.study import Study
from brainmri.training.records import Run, Split
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis
from tests.browser.conftest import SIZE, Server, Visitor
from tests.pages.filled import make_filled_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN = "exp-001-resnet50-01"
FOLDER = Path(viewer_files.__file__).parent
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
    for name, values in (("gradcam", maps), ("occlusion", maps[:, :, ::-1] - 0.3)):
        write_maps(
            study.run_folder(RUN) / METHODS[name].file_name,
            RunMaps(
                layer="layer4.2",
                classes=TRAINED_DIAGNOSES,
                size_px=64,
                sample_index=np.array(test),
                maps=values,
                method=name,
            ),
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


def test_the_opacity_follows_the_drag_in_more_than_thirty_frames_a_second(viewer: Viewer) -> None:
    frames = viewer.part("opacity").evaluate(
        """async (slider) => {
        const frame = () => new Promise((go) => { requestAnimationFrame(go); });
        const lengths = [];
        let before = await frame();
        for (let step = 0; step < 90; step += 1) {
            slider.value = step;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            const now = await frame();
            lengths.push(now - before);
            before = now;
        }
        return lengths;
    }"""
    )
    assert np.median(frames) < 1000 / 30


def test_another_method_is_another_map_of_the_same_slice_and_stays_in_the_address(viewer: Viewer) -> None:
    viewer.canvas.focus()
    viewer.page.keyboard.press("+")
    viewer.part("crosshair").click()
    before, at = viewer.pixels(), viewer.slice()
    expect(viewer.part("against")).to_be_hidden()
    viewer.page.locator(".st-key-review-map button").click()
    viewer.page.get_by_role("option", name="Occlusion").click()
    expect(viewer.part("against")).to_be_visible()
    expect(viewer.page.get_by_text("Occlusion, averaged to a grid of 7 × 7")).to_be_visible()
    assert "map=occlusion" in viewer.page.url
    assert viewer.pixels() != before
    assert viewer.slice() == at
    expect(viewer.part("crosshair")).to_have_attribute("aria-pressed", "true")
    viewer.page.reload()
    expect(viewer.part("against")).to_be_visible(timeout=20_000)


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


def test_the_crosshair_follows_the_pointer_in_all_panels_and_reads_the_stored_values(
    viewer: Viewer, explained: Study
) -> None:
    others = viewer.page.locator("canvas[data-name=T1]")
    sent = len(viewer.sent)
    without = others.evaluate(PIXELS)
    viewer.page.keyboard.press("x")
    expect(viewer.part("crosshair")).to_have_attribute("aria-pressed", "true")
    box = viewer.canvas.bounding_box()
    viewer.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.45 * box["height"])
    viewer.page.wait_for_timeout(150)
    assert others.evaluate(PIXELS) != without
    read = re.fullmatch(
        r"T1 (\S+), T2 (\S+), T1c (\S+) at column (\d+), row (\d+)", viewer.part("reading").inner_text()
    )
    assert read is not None
    case = read_case(explained, viewer.page.get_by_test_id("stMetricValue").first.inner_text())
    row, column = int(read[5]) - 1, int(read[4]) - 1
    _, rows, columns = case.arrays["T1"].shape
    assert (row, column) == (pytest.approx(0.45 * rows, abs=1), pytest.approx(0.4 * columns, abs=1))
    stored = [case.arrays[name][viewer.slice() - 1, row, column] for name in ("T1", "T2", "T1c")]
    assert [float(value) for value in read.groups()[:3]] == pytest.approx(stored)
    viewer.page.keyboard.press("x")
    expect(viewer.part("reading")).to_be_empty()
    assert len(viewer.sent) == sent


def test_the_place_of_a_slice_is_said_in_millimetres(viewer: Viewer, explained: Study) -> None:
    case = viewer.page.get_by_test_id("stMetricValue").first.inner_text()
    image = sitk.ReadImage(explained.case_folder(case) / "T1c.nii.gz")
    at = image.TransformIndexToPhysicalPoint((0, 0, viewer.slice() - 1))
    normal = image.GetDirection()[2::3]
    mm = float(np.dot(at, normal))
    expect(viewer.part("number")).to_contain_text(f"{'S' if mm >= 0 else 'I'} {abs(mm):.1f} mm")
    assert re.search(r"scale bar [125]0? (cm|mm)", viewer.canvas.get_attribute("aria-label"))


@pytest.mark.parametrize(
    ("column", "row", "edges"),
    [
        ((1, 0, 0), (0, 1, 0), ["R", "L", "A", "P"]),  # axial
        ((0, 1, 0), (0, 0, -1), ["A", "P", "S", "I"]),  # sagittal
        ((1, 0, 0), (0, 0, -1), ["R", "L", "S", "I"]),  # coronal
        ((0.8, 0.6, 0), (-0.6, 0.8, 0), ["RA", "LP", "AL", "PR"]),  # turned by 37 degrees
        ((0.98, 0.199, 0), (-0.199, 0.98, 0), ["R", "L", "A", "P"]),  # turned by 11 degrees
    ],
)
def test_the_letters_at_the_edges_follow_the_direction_cosines(
    context, column: tuple[float, ...], row: tuple[float, ...], edges: list[str]
) -> None:
    source = (FOLDER / "orientation.js").read_text(encoding="utf-8")
    page = context.new_page()
    page.add_script_tag(content=source)
    found = page.evaluate("placement => edgeLetters(placement)", {"column": column, "row": row})
    page.close()
    assert [found[side] for side in ("left", "right", "top", "bottom")] == edges


def test_all_keys_are_listed_and_a_double_click_restores_one_window(viewer: Viewer) -> None:
    viewer.page.keyboard.press("?")
    expect(viewer.part("keys")).to_be_visible()
    expect(viewer.part("keys")).to_contain_text("crosshair")
    viewer.page.keyboard.press("Escape")
    expect(viewer.part("keys")).to_be_hidden()
    label = viewer.canvas.get_attribute("aria-label")
    viewer.canvas.focus()
    viewer.page.keyboard.press("Shift+ArrowRight")
    viewer.page.wait_for_timeout(150)
    assert viewer.canvas.get_attribute("aria-label") != label
    viewer.canvas.dblclick()
    viewer.page.wait_for_timeout(150)
    assert viewer.canvas.get_attribute("aria-label") == label


def test_zoom_and_pan_move_all_panels_and_stay_on_the_image(viewer: Viewer) -> None:
    others = viewer.page.locator("canvas[data-name=T2]")
    before = others.evaluate(PIXELS)
    viewer.canvas.hover()
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -300)
    viewer.page.keyboard.up("Control")
    viewer.page.wait_for_timeout(150)
    expect(viewer.part("zoom")).to_have_text(f"{round(100 * np.e)} %")
    zoomed = others.evaluate(PIXELS)
    assert zoomed != before
    viewer.page.keyboard.down("Shift")
    viewer.page.mouse.down()
    box = viewer.canvas.bounding_box()
    viewer.page.mouse.move(box["x"] + 10, box["y"] + 10, steps=3)
    viewer.page.mouse.up()
    viewer.page.keyboard.up("Shift")
    viewer.page.wait_for_timeout(150)
    assert others.evaluate(PIXELS) != zoomed
    viewer.part("reset").click()
    viewer.page.wait_for_timeout(150)
    assert others.evaluate(PIXELS) == before


def test_pictures_are_crisp_on_a_fine_screen(viewer: Viewer) -> None:
    fine = {"width": 1440, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    viewer.page.context.new_cdp_session(viewer.page).send("Emulation.setDeviceMetricsOverride", fine)
    viewer.canvas.focus()
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.wait_for_timeout(200)
    assert viewer.canvas.evaluate("canvas => canvas.width / canvas.clientWidth") == pytest.approx(2, abs=0.02)


def test_an_old_browser_is_told_so(context, server: Server) -> None:
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    Visitor(page, server).open(f"review?run={RUN}")
    expect(page.get_by_text("in a browser of 2023 or later")).to_be_visible(timeout=20_000)
    page.close()
