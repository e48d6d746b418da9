"""The page of a case as a PDF file of one A4 page, through reportlab (BSD licence)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from brainmri.errors import UsageError
from brainmri.evaluation.wording import format_points, format_share
from brainmri.takeaway.lettering import LATIN, LATIN_BOLD, has_ideographs, mark_up, register_fonts
from brainmri.takeaway.summary import NO_IDENTITY, PURPOSE, CaseSummary, ReviewedFinding
from brainmri.vocabulary import SEQUENCES, display_diagnosis

INSTALL: Final = (
    "A PDF needs the library reportlab, which is not installed: pip install -r requirements-takeaway.txt. "
    "The HTML page needs none and can be printed."
)
CUT: Final = "… (Cut here to fit the page; the whole note is in the study.)"

_WIDTH, _HEIGHT = 595.28, 841.89  # A4 in points
_MARGIN: Final = 34.0
_INNER: Final = _WIDTH - 2 * _MARGIN
_GAP: Final = 5.0
_INK, _MUTED, _LINE, _BAR, _AGAINST, _RIGHT, _WARN = (
    "#17202a",
    "#56616d",
    "#ccd4dc",
    "#2b709e",
    "#b3261e",
    "#1b6e3c",
    "#a33c00",
)


def has_reportlab() -> bool:
    """Return whether the library is installed, without importing it."""
    from importlib.util import find_spec  # noqa: PLC0415

    return find_spec("reportlab") is not None


def write_pdf(summary: CaseSummary) -> bytes:
    """Return the page of a case as a PDF file of one A4 page.

    Notes too long for the page are cut, with a sentence that says so.

    Raises
    ------
    UsageError
        Where reportlab is not installed.
    """
    try:
        from reportlab import rl_config  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
        from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
    except ImportError as error:
        raise UsageError(INSTALL) from error
    rl_config.useA85 = 0  # pictures as bytes: writing them as letters takes most of the time and a quarter more room
    register_fonts()
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(_WIDTH, _HEIGHT))
    canvas.setTitle(summary.case_id)
    canvas.setAuthor(summary.software)
    canvas.setCreator(summary.software)
    canvas.setSubject(PURPOSE)
    sheet = _Sheet(canvas, _HEIGHT - _MARGIN)
    _draw_header(sheet, summary)
    _draw_facts(sheet, summary)
    _draw_pictures(sheet, summary)
    _draw_columns(sheet, summary)
    bottom = _draw_footer(sheet, summary)
    _draw_findings(sheet, summary.findings, bottom)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


@dataclass
class _Sheet:
    """The page while it is written, from top to bottom."""

    canvas: Any
    y: float
    """Height (points from the bottom) below which is free."""

    def text(self, x: float, y: float, words: str, *, size: float = 9, bold: bool = False, colour: str = _INK) -> None:
        """Write one line of Latin letters."""
        self.canvas.setFont(LATIN_BOLD if bold else LATIN, size)
        self.canvas.setFillColor(colour)
        self.canvas.drawString(x, y, words)

    def text_right(self, x: float, y: float, words: str, *, size: float = 9, colour: str = _INK) -> None:
        """Write one line of Latin letters that ends at x."""
        self.canvas.setFont(LATIN, size)
        self.canvas.setFillColor(colour)
        self.canvas.drawRightString(x, y, words)

    def bar(self, x: float, y: float, width: float, colour: str) -> None:
        """Draw a bar from x to the right."""
        self.canvas.setFillColor(colour)
        self.canvas.rect(x, y, max(width, 0.5), 7, stroke=0, fill=1)

    def paragraph(
        self, x: float, top: float, width: float, words: str, *, colour: str = _INK, size: float = 8
    ) -> float:
        """Write words in lines and return their height."""
        made, height = _paragraph(words, width, colour=colour, size=size)
        made.drawOn(self.canvas, x, top - height)
        return height


def _paragraph(words: str, width: float, *, colour: str = _INK, size: float = 8) -> tuple[Any, float]:
    from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
    from reportlab.platypus import Paragraph  # type: ignore[import-untyped]  # noqa: PLC0415 - optional

    style = ParagraphStyle(
        "words",
        fontName=LATIN,
        fontSize=size,
        leading=size * 1.3,
        textColor=colour,
        wordWrap="CJK" if has_ideographs(words) else None,
        splitLongWords=1,
    )
    made = Paragraph(mark_up(words), style)
    return made, made.wrap(width, _HEIGHT)[1]


def _draw_header(sheet: _Sheet, summary: CaseSummary) -> None:
    sheet.y -= 16
    sheet.text(_MARGIN, sheet.y, summary.case_id, size=18, bold=True)
    if summary.synthetic:
        width = sheet.canvas.stringWidth(summary.case_id, LATIN_BOLD, 18)
        sheet.text(_MARGIN + width + 12, sheet.y, "Phantom: no patient", colour=_MUTED)
    sheet.canvas.setFont(LATIN_BOLD, 9.5)
    sheet.canvas.setFillColor(_WARN)
    sheet.canvas.drawRightString(_WIDTH - _MARGIN, sheet.y, PURPOSE)
    sheet.y -= 6
    sheet.canvas.setStrokeColor(_INK)
    sheet.canvas.setLineWidth(1.2)
    sheet.canvas.line(_MARGIN, sheet.y, _WIDTH - _MARGIN, sheet.y)


def _draw_facts(sheet: _Sheet, summary: CaseSummary) -> None:
    right = sum(one.right for one in summary.agreement)
    tested = sum(one.tested for one in summary.agreement)
    word, colour = ("right", _RIGHT) if summary.is_right else ("wrong", _AGAINST)
    share = format_share(summary.probabilities[summary.predicted_class], digits=0)
    facts = (
        ("Pathology", summary.pathology, "as the study holds it", _MUTED),
        (f"{summary.network} says", summary.verdict, word, colour),
        ("Probability", share, f"{summary.agreeing} of {summary.seen} slices alone agree", _MUTED),
        ("All runs", f"{right} of {tested}", "that tested the case are right", _MUTED),
    )
    width, height = (_INNER - 3 * _GAP) / 4, 44
    top = sheet.y - 8
    for place, (label, value, remark, tint) in enumerate(facts):
        x = _MARGIN + place * (width + _GAP)
        sheet.canvas.setStrokeColor(_LINE)
        sheet.canvas.setLineWidth(0.8)
        sheet.canvas.roundRect(x, top - height, width, height, 4)
        sheet.text(x + 6, top - 12, label, size=8, colour=_MUTED)
        sheet.text(x + 6, top - 27, value, size=12.5, bold=True)
        sheet.text(x + 6, top - 38, remark, size=8, colour=tint)
    sheet.y = top - height


def _draw_pictures(sheet: _Sheet, summary: CaseSummary) -> None:
    from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]  # noqa: PLC0415 - optional

    rows = [[(one.sequence, one.plain) for one in summary.pictures]]
    mapped = [(f"{one.sequence} with map", one.mapped) for one in summary.pictures if one.mapped is not None]
    rows += [mapped] if mapped else []
    width = (_INNER - 2 * 3) / 3
    top = sheet.y - 8
    for row in rows:
        height = 0.0
        for place, (name, png) in enumerate(row):
            reader = ImageReader(io.BytesIO(png))
            pixels = reader.getSize()
            height = min(width * pixels[1] / pixels[0], width * 1.15)
            drawn = height * pixels[0] / pixels[1]
            x = _MARGIN + place * (width + 3)
            sheet.canvas.setFillColor("#000000")
            sheet.canvas.rect(x, top - height, width, height, stroke=0, fill=1)
            sheet.canvas.drawImage(reader, x + (width - drawn) / 2, top - height, drawn, height)
            sheet.canvas.saveState()
            sheet.canvas.setFillColor("#000000", alpha=0.55)
            sheet.canvas.rect(x, top - 15, sheet.canvas.stringWidth(name, LATIN_BOLD, 8.5) + 10, 15, stroke=0, fill=1)
            sheet.canvas.restoreState()
            sheet.text(x + 5, top - 11, name, size=8.5, bold=True, colour="#ffffff")
        top -= height + 3
    sheet.y = top - sheet.paragraph(_MARGIN, top, _INNER, summary.describe_pictures(), colour=_MUTED, size=7.5)


def _draw_columns(sheet: _Sheet, summary: CaseSummary) -> None:
    width = (_INNER - 18) / 2
    top = sheet.y - 14
    left = _draw_probabilities(sheet, summary, _MARGIN, top, width)
    right = _draw_contributions(sheet, summary, _MARGIN + width + 18, top, width)
    sheet.y = min(left, right)


def _draw_probabilities(sheet: _Sheet, summary: CaseSummary, x: float, top: float, width: float) -> float:
    """Draw the left column and return its lower end."""
    sheet.text(x, top, "What the network says", size=10, bold=True)
    y = top - 4
    for name, share in zip(summary.classes, summary.probabilities, strict=True):
        y -= 12
        sheet.text(x, y, display_diagnosis(name), size=8.5)
        sheet.bar(x + 78, y - 0.5, (width - 78 - 34) * share, _BAR)
        sheet.text_right(x + width, y, format_share(share, digits=0), size=8.5)
    words = f"{summary.describe_verdict()} {summary.describe_split()}"
    y -= 5 + sheet.paragraph(x, y - 5, width, words, colour=_MUTED, size=7.5)
    runs = f"All runs. {'; '.join(one.describe() for one in summary.agreement)}."
    return y - 3 - sheet.paragraph(x, y - 3, width, runs, size=8)


def _draw_contributions(sheet: _Sheet, summary: CaseSummary, x: float, top: float, width: float) -> float:
    """Draw the right column and return its lower end."""
    sheet.text(x, top, "What each sequence contributed", size=10, bold=True)
    y = top - 4
    if summary.contributions is not None:
        values = summary.contributions.values
        largest = max(*map(abs, values), 1e-9)
        half = (width - 30 - 40) / 2
        middle = x + 30 + half
        for name, value in zip(SEQUENCES, values, strict=True):
            y -= 12
            sheet.text(x, y, name, size=8.5)
            long = half * abs(value) / largest
            sheet.bar(middle - long if value < 0 else middle, y - 0.5, long, _AGAINST if value < 0 else _BAR)
            sheet.text_right(x + width, y, format_points(value).replace("−", "–"), size=8.5)
    return y - 5 - sheet.paragraph(x, y - 5, width, summary.describe_contributions(), colour=_MUTED, size=7.5)


def _draw_footer(sheet: _Sheet, summary: CaseSummary) -> float:
    """Write the small print at the foot of the page and return its upper end."""
    words = f"{summary.describe_origin()}\n{PURPOSE} {NO_IDENTITY}"
    made, height = _paragraph(words, _INNER, colour=_MUTED, size=7.5)
    made.drawOn(sheet.canvas, _MARGIN, _MARGIN)
    top = float(_MARGIN + height + 4)
    sheet.canvas.setStrokeColor(_LINE)
    sheet.canvas.setLineWidth(0.8)
    sheet.canvas.line(_MARGIN, top, _WIDTH - _MARGIN, top)
    return top


def _draw_findings(sheet: _Sheet, findings: Sequence[ReviewedFinding], bottom: float) -> None:
    sheet.text(_MARGIN, sheet.y - 15, "Findings of reviewers", size=10, bold=True)
    y = sheet.y - 20
    if not findings:
        sheet.paragraph(_MARGIN, y, _INNER, "No reviewer has entered a finding.")
        return
    for words in fit_findings(findings, y - bottom - 4):
        y -= 2 + sheet.paragraph(_MARGIN, y, _INNER, words)


def fit_findings(findings: Sequence[ReviewedFinding], height: float) -> list[str]:
    """Return findings as words that fit into a height: whole, else with notes cut, else the first of them.

    Parameters
    ----------
    findings : sequence of ReviewedFinding
    height : float
        In points, at the width of the page.
    """
    register_fonts()
    for count in range(len(findings), 0, -1):
        letters = _most_letters(findings, count, height)
        if letters is not None:
            return _words(findings, count, letters)
    return ["The findings do not fit this page; they are in the study."]


def _most_letters(findings: Sequence[ReviewedFinding], count: int, height: float) -> int | None:
    """Return the longest length of notes with which the first findings fit, or None where not even headings do."""
    most = max(len(one.text()) for one in findings)
    fitting, too_long = -1, most + 1
    if _tall(_words(findings, count, most)) <= height:
        return most
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        if _tall(_words(findings, count, middle)) <= height:
            fitting = middle
        else:
            too_long = middle
    return fitting if fitting >= 0 else None


def _words(findings: Sequence[ReviewedFinding], count: int, letters: int) -> list[str]:
    words = [f"{one.heading()}. {_cut(one, letters).text()}" for one in findings[:count]]
    left = len(findings) - count
    if left:
        words.append(f"{left} further finding{'s are' if left > 1 else ' is'} in the study: the page is full.")
    return words


def _cut(finding: ReviewedFinding, letters: int) -> ReviewedFinding:
    if finding.withheld or len(finding.note) <= letters:
        return finding
    return replace(finding, note=finding.note[:letters].rstrip() + CUT)


def _tall(words: Sequence[str]) -> float:
    return sum(2 + _paragraph(one, _INNER)[1] for one in words)
