"""A session, or one reader's part in it, as one HTML file: nothing is loaded from anywhere, every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from brainmri.evaluation.case_tests import McNemar
from brainmri.evaluation.intervals import ShareInterval
from brainmri.evaluation.wording import format_p, format_points, format_share
from brainmri.review.agreement import Agreement
from brainmri.teaching.agreement import ReaderAgreement
from brainmri.teaching.html_parts import (
    Markup,
    draw_mean_curves,
    draw_shares,
    facts,
    header,
    heading,
    paragraph,
    table,
    write_document,
    write_share,
)
from brainmri.teaching.items import Item
from brainmri.teaching.scores import ReaderScore, StepScore
from brainmri.teaching.summary import SessionReport, describe_session
from brainmri.vocabulary import display_diagnosis

PURPOSE: Final = "For research and teaching. Not for diagnosis."
_LEGEND: Final = "Hollow: alone. Filled: with the network. Dashed line: the network by itself. Bars are 95 % intervals."
_CURVES: Final = "Dotted: mean of the readers alone. Solid: with the network. Thin: each reader."


def write_session_page(summary: SessionReport) -> str:
    """Return the summary of a session for its instructor."""
    parts = [
        header(summary.title, f"{summary.session_id} · {summary.author} · {_when(summary.written_at)}", PURPOSE),
        paragraph(describe_session(summary)),
        _session_facts(summary),
        heading("Readers"),
        _readers(summary),
        paragraph(_LEGEND, kind="small"),
        heading("Readers against the network on the same cases"),
        paragraph(summary.against_network.sentence),
        _against_network(summary),
        heading("With and without the network, over readers and cases"),
        paragraph(summary.multireader.sentence),
        *(paragraph(warning, kind="warning") for warning in summary.multireader.warnings),
        draw_mean_curves(summary.multireader.grid, summary.multireader.curves),
        paragraph(_CURVES if summary.multireader.analysis is not None else None, kind="small"),
        paragraph(_describe_method(summary), kind="small"),
        heading("Cases, the hardest first"),
        paragraph(summary.items.warning, kind="warning"),
        _items(summary),
    ]
    return write_document(summary.title, parts)


def write_reader_page(
    score: ReaderScore,
    classes: Sequence[str],
    *,
    title: str,
    written_at: datetime,
    network: ShareInterval | None = None,
    case_names: Mapping[str, str] | None = None,
) -> str:
    """Return the result of one reader, without any other reader.

    Parameters
    ----------
    score : ReaderScore
    classes : sequence of str
        Of the session.
    title : str
        Of the session.
    written_at : datetime
    network : ShareInterval, optional
        The network by itself, on the cases that it tested.
    case_names : mapping of str to str, optional
        What stands for each case identifier, for example its place in the reader's order.
    """
    times = score.seconds
    parts = [
        header(score.reader, f"{title} · {_when(written_at)}", PURPOSE),
        facts(
            [
                ("Alone", write_share(score.alone.accuracy), f"right of {score.alone.accuracy.n}"),
                ("With the network", write_share(score.assisted.accuracy), f"right of {score.assisted.accuracy.n}"),
                ("Helped / harmed", f"{score.help.helped} / {score.help.harmed}", "wrong to right / right to wrong"),
                ("Time a case", "–" if times is None else f"{times[1]:.0f} s", "median"),
            ]
        ),
        draw_shares(score.alone.accuracy, score.assisted.accuracy, None if network is None else network.share),
        paragraph(_LEGEND, kind="small"),
        paragraph(score.help.sentence),
        paragraph(score.reliance.sentence if score.help.cases else None),
        *_step_parts("Alone", score.alone, classes),
        *_step_parts("With the network", score.assisted, classes),
        heading("Cases to look at again"),
        _cases_to_see(score, case_names or {}),
    ]
    return write_document(f"{score.reader} · {title}", parts)


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()


def _session_facts(summary: SessionReport) -> Markup:
    helped = summary.helped
    return facts(
        [
            ("Network by itself", write_share(summary.against_network.network), "right on the cases it tested"),
            (
                "Helped / harmed",
                f"{helped.helped} / {helped.harmed}",
                f"of {helped.readings} readings with the network",
            ),
            ("Agreement alone", *_kappa(summary.agreement)),
            ("Agreement with the network", *_kappa(summary.agreement_assisted)),
        ]
    )


def _kappa(found: ReaderAgreement) -> tuple[str, str]:
    if found.kappa is None:
        return "–", found.note or "Fleiss' kappa"
    if found.lower is None or found.upper is None:
        return f"{found.kappa:.2f}", found.note or "Fleiss' kappa"
    interval = f"{found.lower:.2f} to {found.upper:.2f}".replace("-", "−")
    return f"{found.kappa:.2f}".replace("-", "−"), f"Fleiss' kappa, 95 % interval {interval}"


def _cohen(found: Agreement) -> str:
    if found.kappa is None:
        return "–"
    interval = "" if found.lower is None or found.upper is None else f" ({found.lower:.2f} to {found.upper:.2f})"
    return f"{found.kappa:.2f}{interval}".replace("-", "−")


def _readers(summary: SessionReport) -> Markup:
    network = summary.against_network.network.share
    rows = [
        (
            score.reader,
            f"{score.answered} of {score.cases}",
            draw_shares(score.alone.accuracy, score.assisted.accuracy, network),
            write_share(score.alone.accuracy),
            write_share(score.assisted.accuracy),
            f"{score.help.helped} / {score.help.harmed}",
            format_p(score.help.test.p_exact),
            "–" if score.alone.areas.macro is None else f"{score.alone.areas.macro:.3f}",
            _cohen(summary.agreement_with_network[score.reader]),
            "–" if score.seconds is None else f"{score.seconds[1]:.0f} s",
        )
        for score in summary.scores
    ]
    head = ["Reader", "Answered", "Accuracy", "alone", "with the network", "Helped / harmed", "McNemar"]
    return table([*head, "AUC alone", "Kappa with the network", "Time a case"], rows) if rows else Markup("")


def _against_network(summary: SessionReport) -> Markup:
    compared = summary.against_network
    pairs = [*compared.readers, *([compared.majority] if compared.majority is not None else [])]
    rows = [
        (
            pair.reader,
            str(pair.test.cases),
            write_share(pair.reader_right),
            write_share(pair.network_right),
            _difference(pair.test),
            f"{pair.test.only_a} / {pair.test.only_b}",
            format_p(pair.p_adjusted),
        )
        for pair in pairs
    ]
    head = ["Reader", "Cases", "Right", "Network right", "Difference, points", "Only reader / only network right", "p"]
    return table(head, rows) if rows else Markup("")


def _difference(test: McNemar) -> str:
    interval = f"{format_points(test.lower)} to {format_points(test.upper)}"
    return f"{format_points(test.difference)} ({interval})"


def _describe_method(summary: SessionReport) -> str:
    found = summary.multireader
    if found.analysis is None:
        return ""
    left_out = f" Left out: {', '.join(found.left_out)}." if found.left_out else ""
    readers = "1 reader" if len(found.readers) == 1 else f"{len(found.readers)} readers"
    return (
        f"{readers}, {found.cases} cases that all of them read both ways with a confidence.{left_out} "
        "Obuchowski-Rockette analysis with jackknife covariances and Hillis' degrees of freedom "
        "(doi:10.1080/03610919508813243, doi:10.1002/sim.2532)."
    )


def _items(summary: SessionReport) -> Markup:
    def ease(item: Item) -> tuple[float, str]:
        return (2.0 if item.right.share is None else item.right.share, item.case_id)

    rows = [
        (
            item.case_id,
            display_diagnosis(item.truth),
            write_share(item.right),
            "–" if item.discrimination is None else f"{item.discrimination:+.2f}".replace("-", "−"),
            ", ".join(
                f"{count} {display_diagnosis(name)}"
                for name, count in zip(summary.answers.classes, item.counts, strict=True)
                if count
            ),
        )
        for item in sorted(summary.items.items, key=ease)
    ]
    return table(["Case", "Pathology", "Readers right", "Discrimination", "Answers alone"], rows)


def _step_parts(name: str, score: StepScore, classes: Sequence[str]) -> list[Markup]:
    if score.note:
        return [heading(name), paragraph(score.note)]
    shown = [display_diagnosis(one) for one in classes]
    matrix = [
        (pathology, *(str(int(count)) for count in counts))
        for pathology, counts in zip(shown, score.confusion, strict=True)
    ]
    measures = [
        (
            display_diagnosis(one.name),
            write_share(one.sensitivity),
            write_share(one.specificity),
            "–" if area.auc is None else f"{area.auc:.3f}",
        )
        for one, area in zip(score.classes, score.areas.areas, strict=True)
    ]
    error = format_share(score.calibration.error)
    return [
        heading(name),
        table(["Diagnosis", "Sensitivity", "Specificity", "AUC from confidence"], measures),
        paragraph(score.areas.note, kind="small"),
        paragraph(f"{score.calibration.sentence} Expected calibration error {error}."),
        table(["Pathology, answered →", *shown], matrix),
    ]


def _cases_to_see(score: ReaderScore, case_names: Mapping[str, str]) -> Markup:
    if not score.look_again:
        return paragraph("None." if score.answered else "No case was answered.")
    rows = [
        (
            case_names.get(one.case_id, one.case_id),
            display_diagnosis(one.truth),
            display_diagnosis(one.alone) if one.alone else "–",
            display_diagnosis(one.assisted) if one.assisted else "–",
            one.reason,
        )
        for one in score.look_again
    ]
    return table(["Case", "Pathology", "Alone", "With the network", "Why"], rows)
