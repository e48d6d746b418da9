"""The parts of the overview page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.contents import CASES_PAGE, TRAINING_PAGE, NextStep, StudyContents, next_steps
from brainmri.dashboard.formatting import format_count, format_date
from brainmri.dashboard.progress import may_start, missing_for, show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.state import show_phantom_notice
from brainmri.study import Study
from brainmri.tasks import Task
from brainmri.training.architecture_names import display_architecture
from brainmri.training.settings import PUBLISHED_ARCHITECTURES
from brainmri.training.weights import weights_folder, weights_status

if TYPE_CHECKING:  # numpy, which the first page of an empty study does without
    from brainmri.evaluation.predictions import CaseRow

RESULTS_PAGE: Final = "pages/results.py"

_STEPS: Final = (
    (
        ":material/folder_open:",
        "Import",
        "DICOM or NIfTI images of each patient: T1, T2 and T1 with contrast agent (T1c). Names and numbers of patients "
        "stay behind.",
    ),
    (
        ":material/crop_free:",
        "Prepare",
        "The square around the tumour, the same on all three sequences, becomes one colour image a slice.",
    ),
    (
        ":material/model_training:",
        "Train",
        "AlexNet, GoogLeNet and ResNet50 learn to tell glioblastoma, PCNSL and meningioma apart, ten times each.",
    ),
    (
        ":material/frame_inspect:",
        "Compare and review",
        "How accurate they are, whether they differ, and where in the image each decision comes from, case by case.",
    ),
)


def show_header(contents: StudyContents) -> None:
    """Show the title, and that the study holds phantoms where it does."""
    st.title("Overview")
    if contents.phantoms:
        show_phantom_notice()


def show_demo_progress(study: Study, demo: Task | None) -> None:
    """Show the demo that is being made, or how it ended."""
    if demo is not None and demo.status == tasks.RUNNING:
        watch_task(study, demo, lambda task: show_task(study, task, "Creating the demo study"))
    else:
        show_outcome(demo, advice="What is finished is kept; it can go on where it ended.")


def show_what_it_does() -> None:
    """Say in four steps what the software does."""
    st.markdown("Brain-tumour MRI from the archive to a comparison of networks that everybody can check.")
    for column, (icon, title, text) in zip(st.columns(len(_STEPS)), _STEPS, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{icon} {title}**")
            st.write(text)


def show_ways_to_begin(study: Study, demo: Task | None) -> None:
    """Offer the demo study and the import of one's own images, unless a demo is being made."""
    if demo is not None and demo.status == tasks.RUNNING:
        return
    st.subheader("This study is empty. Two ways to begin")
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.markdown("**Look around with drawn patients**")
        st.write(
            "84 phantom patients are written as DICOM files and imported, and 30 networks trained on them: about five "
            "minutes on a laptop with two cores. Every page is filled afterwards."
        )
        _offer_demo(study, "Create the demo study")
    with right.container(border=True, height="stretch"):
        st.markdown("**Start with your own images**")
        st.write(
            "A folder of DICOM files in any layout, or NIfTI files of each patient, and a table of the diagnoses. "
            "Images stay on this computer."
        )
        if st.button("Import your own", icon=":material/folder_open:"):
            st.switch_page(CASES_PAGE)


def show_numbers(contents: StudyContents) -> None:
    """Show how much there is."""
    cases, images, experiments, runs = st.columns(4)
    left_out = f"{contents.excluded} left out" if contents.excluded else "all take part"
    _metric(cases, "Cases", contents.cases, left_out, ":material/folder_shared:")
    dataset = contents.dataset
    detail = f"{dataset.size_px} × {dataset.size_px} pixels" if dataset else "made by the first training"
    _metric(images, "Images in the data set", dataset.sample_count if dataset else 0, detail, ":material/crop_free:")
    active = sum(one.status == "running" for one in contents.experiments)
    state = f"{active} running" if active else "none running"
    _metric(experiments, "Experiments", len(contents.experiments), state, ":material/model_training:")
    finished = sum(one.finished for one in contents.experiments)
    total = sum(one.total for one in contents.experiments)
    _metric(runs, "Trained networks", finished, f"of {total} planned", ":material/hub:")


def show_case_counts(contents: StudyContents) -> None:
    """Show the cases of each diagnosis as bars."""
    from brainmri.figures.intake import draw_case_counts  # noqa: PLC0415 - plotly waits for a filled study
    from brainmri.figures.palette import CHART_CONFIG  # noqa: PLC0415

    with st.container(border=True, height="stretch"):
        st.subheader("Cases by diagnosis")
        config = {**CHART_CONFIG, "displayModeBar": False}
        st.plotly_chart(draw_case_counts(contents.by_diagnosis), theme=None, config=config, key="case-counts")
        if contents.by_diagnosis.get("schwannoma"):
            st.caption("Schwannoma is kept in the study and left out of training.")


def show_next_steps(study: Study, contents: StudyContents, demo: Task | None) -> None:
    """Show what is worth doing now, with a way to do it."""
    with st.container(border=True, height="stretch"):
        st.subheader("What to do next")
        errors = [case for case in _hardest_cases(study, contents) if case.wrong]
        steps = next_steps(contents, errors)
        if _demo_can_go_on(contents, demo):
            st.write("The demo study is not complete.")
            _offer_demo(study, "Continue the demo study")
        for step in steps:
            _show_step(step)
        if not steps:
            text = "Nothing is waiting. Try other settings, or look at single cases."
            _show_step(NextStep(text=text, page=TRAINING_PAGE, label="Training", icon=":material/model_training:"))
        _show_missing_weights()


def show_newest_result(study: Study, contents: StudyContents) -> None:
    """Show the median accuracy of each architecture in the newest experiment that has results."""
    newest = contents.newest_result
    if newest is None:
        return
    from brainmri.evaluation.reading import read_accuracies  # noqa: PLC0415
    from brainmri.evaluation.wording import format_share  # noqa: PLC0415

    title, link = st.columns([3, 1], vertical_alignment="bottom")
    title.subheader(f"Newest results: {newest.experiment_id}")
    with link.container(horizontal=True, horizontal_alignment="right"):
        st.page_link(
            RESULTS_PAGE,
            label="All results",
            icon=":material/bar_chart:",
            query_params={"experiment": newest.experiment_id},
        )
    accuracies = read_accuracies(study, newest.experiment_id)
    for column, (architecture, values) in zip(st.columns(len(accuracies)), accuracies.items(), strict=True):
        median, q1, q3 = _quartiles(values)
        column.metric(
            display_architecture(architecture),
            format_share(median),
            f"{format_share(q1)} – {format_share(q3)}" if len(values) > 1 else "one run",
            delta_color="off",
            delta_arrow="off",
            delta_description="middle half of the runs" if len(values) > 1 else None,
            border=True,
            height="stretch",
            help="Median share of held-out images that the network classified correctly.",
        )
    unit = "patients" if newest.settings["split_by"] == "patient" else "images"
    st.caption(
        f"Median accuracy on held-out images, random splits of {unit}, "
        f"{newest.finished} of {format_count(newest.total, 'run')}, {format_date(newest.created_at)}."
    )


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return median, first and third quartile (R's type 7)."""
    from brainmri.evaluation.comparison import compare  # noqa: PLC0415

    row = compare({"": values}).descriptive[0]
    return row.median or 0.0, row.q1 or 0.0, row.q3 or 0.0


def _offer_demo(study: Study, label: str) -> None:
    if not may_start("demo"):
        st.caption(f":material/lock: {missing_for('demo')}")
        return
    pressed = st.button(label, type="primary", icon=":material/play_circle:", key="demo")
    if pressed and start_task(study, "demo", ["demo"]):
        st.rerun()


def _demo_can_go_on(contents: StudyContents, demo: Task | None) -> bool:
    """Return whether a demo ended early and the study still holds nothing but its phantoms."""
    ended_early = demo is not None and demo.status not in (tasks.RUNNING, tasks.FINISHED)
    return ended_early and contents.phantoms == contents.cases


def _metric(place: st.delta_generator.DeltaGenerator, label: str, value: int, detail: str, icon: str) -> None:
    place.metric(
        label, f"{value:,}", detail, delta_color="off", delta_arrow="off", border=True, height="stretch", icon=icon
    )


def _show_step(step: NextStep) -> None:
    text, link = st.columns([5, 4], vertical_alignment="center", gap="small")
    text.markdown(step.text)
    link.page_link(step.page, label=step.label, icon=step.icon, query_params=step.choice or None)


def _show_missing_weights() -> None:
    missing = [
        one.file_name for one in weights_status() if not one.present and one.architecture in PUBLISHED_ARCHITECTURES
    ]
    if missing:
        from brainmri.evaluation.wording import list_words  # noqa: PLC0415

        st.caption(
            f":material/info: Published weights that are not on this computer: {list_words(missing)}. Training fetches "
            f"them where there is a network; else put them into {weights_folder()}."
        )


def _hardest_cases(study: Study, contents: StudyContents) -> tuple[CaseRow, ...]:
    newest = contents.newest_result
    return _case_table(study, study.url, newest.experiment_id, newest.created_at, newest.finished) if newest else ()


@st.cache_data(show_spinner=False, max_entries=8)
def _case_table(
    _study: Study, url: str, experiment_id: str, created_at: datetime, finished: int
) -> tuple[CaseRow, ...]:
    """Return the case table of an experiment; study, date and finished runs only tell its states apart."""
    from brainmri.evaluation.reading import read_case_table  # noqa: PLC0415

    return read_case_table(_study, experiment_id)
