"""One test case under one network: three sequences with the Grad-CAM map, verdict and slices."""

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.before_after import show_before_after
from brainmri.dashboard.corrections import draws_region, show_changes, show_corrections
from brainmri.dashboard.explanations import PANELS, show_checks, show_sequences, show_similar
from brainmri.dashboard.findings import show_findings
from brainmri.dashboard.formatting import fit_table, format_count
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.review import (
    TestedCase,
    case_table,
    describe_place,
    describe_progress,
    find_experiment,
    find_run,
    image_table,
    label_run,
    neighbours,
    packed_case,
    read_case_row,
    read_map_summary,
    read_tested_cases,
    read_verdicts,
    same_repeat,
    warm_up,
)
from brainmri.dashboard.state import current_study, explain_errors, query_choice, remember_choice
from brainmri.dashboard.viewer import DrawnRegion, show_viewer
from brainmri.evaluation.case_verdicts import verdicts_on_case
from brainmri.evaluation.predictions import VERDICT_RULE
from brainmri.evaluation.reading import FinishedRun, read_finished_runs
from brainmri.evaluation.wording import format_share, label_experiment
from brainmri.figures.explanation import draw_case_verdicts, draw_probabilities
from brainmri.figures.palette import CHART_CONFIG
from brainmri.review.findings import read_findings
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture
from brainmri.training.experiments import read_experiment
from brainmri.training.monitor import list_experiments
from brainmri.vocabulary import display_diagnosis

WRONG, ALL = "Wrong only", "All tested"
EXPLAIN = "explain"
FILTER = "review-cases"
PER_CENT = st.column_config.NumberColumn(format="%.0f %%")


def show_page() -> None:
    study = current_study()
    summaries = list_experiments(study)
    reviewed = {one.experiment_id: label_experiment(one) for one in summaries if one.finished}
    if not reviewed:
        st.title("Case review")
        show_nothing_yet(waiting=bool(summaries))
        return
    header = st.container(horizontal=True, vertical_alignment="center")
    header.title("Case review", width="stretch", anchor=False)
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    with choices:
        experiment_id = pick_experiment(study, reviewed)
        run = pick_run(study, read_finished_runs(study, experiment_id))
        tested = tested_cases(study, experiment_id, run)
        shown = pick_cases(tested)
    case = pick_case(tested, shown)
    if case is None:
        st.info("This run has no stored predictions, so there is no case to review.", icon=":material/info:")
        return
    remember_choice(experiment=experiment_id, run=run.run_id, case=case.case_id)
    with header:
        show_header(study, run, case, shown)
    show_verdict(run, case, shown)
    with st.container(border=True):
        drawn = show_images(study, run, case)
    left, right = st.columns([3, 2])
    with left.container(border=True, height="stretch"):
        show_all_verdicts(study, experiment_id, run, case)
    with right.container(border=True, height="stretch"):
        show_findings(study, experiment_id, case_id=case.case_id, run_id=run.run_id)
        show_corrections(study, case.case_id, diagnosis=case.diagnosis, drawn=drawn)
    show_changes(study, experiment_id, case.dataset_hash)
    panel = pick_panel(repeats_another=read_experiment(study, experiment_id).parent_id is not None)
    if panel == "cases":
        left, right = st.columns([3, 2])
        with left.container(border=True, height="stretch"):
            show_table(study, run, shown, case)
        with right.container(border=True, height="stretch"):
            show_slices(case)
    else:
        with st.container(border=True):
            show_explanation(study, panel, experiment_id, run, case)
    following = neighbours(shown, case.case_id)[1]
    if following is not None:
        with explain_errors():
            warm_up(study, following)


def show_nothing_yet(*, waiting: bool) -> None:
    with st.container(border=True):
        st.subheader("Nothing to review yet", anchor=False)
        if waiting:
            st.write("No run has finished. Its test cases appear here as soon as the first one has.")
        else:
            st.write(
                "Train the networks first. Every case that a network was tested on can then be looked at here, with "
                "what the network took it for and where it looked."
            )
        st.page_link("pages/training.py", label="Go to training", icon=":material/model_training:")


def pick_experiment(study: Study, reviewed: dict[str, str]) -> str:
    options = list(reviewed)
    of_run = find_experiment(study, st.query_params.get("run"))
    chosen = query_choice("experiment", options, of_run if of_run in options else options[0])
    st.session_state["review-experiment"] = chosen
    st.selectbox(
        "Experiment",
        options,
        format_func=reviewed.get,
        width=285,
        key="review-experiment",
        on_change=lambda: remember_choice(experiment=st.session_state["review-experiment"], run=None),
    )
    return chosen


def pick_run(study: Study, runs: tuple[FinishedRun, ...]) -> FinishedRun:
    by_id = {run.run_id: run for run in runs}
    chosen = query_choice("run", list(by_id)) or find_run(study, runs, st.query_params.get("case"))
    network = by_id[chosen].architecture
    st.session_state["review-network"] = network
    st.segmented_control(
        "Network",
        list(dict.fromkeys(run.architecture for run in runs)),
        format_func=display_architecture,
        required=True,
        key="review-network",
        on_change=lambda: remember_choice(run=same_repeat(runs, chosen, st.session_state["review-network"])),
    )
    st.session_state["review-run"] = chosen
    st.selectbox(
        "Run",
        [run.run_id for run in runs if run.architecture == network],
        format_func=lambda name: label_run(by_id[name]),
        width=165,
        help="A repeat is one random split; all networks of a repeat share it. The share is the test accuracy.",
        key="review-run",
        on_change=lambda: remember_choice(run=st.session_state["review-run"]),
    )
    return by_id[chosen]


def tested_cases(study: Study, experiment_id: str, run: FinishedRun) -> tuple[TestedCase, ...]:
    return _tested_cases(study, study.url, experiment_id, run.run_id, repr((run.accuracy, run.seconds)))


@st.cache_resource(max_entries=64, show_spinner=False)
def _tested_cases(_study: Study, url: str, experiment_id: str, run_id: str, stamp: str) -> tuple[TestedCase, ...]:
    return read_tested_cases(_study, experiment_id, run_id)


def pick_cases(tested: tuple[TestedCase, ...]) -> tuple[TestedCase, ...]:
    wrong = tuple(case for case in tested if not case.is_right)
    counts = {WRONG: len(wrong), ALL: len(tested)}
    named = query_choice("case", [case.case_id for case in tested])
    start = WRONG if wrong and (named is None or named in [case.case_id for case in wrong]) else ALL
    which = st.segmented_control(
        "Cases",
        list(counts),
        format_func=lambda name: f"{name} ({counts[name]})",
        default=start,
        required=True,
        key=FILTER,
        persist_state="session",
        on_change=leave_right_case,
        args=([case.case_id for case in wrong],),
    )
    return wrong if which == WRONG else tested


def leave_right_case(wrong: list[str]) -> None:
    if wrong and st.session_state[FILTER] == WRONG and st.query_params.get("case") not in wrong:
        remember_choice(case=None)


def pick_case(tested: tuple[TestedCase, ...], shown: tuple[TestedCase, ...]) -> TestedCase | None:
    by_id = {case.case_id: case for case in tested}
    asked = st.query_params.get("case")
    if asked in by_id:
        return by_id[asked]
    if asked and tested:
        st.info(
            f"This run did not test {asked}: it was among its training cases, or is not in its data set.",
            icon=":material/info:",
        )
    return (shown or tested or (None,))[0]


def show_header(study: Study, run: FinishedRun, case: TestedCase, shown: tuple[TestedCase, ...]) -> None:
    st.badge("Held-out test case", icon=":material/lock:", color="blue")
    st.badge(f"{display_architecture(run.architecture)}, repeat {run.repeat}", color="gray")
    if read_case_row(study, case.case_id).synthetic:
        st.badge("Phantom", icon=":material/science:", color="violet")
    before, after = neighbours(shown, case.case_id)
    st.button(
        "Previous",
        icon=":material/chevron_left:",
        shortcut="P",
        disabled=before is None,
        on_click=remember_choice,
        kwargs={"case": before},
    )
    st.button(
        "Next",
        icon=":material/chevron_right:",
        icon_position="right",
        shortcut="N",
        type="primary",
        disabled=after is None,
        on_click=remember_choice,
        kwargs={"case": after},
    )


def show_verdict(run: FinishedRun, case: TestedCase, shown: tuple[TestedCase, ...]) -> None:
    columns = st.columns(4)
    columns[0].metric(
        "Case",
        case.case_id,
        delta=describe_place(shown, case),
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    columns[1].metric(
        "Pathology",
        display_diagnosis(case.diagnosis),
        delta=f"network gives it {format_share(case.true_probability, digits=0)}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    columns[2].metric(
        f"{display_architecture(run.architecture)} says",
        display_diagnosis(case.predicted),
        delta="right" if case.is_right else "wrong",
        delta_color="green" if case.is_right else "red",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=VERDICT_RULE,
    )
    columns[3].metric(
        "Probability",
        format_share(case.certainty, digits=0),
        delta=f"{case.agreeing} of {format_count(len(case.images), 'slice')} alone agree",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="Mean over the slices that the network saw.",
    )


def show_images(study: Study, run: FinishedRun, case: TestedCase) -> DrawnRegion | None:
    summary = read_map_summary(study, run.run_id)
    drawing = draws_region()
    drawn = show_viewer(
        packed_case(study, run.run_id, case), key="drawing-viewer" if drawing else "viewer", draw_region=drawing
    )
    if summary is not None:
        st.caption(summary.describe())
    else:
        offer_maps(study, run)
    return drawn


def offer_maps(study: Study, run: FinishedRun) -> None:
    task = tasks.latest(study, EXPLAIN)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, f"Making the maps of {now.subject or 'a run'}"))
        return
    show_outcome(task, advice="Try again, or look at the case without maps.")
    words, action = st.columns([5, 1], vertical_alignment="center")
    words.write(
        "There are no maps of this run yet. Grad-CAM shows which part of the square spoke for a diagnosis. It needs "
        "the stored network once, in the background."
    )
    pressed = action.button(
        "Make the maps",
        type="primary",
        icon=":material/blur_on:",
        width="stretch",
        disabled=tasks.is_running(study, EXPLAIN),
    )
    if pressed and start_task(study, EXPLAIN, ["explain-run", run.run_id], subject=run.run_id):
        st.rerun()


def pick_panel(*, repeats_another: bool) -> str:
    panels = [name for name in PANELS if repeats_another or name != "change"]
    if st.session_state.get("review-panel") not in panels:
        st.session_state.pop("review-panel", None)
    panel = st.segmented_control(
        "Panel",
        panels,
        format_func=PANELS.__getitem__,
        default=query_choice("panel", panels, "cases"),
        required=True,
        key="review-panel",
        persist_state="session",
        label_visibility="collapsed",
    )
    remember_choice(panel=None if panel == "cases" else panel)
    return panel


def show_explanation(study: Study, panel: str, experiment_id: str, run: FinishedRun, case: TestedCase) -> None:
    runs = read_finished_runs(study, experiment_id)
    if panel == "sequences":
        show_sequences(study, run, runs, case)
    elif panel == "checks":
        show_checks(study, run, runs, case)
    elif panel == "change":
        show_before_after(study, experiment_id, finished=len(runs))
    else:
        show_similar(study, run, case)


def show_all_verdicts(study: Study, experiment_id: str, run: FinishedRun, case: TestedCase) -> None:
    finished = len(read_finished_runs(study, experiment_id))
    found = verdicts_on_case(read_verdicts(study, experiment_id, finished), case.case_id)
    st.subheader("What all runs say", anchor=False)
    clicked = st.plotly_chart(
        draw_case_verdicts(found, chosen_run=run.run_id),
        theme=None,
        config={**CHART_CONFIG, "displayModeBar": False},
        key=f"verdicts-{case.case_id}-{run.run_id}",
        on_select="rerun",
        selection_mode="points",
        alt="Verdicts of all runs that tested the case, one cell a run",
    )
    st.caption(
        f"{found.describe()} The colour is the diagnosis that the run gives, ✓ right, ✗ wrong; empty where the run "
        "trained on the case. The framed cell is the run above; click another to open it."
    )
    points = clicked.selection.points
    if points and points[0]["customdata"][0] != run.run_id:
        remember_choice(run=points[0]["customdata"][0])
        st.rerun()


def show_table(study: Study, run: FinishedRun, shown: tuple[TestedCase, ...], case: TestedCase) -> None:
    findings = read_findings(study, find_experiment(study, run.run_id))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Cases to review", anchor=False, width="stretch")
        st.caption(describe_progress(shown, findings), width="content")
    if not shown:
        st.write("This run has every test case right. Choose **All tested** to look at them.")
        return
    ids = [one.case_id for one in shown]
    key = f"tested-{run.run_id}-{len(ids)}-{case.case_id}"
    st.dataframe(
        case_table(shown, findings),
        hide_index=True,
        placeholder="–",
        height=fit_table(len(shown), 9),
        column_config={
            "Probability": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, help="That the network gives to what it says."
            )
        },
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(case.case_id)]}} if case.case_id in ids else None,
        on_select=lambda: open_row(key, ids),
        key=key,
    )
    st.caption("Tick a row to open the case. Wrong verdicts come first, the surest of them at the top.")


def open_row(key: str, ids: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        remember_choice(case=ids[rows[0]])


def show_slices(case: TestedCase) -> None:
    st.subheader("What the network takes it for", anchor=False)
    st.plotly_chart(
        draw_probabilities(case.classes, case.probabilities),
        theme=None,
        config={**CHART_CONFIG, "displayModeBar": False},
        key="probabilities",
        alt="Mean probability of each diagnosis over the slices of the case",
    )
    st.dataframe(
        image_table(case),
        hide_index=True,
        height=fit_table(len(case.images), 6),
        column_config={display_diagnosis(name): PER_CENT for name in case.classes},
        key="slices",
    )
    st.caption("One row a slice that the network saw. The bars are the means.")


show_page()
