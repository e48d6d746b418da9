"""The pages of a session: they open without a network, show the numbers, and cannot carry markup."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from brainmri.evaluation.wording import format_share
from brainmri.teaching.html_parts import write_share
from brainmri.teaching.scores import score_reader
from brainmri.teaching.summary import summarise_session
from brainmri.teaching.summary_html import write_reader_page, write_session_page
from tests.teaching.drawn_answers import draw_answers

ABOUT = {
    "session_id": "ses-001",
    "title": "Monday round",
    "author": "Dr Mori",
    "written_at": datetime(2026, 11, 23, 14, 0, tzinfo=UTC),
}
EVIL = "<script>alert(1)</script>\"&'"
EMPTY = {"meta", "line", "circle", "rect", "polyline"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails where a tag is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def summary():
    return summarise_session(draw_answers(readers=5, cases=60, missing=0.02), **ABOUT)


def test_the_session_page_shows_readers_network_agreement_analysis_and_cases(summary):
    page = Page(write_session_page(summary))
    for score in summary.scores:
        assert write_share(score.alone.accuracy) in page.text
    assert summary.multireader.sentence in page.text
    assert summary.against_network.sentence in page.text
    assert f"{summary.agreement.kappa:.2f}" in page.text
    assert page.text.count("case-") == 60
    hardest = min(summary.items.items, key=lambda item: (item.right.share, item.case_id))
    assert hardest.case_id == re.search(r"case-\d+", page.text).group()
    assert "Not for diagnosis" in page.text
    assert sum(tag == "polyline" for tag, _ in page.tags) == 2 * len(summary.multireader.readers) + 2


def test_nothing_is_loaded_from_anywhere_and_no_script_runs(summary):
    page = write_session_page(summary)
    assert "default-src 'none'" in page
    assert not re.search(r"\b(src|href|url)\b\s*[=(]", page)
    assert "http" not in page.replace("http-equiv", "")


def test_names_and_titles_cannot_be_markup():
    answers = replace(draw_answers(readers=2, cases=30), readers=(EVIL, "b"))
    about = {**ABOUT, "title": EVIL, "author": EVIL, "session_id": EVIL}
    pages = [
        write_session_page(summarise_session(answers, **about)),
        write_reader_page(score_reader(answers, EVIL), answers.classes, title=EVIL, written_at=ABOUT["written_at"]),
    ]
    for page in pages:
        assert "<script" not in page
        assert EVIL in Page(page).text


def test_the_reader_page_shows_this_reader_only(summary):
    score = summary.scores[0]
    network = summary.against_network.network
    written = write_reader_page(
        score, summary.answers.classes, title="Monday", written_at=ABOUT["written_at"], network=network
    )
    page = Page(written)
    assert "reader 2" not in page.text
    assert write_share(score.assisted.accuracy) in page.text
    assert score.help.sentence in page.text
    assert score.reliance.sentence in page.text
    assert score.alone.calibration.sentence in page.text
    assert format_share(score.alone.calibration.error) in page.text
    assert all(one.case_id in page.text for one in score.look_again)


def test_cases_can_have_other_names_on_the_reader_page(summary):
    score = summary.scores[0]
    names = {case: f"Case {place + 1}" for place, case in enumerate(summary.answers.cases)}
    page = write_reader_page(
        score, summary.answers.classes, title="Monday", written_at=ABOUT["written_at"], case_names=names
    )
    assert "case-0" not in page
    assert names[score.look_again[0].case_id] in page


def test_nobody_no_reader_and_one_reader_have_pages_in_words():
    nobody = draw_answers(readers=2, cases=6, missing=1.0)
    page = Page(write_session_page(summarise_session(nobody, **ABOUT)))
    assert "nobody has answered a case yet" in page.text
    assert "there is nothing to compare yet" in page.text
    alone = Page(
        write_reader_page(
            score_reader(nobody, "reader 1"), nobody.classes, title="Monday", written_at=ABOUT["written_at"]
        )
    )
    assert "No case was answered alone." in alone.text
    assert "No case was answered with the network." in alone.text
    assert Page(write_session_page(summarise_session(draw_answers(readers=0), **ABOUT))).text
    assert (
        "this reader on cases like these"
        in Page(write_session_page(summarise_session(draw_answers(readers=1, cases=60), **ABOUT))).text
    )
