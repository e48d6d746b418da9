"""A reader's own results, once all cases are read."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from brainmri.dashboard.access import leave_reading
from brainmri.dashboard.state import explain_errors
from brainmri.dashboard.teaching.locating import show_own_locating
from brainmri.dashboard.teaching.place import show_message
from brainmri.dashboard.teaching.scored import answers_of
from brainmri.dashboard.teaching.words import escape_markdown
from brainmri.database import utc_now
from brainmri.evaluation.wording import format_range, format_share
from brainmri.figures.teaching import draw_calibration, draw_learning, draw_reader_confusion
from brainmri.study import Study
from brainmri.teaching.against_network import compare_with_network
from brainmri.teaching.answers import ReadAnswers, Step
from brainmri.teaching.collecting import read_results_of
from brainmri.teaching.course import Present
from brainmri.teaching.learning import learn
from brainmri.teaching.reading import go_back
from brainmri.teaching.records import OPEN, Reader
from brainmri.teaching.scores import ReaderScore, StepScore, score_reader
from brainmri.teaching.sessions import read_cases, read_session
from brainmri.teaching.summary_html import write_reader_page
from brainmri.vocabulary import display_diagnosis

_NAMES: Final[dict[Step, str]] = {"alone": "Your answers alone", "with network": "Your answers with the network"}


def show_own_results(study: Study, reader: Reader, now: Present) -> None:
    """Show what a reader scored, or that the results wait for the end of the session."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("All cases read", anchor=False, width="content")
        st.caption(f"{escape_markdown(now.title)} · {escape_markdown(reader.name)}", width="stretch")
        st.button("Leave", type="tertiary", icon=":material/logout:", key="teaching-leave", on_click=leave_reading)
    show_message()
    if now.plan.going_back and read_session(study, reader.session_id).status == OPEN:
        st.info(
            "Thank you. Answers can still be changed in this session: your results are shown here once your instructor "
            "has closed it.",
            icon=":material/hourglass_empty:",
        )
        if now.can_go_back and st.button("Back to the last case", icon=":material/chevron_left:", key="teaching-back"):
            go_back(study, reader.reader_id)
            st.rerun()
        return
    if now.plan.exercise == "locate":
        with explain_errors():
            show_own_locating(study, reader.session_id, reader.name)
        return
    _show_scores(study, reader, now)


@explain_errors()
def _show_scores(study: Study, reader: Reader, now: Present) -> None:
    answers = answers_of(study, reader.session_id)
    score = score_reader(answers, reader.name)
    _show_figures(score)
    st.write(score.help.sentence)
    if score.help.cases:
        st.caption(score.reliance.sentence)
    steps: dict[Step, StepScore] = {"alone": score.alone, "with network": score.assisted}
    shown = {step: one for step, one in steps.items() if one.accuracy.n}
    columns = st.columns(2)
    for column, (step, one) in zip(columns, shown.items(), strict=False):
        with column.container(border=True):
            st.markdown(f"**{_NAMES[step]}**")
            st.plotly_chart(draw_reader_confusion(one), key=f"teaching-confusion-{step}")
            st.dataframe(_class_rows(one), hide_index=True)
            if one.areas.note:
                st.caption(one.areas.note)
    left, right = st.columns(2) if len(shown) > 1 else (columns[1], columns[1])
    with left.container(border=True):
        st.markdown("**Are you as right as you are sure?**")
        st.plotly_chart(draw_calibration({step: one.calibration for step, one in shown.items()}), key="teaching-sure")
        st.caption(score.alone.calibration.sentence)
    names = _own_numbers(study, reader)
    with right.container(border=True):
        st.markdown("**Cases to look at again**")
        if score.look_again:
            st.dataframe(_look_again(score, names), hide_index=True)
        else:
            st.write("None.")
    _show_learning(study, reader, right)
    _offer_page(score, answers, now, names)


def _show_figures(score: ReaderScore) -> None:
    columns = st.columns(4)
    for column, label, one in zip(columns, ("Alone", "With the network"), (score.alone, score.assisted), strict=False):
        accuracy = one.accuracy
        column.metric(
            label,
            format_share(accuracy.share, digits=0),
            delta=f"{accuracy.hits} of {accuracy.n} right · 95 %: {format_range(accuracy.lower, accuracy.upper)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
    columns[2].metric(
        "Helped / harmed",
        f"{score.help.helped} / {score.help.harmed}",
        delta="wrong to right / right to wrong",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    times = score.seconds
    columns[3].metric(
        "Time a case",
        "–" if times is None else f"{times[1]:.0f} s",
        delta="median" if times is None else f"median; half between {times[0]:.0f} and {times[2]:.0f} s",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def _class_rows(score: StepScore) -> list[dict[str, Any]]:
    areas = {one.name: one.auc for one in score.areas.areas}
    return [
        {
            "Diagnosis": display_diagnosis(one.name),
            "Sensitivity": format_share(one.sensitivity.share, digits=0),
            "of": one.sensitivity.n,
            "Specificity": format_share(one.specificity.share, digits=0),
            "of ": one.specificity.n,
            "AUC": "–" if (area := areas.get(one.name)) is None else f"{area:.2f}",
        }
        for one in score.classes
    ]


def _look_again(score: ReaderScore, names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "Case": names[one.case_id],
            "Why": one.reason,
            "Pathology": display_diagnosis(one.truth),
            "Alone": display_diagnosis(one.alone) if one.alone else "–",
            "With the network": display_diagnosis(one.assisted) if one.assisted else "–",
        }
        for one in score.look_again
    ]


def _show_learning(study: Study, reader: Reader, column: Any) -> None:
    results = read_results_of(study, name=reader.name, subject=reader.subject)
    if len(results) < 2 or reader.subject is None:
        return  # without a sign-in the same name may be somebody else's
    learning = learn(results)
    with column.container(border=True):
        st.markdown("**Over your sessions**")
        st.plotly_chart(draw_learning(learning), key="teaching-learning")
        st.caption(learning.sentence)


def _offer_page(score: ReaderScore, answers: ReadAnswers, now: Present, names: dict[str, str]) -> None:
    page = write_reader_page(
        score,
        answers.classes,
        title=now.title,
        written_at=utc_now(),
        network=compare_with_network(answers).network,
        case_names=names,
    )
    st.download_button(
        "Take your results away",
        page,
        file_name="reading-results.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        key="teaching-own-page",
        help="A page that opens without a network.",
    )


def _own_numbers(study: Study, reader: Reader) -> dict[str, str]:
    """Return what stands for each case: its number in the reader's own order."""
    places = {position: place for place, position in enumerate(reader.order, 1)}
    return {row.case_id: f"Case {places[row.position]}" for row in read_cases(study, reader.session_id)}
