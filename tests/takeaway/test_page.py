"""The HTML page: complete in itself, escaped, without identity."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from brainmri.takeaway.gathering import summarise_case
from brainmri.takeaway.page import write_page
from brainmri.takeaway.summary import PURPOSE
from tests.takeaway.conftest import NOTE, REVIEWER


class Reader(HTMLParser):
    """Collects tags, addresses and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "data")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def summary(taken):
    return summarise_case(taken.study, taken.run_id, taken.case_id)


@pytest.fixture(scope="module")
def page(summary) -> Reader:
    return Reader(write_page(summary))


def test_a_note_with_a_script_is_shown_as_text(page) -> None:
    assert "script" not in page.tags
    assert NOTE in page.words


def test_words_of_a_data_set_are_escaped(summary) -> None:
    found = Reader(
        write_page(replace(summary, classes=("<img src=x onerror=y>", "PCNSL", "meningioma"), case_id="<b>"))
    )
    assert found.tags.count("img") == 6
    assert "<img src=x onerror=y>" in found.words
    assert found.words.count("<b>") == 2  # title and heading


def test_it_opens_without_a_network(summary, page) -> None:
    assert page.addresses
    assert all(one.startswith("data:image/png;base64,") for one in page.addresses)
    assert not re.search(r"https?://|@import|url\(", write_page(summary))
    assert "default-src 'none'" in write_page(summary)


def test_pictures_have_the_proportions_of_the_slice_and_no_text_inside(summary, page) -> None:
    for address in page.addresses:
        with Image.open(io.BytesIO(b64decode(address.split(",")[1]))) as picture:
            assert picture.size == (480, 480)  # 32 × 32 voxels of 3 × 3 mm
            assert not picture.info


def test_no_path_and_no_person_is_in_it(summary, taken) -> None:
    text = write_page(summary)
    for secret in (
        str(taken.study.folder),
        "study-of-secrets",
        REVIEWER,
        "Kranenburg",
        "Someone Else",
        "Tanaka",
        "1950",
    ):
        assert secret not in text


def test_it_says_what_the_study_says(summary, page) -> None:
    text = " ".join(page.words)
    assert PURPOSE in text
    for word in (summary.case_id, "Glioblastoma", summary.verdict, summary.dataset_hash, summary.run_id, "Phantom"):
        assert word in text
    for share in summary.probabilities:
        assert f"{100 * share:.0f} %" in text
    right, tested = sum(one.right for one in summary.agreement), sum(one.tested for one in summary.agreement)
    assert f"{right} of {tested}" in text


def test_a_split_of_images_is_told(summary) -> None:
    assert "memory as well as skill" in write_page(replace(summary, split_unit="image"))
    assert "memory as well as skill" not in write_page(summary)
