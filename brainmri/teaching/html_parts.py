"""Parts of pages that open without a network: the shell, tables, and small drawings of shares and curves.

Everything that is not made here is escaped; a content security policy forbids scripts and anything from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.intervals import ShareInterval
from brainmri.evaluation.wording import format_range, format_share

ALONE: Final = "#6b7885"
WITH_NETWORK: Final = "#0072b2"
NETWORK: Final = "#d55e00"

_STYLE: Final = """
@page { size: A4; margin: 12mm; }
* { box-sizing: border-box; }
body { font: 13.5px/1.45 "Source Sans 3", "Segoe UI", "Hiragino Sans", "Yu Gothic", "Noto Sans", sans-serif;
  color: #17202a; background: #fff; max-width: 1000px; margin: 8mm auto; padding: 0 5mm;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }
header { border-bottom: 2px solid #17202a; padding-bottom: 6px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 16px; margin: 22px 0 6px; }
p { margin: 4px 0; max-width: 80ch; } .small { color: #56616d; font-size: 12px; } .warning { color: #a33c00; }
.purpose { font-weight: 600; color: #a33c00; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 8px; margin: 12px 0; }
dl div { border: 1px solid #ccd4dc; border-radius: 6px; padding: 6px 9px; }
dt { color: #56616d; font-size: 12px; } dd { margin: 0; font-size: 18px; font-weight: 600; }
dd small { display: block; font-weight: 400; font-size: 12px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #6b7885; padding: 3px 8px 3px 0; }
td { border-bottom: 1px solid #e3e8ed; padding: 3px 8px 3px 0; vertical-align: top; overflow-wrap: break-word; }
tr { break-inside: avoid; } svg { display: block; } svg text { font: 12px sans-serif; fill: #17202a; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


class Markup(str):
    """Text that is HTML already; every other text is escaped."""

    __slots__ = ()


def write_document(title: str, parts: Sequence[str]) -> str:
    """Return a whole page. ``title`` is escaped; the parts are HTML."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def header(title: str, about: str, purpose: str) -> Markup:
    """Return the head of a page."""
    inner = f"<h1>{escape(title)}</h1>{paragraph(about, kind='small')}{paragraph(purpose, kind='purpose')}"
    return Markup(f"<header>{inner}</header>")


def heading(text: str) -> Markup:
    return Markup(f"<h2>{escape(text)}</h2>")


def paragraph(text: str | None, *, kind: str = "") -> Markup:
    """Return a paragraph, nothing for no text."""
    if not text:
        return Markup("")
    attribute = f' class="{kind}"' if kind else ""
    return Markup(f"<p{attribute}>{escape(text)}</p>")


def facts(rows: Sequence[tuple[str, str, str]]) -> Markup:
    """Return boxes of a name, a value and what it is."""
    boxes = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(what)}</small></dd></div>"
        for name, value, what in rows
    )
    return Markup(f"<dl>{''.join(boxes)}</dl>")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table; cells that are `Markup` stay as they are, others are escaped."""
    top = "".join(f'<th scope="col">{_write(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{_write(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return Markup(f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def write_share(share: ShareInterval) -> str:
    """Return for example ``85.0 % (70.9–92.9 %)``; a dash where nothing was counted."""
    if share.share is None:
        return "–"
    return f"{format_share(share.share)} ({format_range(share.lower, share.upper)})"


def draw_shares(alone: ShareInterval, assisted: ShareInterval, network: float | None) -> Markup:
    """Return a drawing of two shares with their intervals on a line from 0 to 1, and the network's as a tick."""
    width, reach = 220, 200
    parts = [f'<line x1="10" x2="{10 + reach}" y1="14" y2="14" stroke="#e3e8ed"/>']
    if network is not None:
        x = 10 + reach * network
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="1" y2="27" stroke="{NETWORK}" stroke-dasharray="3 2"/>')
    for share, height, colour, fill in ((alone, 9, ALONE, "#fff"), (assisted, 19, WITH_NETWORK, WITH_NETWORK)):
        if share.share is None or share.lower is None or share.upper is None:
            continue
        low, middle, high = (10 + reach * value for value in (share.lower, share.share, share.upper))
        parts.append(f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{height}" y2="{height}" stroke="{colour}"/>')
        look = f'fill="{fill}" stroke="{colour}" stroke-width="2"'
        parts.append(f'<circle cx="{middle:.1f}" cy="{height}" r="4" {look}/>')
    said = f"alone {write_share(alone)}, with the network {write_share(assisted)}"
    return Markup(f'<svg width="{width}" height="28" role="img" aria-label="{escape(said)}">{"".join(parts)}</svg>')


def draw_mean_curves(grid: NDArray[np.float64], curves: NDArray[np.float64]) -> Markup:
    """Return a drawing of ROC curves, (2, R, G): each reader thin, their means thick; nothing without a reader."""
    if not curves.shape[1]:
        return Markup("")
    side, left, top = 260, 40, 10
    parts = [
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#6b7885"/>',
        f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="#ccd4dc" stroke-dasharray="4 3"/>',
    ]

    def line(curve: NDArray[np.float64], style: str) -> str:
        points = " ".join(f"{left + side * x:.1f},{top + side * (1 - y):.1f}" for x, y in zip(grid, curve, strict=True))
        return f'<polyline points="{points}" fill="none" {style}/>'

    for way, colour in enumerate((ALONE, WITH_NETWORK)):
        parts += [line(curve, f'stroke="{colour}" stroke-opacity="0.3"') for curve in curves[way]]
    dashes = ('stroke-dasharray="2 4"', "")
    for way, colour in enumerate((ALONE, WITH_NETWORK)):
        parts.append(line(curves[way].mean(axis=0), f'stroke="{colour}" stroke-width="3" {dashes[way]}'))
    parts.append(f'<text x="{left + side / 2}" y="{top + side + 24}" text-anchor="middle">False positive rate</text>')
    turned = f'transform="translate(16 {top + side / 2}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">True positive rate</text>')
    label = "ROC curves of the readers: dotted alone, solid with the network"
    size = f'width="{left + side + 10}" height="{top + side + 32}"'
    return Markup(f'<svg {size} role="img" aria-label="{label}">{"".join(parts)}</svg>')


def _write(cell: str) -> str:
    return cell if isinstance(cell, Markup) else escape(cell)
