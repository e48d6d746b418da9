"""Experiments on the training page: the one that runs, live, and earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.access import act, may
from brainmri.dashboard.formatting import (
    fit_table,
    format_bytes,
    format_count,
    format_date,
    format_duration,
    format_time_left,
)
from brainmri.dashboard.progress import REFRESH_S, show_task
from brainmri.dashboard.state import explain_errors, query_choice, remember_choice, rerun_page
from brainmri.errors import StudyError
from brainmri.evaluation.wording import list_words
from brainmri.people.roles import Role
from brainmri.study import Study
from brainmri.tasks import Task
from brainmri.training import jobs
from brainmri.training.architecture_names import display_architecture
from brainmri.training.heartbeats import WorkerRow, list_workers
from brainmri.training.monitor import (
    PAUSED,
    ExperimentProgress,
    ExperimentSummary,
    RunRow,
    experiment_progress,
    list_experiments,
    read_epochs,
    read_log_tail,
)
from brainmri.training.records import FAILED, FINISHED, QUEUED, STOPPED
from brainmri.training.run_queue import move_first, requeue


@dataclass(frozen=True)
class Activity:
    """What is being done now.

    Parameters
    ----------
    preparing : tuple of Task
        Trainings whose data set is made, or a demo in the making, before there are runs.
    experiments : tuple of str
        With runs at work, waiting for a worker, or paused; the oldest first.
    """

    preparing: tuple[Task, ...]
    experiments: tuple[str, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one state of the page from another."""
        return (tuple(task.id for task in self.preparing), self.experiments)


RESULTS_PAGE: Final = "pages/results.py"
REVIEW_PAGE: Final = "pages/review.py"

_BADGES: Final = {
    "running": ("Running", "blue", ":material/autorenew:"),
    "finished": ("Finished", "green", ":material/check:"),
    "failed": ("Ended with failures", "red", ":material/error:"),
    "stopped": ("Stopped", "orange", ":material/stop_circle:"),
    "interrupted": ("Interrupted", "orange", ":material/power_off:"),
    "queued": ("Not begun", "gray", ":material/schedule:"),
    "waiting": ("Waiting", "gray", ":material/schedule:"),
    "paused": ("Paused", "orange", ":material/pause_circle:"),
}
_ACTIVE: Final = ("waiting", "running", "paused")
_LAYERS: Final = {"full": "all", "partial": "last blocks", "head": "last one"}
_LOG_LINES: Final = 20
_CURVES: Final[tuple[tuple[Literal["train_loss", "train_accuracy"], str, str], ...]] = (
    ("train_loss", "Loss on training images", "It falls while a network learns. Bold: mean of the network's runs."),
    ("train_accuracy", "Accuracy on training images", "Higher than on held-out images: the network has seen these."),
)
_CAN_GO_ON: Final = ("interrupted", "stopped", "failed", "queued")
_TRAINING: Final[tuple[Role, ...]] = ("may-train",)
_START_WEIGHTS: Final = {"imagenet": "published", "scratch": "from scratch"}


def read_activity(study: Study) -> Activity:
    """Return what is being trained or prepared now."""
    newest = [tasks.latest(study, kind) for kind in ("train", "demo")]
    active = [one for one in list_experiments(study) if one.status in _ACTIVE]
    subjects = {one.experiment_id for one in active}
    return Activity(
        preparing=tuple(
            task
            for task in newest
            if task is not None and task.status == tasks.RUNNING and not _is_shown(task, subjects)
        ),
        experiments=tuple(sorted(one.experiment_id for one in active)),
    )


def watch_activity(study: Study, activity: Activity) -> None:
    """Draw what is being trained, again every second, and the whole page once when something begins or ends."""

    @st.fragment(run_every=REFRESH_S)
    @explain_errors()
    def watched() -> None:
        now = read_activity(study)
        if now.key != activity.key:
            rerun_page()
        for task in now.preparing:
            show_task(study, task, "Creating the demo study" if task.kind == "demo" else "Preparing the training")
        workers = list_workers(study)
        for place, experiment_id in enumerate(now.experiments):
            _show_active(study, experiment_id, workers, first=place == 0)

    watched()


def _is_shown(task: Task, experiments: Collection[str]) -> bool:
    """Tell whether a task's progress shows as that of its experiment."""
    return task.subject in experiments or (task.kind == "demo" and bool(experiments))


def _show_active(study: Study, experiment_id: str, workers: Sequence[WorkerRow], *, first: bool) -> None:
    """Show one experiment at work: bar, buttons, who trains; the first one with its runs and curves."""
    progress = experiment_progress(study, experiment_id)
    with st.container(border=True, key=f"active-{experiment_id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Training {experiment_id}**", width="content")
            label, colour, icon = _BADGES[progress.status]
            st.badge(label, color=colour, icon=icon)  # type: ignore[arg-type]
            st.space("stretch")
            _show_controls(study, progress, first=first)
        st.progress(progress.fraction)
        st.caption(_describe_activity(progress))
        own = [one for one in workers if one.experiment_id in (None, experiment_id)]
        if first and own:
            st.caption(f":material/memory: {_describe_workers(own)}")
    if first:
        show_runs(study, progress, key="live")


def _describe_activity(progress: ExperimentProgress) -> str:
    done = f"{progress.finished} of {format_count(progress.total, 'run')} finished · {progress.fraction:.0%}"
    if progress.stop_requested:
        return f"{done} · stopping after this batch"
    if progress.status == PAUSED:
        return f"{done} · paused; finished epochs are kept"
    if progress.paused:
        return f"{done} · pausing at the end of this epoch"
    return f"{done} · {format_time_left(progress.seconds_left)}"


def _describe_workers(workers: Sequence[WorkerRow]) -> str:
    """Say how many processes train where, how busy they are and what memory they take."""
    lines = []
    for host in dict.fromkeys(one.host for one in workers):
        own = [one for one in workers if one.host == host]
        text = f"{format_count(len(own), 'process', 'processes')} on {host}, {own[0].device}"
        if own[0].load is not None:
            text += f", {sum(one.load or 0 for one in own) / len(own):.0%} busy"
        memory = sum(one.memory_bytes or 0 for one in own)
        lines.append(f"{text}, {format_bytes(memory)} of memory" if memory else text)
    return " · ".join(lines)


def _show_controls(study: Study, progress: ExperimentProgress, *, first: bool) -> None:
    """Show the buttons that act on an experiment at work, to who may use them."""
    if not may(*_TRAINING):
        return
    experiment_id = progress.experiment_id
    waiting = [run.run_id for run in progress.runs if run.status == QUEUED]
    if not first and waiting:
        st.button(
            "Do next",
            key=f"first-{experiment_id}",
            icon=":material/vertical_align_top:",
            on_click=act,
            args=(_TRAINING, "do next", experiment_id, move_first, study, waiting),
        )
    if progress.paused:
        st.button(
            "Go on",
            key=f"resume-{experiment_id}",
            icon=":material/play_circle:",
            on_click=act,
            args=(_TRAINING, "continue training", experiment_id, _go_on, study, experiment_id),
        )
    else:
        st.button(
            "Pause",
            key=f"pause-{experiment_id}",
            icon=":material/pause_circle:",
            help="Runs at work end their epoch and go on from there later.",
            disabled=progress.stop_requested,
            on_click=act,
            args=(_TRAINING, "pause training", experiment_id, jobs.pause, study, experiment_id),
        )
    st.button(
        "Stopping …" if progress.stop_requested else "Stop",
        key=f"stop-{experiment_id}",
        icon=":material/stop_circle:",
        help="Runs at work end at once. Finished runs are kept, and Continue goes on with the others.",
        disabled=progress.stop_requested,
        on_click=act,
        args=(_TRAINING, "stop training", experiment_id, jobs.request_stop, study, experiment_id),
    )


def _go_on(study: Study, experiment_id: str) -> None:
    """Put what was stopped or has failed back into the queue, and see to it that somebody takes it."""
    jobs.resume_experiment(study, experiment_id)
    _start_worker(study)


def _retry(study: Study, run_id: str) -> None:
    requeue(study, [run_id])
    _start_worker(study)


def _start_worker(study: Study) -> None:
    try:
        jobs.ensure_worker(study)
    except StudyError as error:
        st.toast(str(error), icon=":material/error:")


def pick_experiment(experiments: Sequence[ExperimentSummary]) -> ExperimentSummary | None:
    """Show the list of experiments and return the one that is chosen: in it, by the address, else the newest."""
    ids = [one.experiment_id for one in experiments]
    named = query_choice("experiment", ids, ids[0])
    selection = st.dataframe(
        [_row(one) for one in experiments],
        hide_index=True,
        height=fit_table(len(experiments), 6),
        column_config={
            "Done": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width="small"),
        },
        selection_mode="single-row-required",
        on_select="rerun",
        selection_default={"selection": {"rows": [ids.index(named or ids[0])]}},
        key=f"experiments-{len(ids)}",
    )
    rows = selection["selection"]["rows"]
    chosen = experiments[rows[0]] if rows else None
    remember_choice(experiment=chosen.experiment_id if chosen else None)
    return chosen


def show_experiment(study: Study, summary: ExperimentSummary) -> None:
    """Show one experiment that does not run now: state, ways on, runs and curves."""
    progress = experiment_progress(study, summary.experiment_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(summary.experiment_id, width="content", anchor=False)
        label, colour, icon = _BADGES[progress.status]
        st.badge(label, color=colour, icon=icon)  # type: ignore[arg-type]
        if summary.synthetic:
            st.badge("Phantoms", icon=":material/science:", color="gray")
        st.space("stretch")
        _show_ways_on(study, progress)
    show_runs(study, progress, key=summary.experiment_id)


def show_runs(study: Study, progress: ExperimentProgress, *, key: str) -> None:
    """Show the runs of an experiment as a grid, as curves, and those that failed in words."""
    from brainmri.figures.palette import CHART_CONFIG  # noqa: PLC0415 - plotly waits until there is something to draw
    from brainmri.figures.training import draw_loss_curves, draw_run_grid  # noqa: PLC0415

    _show_failures(progress)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown("**Runs**", help="One cell a run: its accuracy on held-out images, or the epoch that it is at.")
            st.caption(f"{progress.finished} of {format_count(progress.total, 'run')} finished", width="content")
        config = {**CHART_CONFIG, "displayModeBar": False}
        st.plotly_chart(draw_run_grid(progress.runs), theme=None, config=config, key=f"grid-{key}")
    points = read_epochs(study, progress.experiment_id)
    for column, (quantity, title, help_text) in zip(st.columns(2), _CURVES, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{title}**", help=help_text)
            if points:
                figure = draw_loss_curves(points, quantity=quantity, epochs=progress.runs[0].epochs)
                st.plotly_chart(figure, theme=None, config=CHART_CONFIG, key=f"{quantity}-{key}")
            else:
                st.caption("The first point appears when the first epoch is done.")
    with st.expander("Table of runs, and the log of one"):
        selection = st.dataframe(
            [_run_row(run) for run in progress.runs],
            hide_index=True,
            height=fit_table(progress.total, 9),
            selection_mode="single-row",
            on_select="rerun",
            key=f"runs-{key}",
        )
        rows = selection["selection"]["rows"]
        if rows:
            _show_run(study, progress.runs[rows[0]])
        else:
            st.caption("Tick a row to see its log.")


def _show_run(study: Study, run: RunRow) -> None:
    """Show the end of a run's log, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{run.run_id}**", width="content")
        if run.status in (FAILED, STOPPED) and may(*_TRAINING):
            st.button(
                "Try again",
                icon=":material/replay:",
                key=f"retry-{run.run_id}",
                on_click=act,
                args=(_TRAINING, "try run again", run.run_id, _retry, study, run.run_id),
            )
        if run.status == QUEUED and may(*_TRAINING):
            st.button(
                "Do next",
                icon=":material/vertical_align_top:",
                key=f"next-{run.run_id}",
                on_click=act,
                args=(_TRAINING, "do next", run.run_id, move_first, study, [run.run_id]),
            )
    lines = read_log_tail(study, run.run_id, lines=_LOG_LINES)
    if lines:
        st.code("\n".join(lines), language=None, wrap_lines=True)
    else:
        st.caption("It has not begun: there is no log yet.")


def _show_failures(progress: ExperimentProgress) -> None:
    """Say why runs failed, each reason once."""
    reasons: dict[str, list[str]] = {}
    for run in progress.runs:
        if run.status == FAILED:
            name = f"{display_architecture(run.architecture)} {run.repeat}"
            reasons.setdefault(run.message or "No reason was stored.", []).append(name)
    for reason, names in reasons.items():
        shown = list_words(names) if len(names) <= 4 else f"{len(names)} runs"
        st.error(f"{shown} failed: {reason}", icon=":material/error:")


def _show_ways_on(study: Study, progress: ExperimentProgress) -> None:
    if progress.status in _CAN_GO_ON and may(*_TRAINING):
        st.button(
            "Continue",
            icon=":material/play_circle:",
            type="primary",
            key="continue",
            on_click=act,
            args=(_TRAINING, "continue training", progress.experiment_id, _go_on, study, progress.experiment_id),
        )
    finished = [run for run in progress.runs if run.status == FINISHED]
    if finished:
        choice = {"experiment": progress.experiment_id}
        st.page_link(RESULTS_PAGE, label="Results", icon=":material/bar_chart:", query_params=choice)
        st.page_link(
            REVIEW_PAGE,
            label="Review",
            icon=":material/frame_inspect:",
            query_params={**choice, "run": finished[0].run_id},
        )


def _row(one: ExperimentSummary) -> dict[str, Any]:
    settings = one.settings
    return {
        "Experiment": one.experiment_id,
        "State": _BADGES.get(one.status, (one.status,))[0],
        "Done": 100 * one.finished / one.total if one.total else 0.0,
        "Started": format_date(one.created_at),
        "Networks": ", ".join(map(display_architecture, settings["architectures"])),
        "Repeats": settings["repeats"],
        "Epochs": settings["epochs"],
        "Split of": "patients" if settings["split_by"] == "patient" else "images",
        "Layers": _LAYERS[settings.get("mode", "full")],
        "Weights": _START_WEIGHTS.get(settings["weights"], "file"),
        "Cases": "phantoms" if one.synthetic else "patients",
    }


def _run_row(run: RunRow) -> dict[str, Any]:
    return {
        "Run": run.run_id,
        "Network": display_architecture(run.architecture),
        "Repeat": run.repeat,
        "State": run.status,
        "Accuracy (%)": None if run.accuracy is None else round(100 * run.accuracy, 1),
        "Epochs": f"{run.epoch} of {run.epochs}",
        "Time": None if run.seconds is None else format_duration(run.seconds),
        "Images/s": None if run.images_per_second is None else round(run.images_per_second),
        "Remark": " ".join(text for text in (run.message, run.remark) if text) or None,
    }
