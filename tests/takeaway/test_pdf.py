"""The PDF page: one page, with Japanese notes, cut where they are too long, without identity."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace

import pytest

from brainmri.errors import UsageError
from brainmri.takeaway.gathering import summarise_case
from brainmri.takeaway.lettering import has_ideographs, mark_up
from brainmri.takeaway.summary import PURPOSE, CaseSummary, ReviewedFinding
from tests.takeaway.conftest import NOTE, REVIEWER

pytest.importorskip("reportlab", reason="reportlab is not installed: pip install -r requirements-takeaway.txt")

from brainmri.takeaway import pdf
from brainmri.takeaway.pdf import CUT, fit_findings, write_pdf


@pytest.fixture(scope="module")
def summary(taken) -> CaseSummary:
    return summarise_case(taken.study, taken.run_id, taken.case_id)


def drawn(content: bytes) -> bytes:
    """Return what a PDF draws, unpacked."""
    parts = re.findall(rb"<<[^<>]*/Filter \[ /FlateDecode \][^<>]*>>\s*stream\r?\n(.*?)endstream", content, re.DOTALL)
    assert parts
    return b"\n".join(zlib.decompressobj().decompress(one) for one in parts)


def finding(note: str, number: int = 1) -> ReviewedFinding:
    return ReviewedFinding(
        reviewer=f"Reviewer {number}", verdict="artefact", difficulty=2, note=note, withheld=False, bookmarked=False
    )


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def test_it_is_one_page_of_a4(summary) -> None:
    content = write_pdf(summary)
    assert content.startswith(b"%PDF-")
    assert pages(content) == 1
    assert re.search(rb"/MediaBox \[ 0 0 595\.28 841\.89 \]", content)


def test_it_says_what_the_study_says(summary) -> None:
    words = drawn(write_pdf(summary))
    for word in (summary.case_id, "Glioblastoma", summary.verdict, PURPOSE, summary.run_id, summary.dataset_hash):
        assert word.encode() in words
    for share in summary.probabilities:
        assert f"({100 * share:.0f} %)".encode() in words


def test_no_path_and_no_person_is_in_it(summary, taken) -> None:
    content = write_pdf(summary)
    for secret in (str(taken.study.folder), "study-of-secrets", REVIEWER, "Kranenburg", "Tanaka"):
        assert secret.encode() not in content
        assert secret.encode() not in drawn(content)
    author, creator = re.search(rb"/Author \((.*?)\)", content), re.search(rb"/Creator \((.*?)\)", content)
    assert author[1] == creator[1] == summary.software.encode()


def test_japanese_is_set_in_a_font_that_has_it() -> None:
    assert mark_up("T1 <b> & 造影") == 'T1 &lt;b&gt; &amp; <font name="HeiseiKakuGo-W5">造影</font>'
    assert mark_up("조영") == '<font name="HYGothic-Medium">조영</font>'
    assert mark_up("µ ü é −3\nnext") == "µ ü é –3<br/>next"
    assert mark_up("a\x07🧠") == 'a<font name="HeiseiKakuGo-W5">□□</font>'
    assert has_ideographs("造影")
    assert not has_ideographs("contrast")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_a_reader_gets_the_letters_of_a_japanese_note(summary, tmp_path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(write_pdf(summary))
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    assert "<script>alert('x')</script> &" in done.stdout
    if "language pack" in done.stderr:
        pytest.skip("poppler-data is not installed: pdftotext cannot read Japanese")
    assert "造影剤で均一に増強される" in done.stdout


def test_a_long_note_is_cut_with_a_sentence_and_the_page_stays_one(summary) -> None:
    long = replace(
        summary, findings=(finding("A long note. " * 300), finding("造影剤。" * 1000, 2), finding("Short.", 3))
    )
    content = write_pdf(long)
    assert pages(content) == 1
    assert CUT.split(" (")[1].rstrip(")").encode() in drawn(content).replace(b"\\", b"")


def test_findings_are_kept_whole_where_they_fit_and_cut_as_little_as_needed() -> None:
    assert fit_findings([finding("Short.")], 200) == ["Reviewer 1: artefact, difficulty 2 of 5. Short."]
    narrow = fit_findings([finding("word " * 400)], 60)[0]
    wide = fit_findings([finding("word " * 400)], 120)[0]
    assert narrow.endswith(CUT)
    assert wide.endswith(CUT)
    assert len(narrow) < len(wide)


def test_more_findings_than_fit_are_counted() -> None:
    words = fit_findings([finding("Note.", number) for number in range(1, 31)], 100)
    assert re.fullmatch(r"\d+ further findings are in the study: the page is full\.", words[-1])
    assert int(words[-1].split()[0]) == 30 - (len(words) - 1)
    assert fit_findings([finding("Note.")], 3) == ["The findings do not fit this page; they are in the study."]


def test_without_reportlab_it_says_what_to_install(summary, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.pdfgen.canvas", None)
    with pytest.raises(UsageError, match=r"reportlab.*pip install -r requirements-takeaway\.txt"):
        write_pdf(summary)
    assert pdf.has_reportlab()


def test_the_note_of_the_study_is_on_the_page(summary) -> None:
    assert summary.findings[0].note == NOTE
    assert b"HeiseiKakuGo-W5" in write_pdf(summary)
