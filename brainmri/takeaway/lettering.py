"""Fonts of the PDF: Latin letters in Helvetica, Japanese, Chinese and Korean ones in fonts that readers bring along.

The latter are the CID-keyed fonts that PDF readers supply themselves (ISO 32000-1, 9.7.5.2), so that no font file has
to be shipped and a page stays small.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

LATIN: Final = "Helvetica"
LATIN_BOLD: Final = "Helvetica-Bold"
UNKNOWN: Final = "□"
"""Stands for a letter that no font has."""

_CID_FONTS: Final = (
    ("cp932", "HeiseiKakuGo-W5"),
    ("euc_kr", "HYGothic-Medium"),
    ("gb2312", "STSong-Light"),
)
"""Encodings, in the order in which they are tried, and the font that has their letters."""

_SAME: Final = str.maketrans({"−": "–", "\u00a0": " ", "\t": " ", "\u2009": " ", "\u202f": " "})


def register_fonts() -> None:
    """Make the fonts known to reportlab; once is enough, again does no harm."""
    from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]  # noqa: PLC0415 - optional

    known = set(pdfmetrics.getRegisteredFontNames())
    for _, name in _CID_FONTS:
        if name not in known:
            pdfmetrics.registerFont(UnicodeCIDFont(name))


def mark_up(text: str) -> str:
    """Return words as markup for reportlab: escaped, with their line breaks, each letter in a font that has it."""
    return "<br/>".join(_mark_up_line(line) for line in text.translate(_SAME).splitlines())


def has_ideographs(text: str) -> bool:
    """Return whether lines may be broken between any two letters, as in Japanese."""
    return any(_font_of(letter) not in (None, LATIN) for letter in text)


def _mark_up_line(line: str) -> str:
    parts = []
    for font, letters in groupby(line, key=_font_of):
        words = "".join(letters)
        if font == LATIN:
            parts.append(escape(words))
        elif font is None:
            parts.append(f'<font name="{_CID_FONTS[0][1]}">{UNKNOWN * len(words)}</font>')
        else:
            parts.append(f'<font name="{font}">{escape(words)}</font>')
    return "".join(parts)


def _font_of(letter: str) -> str | None:
    """Return the font that has a letter, or None where none has; control characters count as such."""
    if letter < " " or "\x7f" <= letter <= "\x9f" or ord(letter) > 0xFFFF:
        return None
    if _encodes(letter, "cp1252"):
        return LATIN
    return next((font for encoding, font in _CID_FONTS if _encodes(letter, encoding)), None)


def _encodes(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
