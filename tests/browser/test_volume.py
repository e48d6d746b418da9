"""The volume view in a real Chromium that draws in software."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import CHROMIUM_OPTIONS, SIZE, Server, Visitor, chromium_path

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = str(Path(__file__).with_name("volume_page.py"))
SOFTWARE_GL = ("--enable-unsafe-swiftshader", "--use-gl=angle", "--use-angle=swiftshader")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("study"), PAGE)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def visitor(chromium: Browser, server: Server) -> Iterator[Visitor]:
    browser = chromium.browser_type.launch(executable_path=chromium_path(), args=[*CHROMIUM_OPTIONS, *SOFTWARE_GL])
    found = Visitor(browser.new_context(viewport=SIZE).new_page(), server)
    found.open()
    yield found
    browser.close()


def tumour_pixels(visitor: Visitor) -> int:
    """Return how many pixels of the view have the colour of the tumour."""
    shot = visitor.page.locator("canvas").screenshot()
    red, _, blue = np.moveaxis(np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), int), -1, 0)
    return int(np.count_nonzero(red - blue > 60))


def wait_until_open(visitor: Visitor) -> None:
    visitor.page.wait_for_timeout(500)
    expect(visitor.page.get_by_role("status")).to_have_text("", timeout=30_000)
    visitor.page.wait_for_timeout(500)  # the first frame


def test_a_volume_opens_with_its_tumour_and_asks_nothing_of_the_outside(visitor: Visitor) -> None:
    wait_until_open(visitor)
    expect(visitor.page.get_by_role("button", name="T1c", exact=True)).to_have_attribute("aria-pressed", "true")
    with_tumour = tumour_pixels(visitor)
    visitor.page.get_by_role("checkbox").uncheck()
    visitor.page.wait_for_timeout(500)
    assert with_tumour > 5000
    assert tumour_pixels(visitor) < 0.6 * with_tumour  # the crosshair is yellow too
    visitor.page.get_by_role("button", name="T1", exact=True).click()
    wait_until_open(visitor)
    expect(visitor.page.get_by_role("button", name="T1", exact=True)).to_have_attribute("aria-pressed", "true")
    assert not visitor.outside
    assert not visitor.complaints


def test_a_browser_without_webgl_is_told_in_words(visitor: Visitor) -> None:
    visitor.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        " function (kind, ...rest) { return kind === 'webgl2' ? null : get.call(this, kind, ...rest); };"
    )
    visitor.open()
    expect(visitor.page.get_by_role("status")).to_contain_text("no WebGL 2", timeout=20_000)
