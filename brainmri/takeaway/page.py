"""The page of a case as one HTML file: styles and pictures inside, nothing from a network."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Final

from brainmri.evaluation.wording import format_points, format_share
from brainmri.takeaway.summary import NO_IDENTITY, PURPOSE, CaseSummary
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_STYLE: Final = """
@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { font: 13px/1.4 "Source Sans 3", "Segoe UI", "Hiragino Sans", "Yu Gothic", "Noto Sans", sans-serif;
  color: #17202a; background: #fff; max-width: 190mm; margin: 6mm auto; padding: 0 4mm;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }
header { display: flex; align-items: baseline; gap: 12px; border-bottom: 2px solid #17202a; padding-bottom: 4px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 14px; margin: 12px 0 4px; }
.purpose { margin-left: auto; font-weight: 600; color: #a33c00; }
.tag { border: 1px solid #6b7885; border-radius: 9px; padding: 0 8px; font-size: 12px; }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; margin: 10px 0; }
dl div { border: 1px solid #ccd4dc; border-radius: 6px; padding: 5px 8px; }
dt { color: #56616d; font-size: 12px; } dd { margin: 0; font-size: 17px; font-weight: 600; }
dd small { display: block; font-weight: 400; font-size: 12px; }
.right { color: #1b6e3c; } .wrong { color: #b3261e; }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 4px; }
figure { margin: 0; position: relative; background: #000; } img { width: 100%; display: block; }
figcaption { position: absolute; left: 6px; top: 4px; color: #fff; font-weight: 600; text-shadow: 0 0 3px #000; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; }
table { border-collapse: collapse; width: 100%; } td { padding: 2px 0; vertical-align: middle; }
td.name { width: 34%; } td.number { width: 15%; text-align: right; font-variant-numeric: tabular-nums; }
.bar { height: 11px; background: #2b709e; border-radius: 2px; min-width: 1px; }
.half { display: flex; width: 50%; } .signed { display: flex; }
.half.left { justify-content: flex-end; border-right: 1px solid #6b7885; }
.against { background: #b3261e; } p { margin: 4px 0; } .small { color: #56616d; font-size: 11.5px; }
.note { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 6px; }
footer { border-top: 1px solid #ccd4dc; margin-top: 12px; padding-top: 4px; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


def write_page(summary: CaseSummary) -> str:
    """Return the page of a case as HTML.

    It opens without a network. All words that come from the study are escaped, and a content security policy forbids
    scripts and anything from elsewhere.
    """
    parts = (
        _header(summary),
        _facts(summary),
        _pictures(summary),
        '<div class="columns">',
        _probabilities(summary),
        _contributions(summary),
        "</div>",
        _findings(summary),
        _footer(summary),
    )
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(summary.case_id)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _header(summary: CaseSummary) -> str:
    phantom = '<span class="tag">Phantom: no patient</span>' if summary.synthetic else ""
    return f'<header><h1>{escape(summary.case_id)}</h1>{phantom}<span class="purpose">{escape(PURPOSE)}</span></header>'


def _facts(summary: CaseSummary) -> str:
    word = "right" if summary.is_right else "wrong"
    right = sum(one.right for one in summary.agreement)
    tested = sum(one.tested for one in summary.agreement)
    facts = (
        ("Pathology", escape(summary.pathology), "as the study holds it"),
        (f"{summary.network} says", escape(summary.verdict), f'<span class="{word}">{word}</span>'),
        (
            "Probability",
            format_share(summary.probabilities[summary.predicted_class], digits=0),
            f"{summary.agreeing} of {summary.seen} slices alone agree",
        ),
        ("All runs", f"{right} of {tested}", "runs that tested the case are right"),
    )
    items = "".join(f"<div><dt>{escape(a)}</dt><dd>{b}<small>{c}</small></dd></div>" for a, b, c in facts)
    return f"<dl>{items}</dl>"


def _pictures(summary: CaseSummary) -> str:
    plain = [(one.sequence, one.plain) for one in summary.pictures]
    mapped = [(f"{one.sequence} with map", one.mapped) for one in summary.pictures if one.mapped is not None]
    figures = "".join(
        f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{b64encode(png).decode()}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, png in plain + mapped
    )
    return f'<div class="pictures">{figures}</div><p class="small">{escape(summary.describe_pictures())}</p>'


def _probabilities(summary: CaseSummary) -> str:
    rows = "".join(
        f'<tr><td class="name">{escape(display_diagnosis(name))}</td>'
        f'<td><div class="bar" style="width:{100 * share:.1f}%"></div></td>'
        f'<td class="number">{format_share(share, digits=0)}</td></tr>'
        for name, share in zip(summary.classes, summary.probabilities, strict=True)
    )
    runs = "; ".join(one.describe() for one in summary.agreement)
    return (
        f"<section><h2>What the network says</h2><table>{rows}</table>"
        f'<p class="small">{escape(summary.describe_verdict())} {escape(summary.describe_split())}</p>'
        f"<p><b>All runs.</b> {escape(runs)}.</p></section>"
    )


def _contributions(summary: CaseSummary) -> str:
    rows = ""
    if summary.contributions is not None:
        values = summary.contributions.values
        largest = max(*map(abs, values), 1e-9)
        rows = "".join(_signed_row(name, value, value / largest) for name, value in zip(SEQUENCES, values, strict=True))
        rows = f"<table>{rows}</table>"
    text = escape(summary.describe_contributions())
    return f'<section><h2>What each sequence contributed</h2>{rows}<p class="small">{text}</p></section>'


def _signed_row(name: str, value: float, share: float) -> str:
    """Return a row with a bar to the right of the middle, or to its left where the sequence spoke against."""
    bar = f'<div class="bar{" against" if value < 0 else ""}" style="width:{100 * abs(share):.1f}%"></div>'
    left, right = (bar, "") if value < 0 else ("", bar)
    return (
        f'<tr><td class="name" style="width:14%">{name}</td><td><div class="signed"><div class="half left">{left}</div>'
        f'<div class="half">{right}</div></div></td><td class="number">{format_points(value)}</td></tr>'
    )


def _findings(summary: CaseSummary) -> str:
    if not summary.findings:
        return "<section><h2>Findings of reviewers</h2><p>No reviewer has entered a finding.</p></section>"
    items = "".join(
        f'<p><b>{escape(one.heading())}</b></p><p class="note">{escape(one.text())}</p>' for one in summary.findings
    )
    return f"<section><h2>Findings of reviewers</h2>{items}</section>"


def _footer(summary: CaseSummary) -> str:
    return (
        f'<footer class="small"><p>{escape(summary.describe_origin())}</p>'
        f"<p>{escape(PURPOSE)} {escape(NO_IDENTITY)}</p></footer>"
    )
