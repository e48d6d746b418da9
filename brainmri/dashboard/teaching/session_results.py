"""What a session says, for its instructor, and the files to take away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainmri.dashboard.access import may, note
from brainmri.dashboard.formatting import fit_table
from brainmri.dashboard.teaching.locating import show_all_locating
from brainmri.dashboard.teaching.over_sessions import show_over_sessions
from brainmri.dashboard.teaching.scored import answers_of, report_of
from brainmri.evaluation.wording import format_p, format_range, format_share
from brainmri.figures.teaching import draw_difficulty, draw_items, draw_multireader, draw_reader_accuracies
from brainmri.review.agreement import Agreement
from brainmri.study import Study
from brainmri.teaching.agreement import ReaderAgreement
from brainmri.teaching.collecting import answers_csv
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import TeachingSession
from brainmri.teaching.summary import SessionReport, describe_session
from brainmri.teaching.summary_html import write_session_page
from brainmri.teaching.tables import write_tables
from brainmri.vocabulary import display_diagnosis


def show_results(study: Study, session: TeachingSession) -> None:
    """Show the scores of a session."""
    if not may("instructor"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        hidden = st.toggle("Hide names", value=True, key="teaching-hidden-results")
        report = report_of(study, session.session_id, names_hidden=hidden)
        st.markdown(describe_session(report), width="stretch")
        _offer_files(study, session, report)
    real = answers_of(study, session.session_id).readers
    names = dict(zip(real, report.answers.readers, strict=True))
    if SessionPlan.from_json(session.plan).exercise == "locate":
        show_all_locating(study, session.session_id, names)
        return
    if not any(score.answered for score in report.scores):
        st.info("Results appear here as soon as somebody has answered a case.", icon=":material/info:")
        return
    left, right = st.columns(2)
    with left.container(border=True):
        st.markdown("**Readers, alone and with the network**")
        st.plotly_chart(
            draw_reader_accuracies(report.scores, network=report.against_network.network), key="teaching-readers"
        )
        st.caption(report.helped.sentence)
    with right.container(border=True):
        _show_agreement(report)
    with left.container(border=True):
        _show_against_network(report)
    with right.container(border=True):
        _show_multireader(report)
    with left.container(border=True):
        show_over_sessions(study, session.session_id, names)
    with st.container(border=True):
        _show_items(report)


def _show_agreement(report: SessionReport) -> None:
    st.markdown("**Agreement**")
    columns = st.columns(2)
    for column, label, found in zip(
        columns,
        ("Readers, alone", "Readers, with the network"),
        (report.agreement, report.agreement_assisted),
        strict=True,
    ):
        column.metric(
            f"Kappa · {label}",
            _two_digits(found.kappa),
            border=True,
            height="stretch",
        )
        column.caption(_describe_kappa(found))
    rows = [
        {
            "Reader": name,
            "Kappa with the network": _two_digits(found.kappa),
            "95 %": _kappa_range(found),
            "Cases": found.cases,
        }
        for name, found in report.agreement_with_network.items()
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height=fit_table(len(rows), 6))
    st.caption(
        "1: full agreement; 0: as much as by chance. Fleiss' kappa among readers, Cohen's between each and the network."
    )


def _show_against_network(report: SessionReport) -> None:
    compared = report.against_network
    st.markdown("**Readers against the network on the same cases**")
    st.write(compared.sentence)
    pairs = [*compared.readers, *([compared.majority] if compared.majority is not None else [])]
    rows: list[dict[str, Any]] = [
        {
            "Reader": pair.reader,
            "Cases": pair.test.cases,
            "Right": format_share(pair.reader_right.share, digits=0),
            "Network right": format_share(pair.network_right.share, digits=0),
            "McNemar": format_p(pair.test.p_exact),
            "adjusted": format_p(pair.p_adjusted),
        }
        for pair in pairs
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height=fit_table(len(rows), 8))


def _show_multireader(report: SessionReport) -> None:
    found = report.multireader
    st.markdown("**With and without the network, over readers and cases**")
    st.write(found.sentence)
    for warning in found.warnings:
        st.warning(warning, icon=":material/warning:")
    if found.analysis is not None:
        st.plotly_chart(draw_multireader(found), key="teaching-multireader")


def _show_items(report: SessionReport) -> None:
    st.markdown("**Cases: how hard they are, and whether they tell good readers from others**")
    if report.items.warning:
        st.caption(report.items.warning)
    if any(item.discrimination is not None for item in report.items.items):
        left, right = st.columns(2)
        right.plotly_chart(draw_items(report.items), key="teaching-items")
    else:
        left = st.container()
    left.plotly_chart(draw_difficulty(report.items), key="teaching-difficulty")
    st.dataframe(
        [
            {
                "Case": item.case_id,
                "Pathology": display_diagnosis(item.truth),
                "Readers right": format_share(item.right.share, digits=0),
                "95 %": format_range(item.right.lower, item.right.upper),
                "of": item.right.n,
                "Discrimination": _two_digits(item.discrimination),
                "Commonest wrong answer": display_diagnosis(item.commonest_wrong) if item.commonest_wrong else "–",
            }
            for item in report.items.items
        ],
        hide_index=True,
        height=fit_table(len(report.items.items), 10),
    )


def _offer_files(study: Study, session: TeachingSession, report: SessionReport) -> None:
    with st.popover("Take away", icon=":material/download:", key="teaching-files"):
        files = {
            f"{report.session_id}-summary.html": ("Summary (HTML)", write_session_page(report), "text/html"),
            f"{report.session_id}-every-answer.csv": (
                "Every answer, changed ones too (CSV)",
                answers_csv(study, session.session_id, names=report.answers.readers),
                "text/csv",
            ),
            **{name: (f"{name} (CSV)", text, "text/csv") for name, text in write_tables(report).items()},
        }
        for name, (label, content, kind) in files.items():
            st.download_button(
                label,
                content,
                file_name=name,
                mime=kind,
                type="tertiary",
                key=f"teaching-file-{name}",
                on_click=note,
                args=("export session", session.session_id),
            )


def _two_digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _kappa_range(found: Agreement | ReaderAgreement) -> str:
    if found.lower is None or found.upper is None:
        return "–"
    return f"{found.lower:.2f} to {found.upper:.2f}".replace("-", "−")


def _describe_kappa(found: ReaderAgreement) -> str:
    if found.kappa is None:
        return found.note or "not enough answers"
    counted = f"{found.readers} readers, {found.cases} cases"
    if found.lower is None:
        return f"{counted}. {found.note or 'There is no interval.'}"
    return f"95 %: {_kappa_range(found)} · {counted}"
