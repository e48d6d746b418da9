"""Experiments on the training page: the one that runs, live, and earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.formatting import fit_table, format_count, format_date, format_duration
from brainmri.dashboard.progress import show_task, start_task
from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.evaluation.wording import list_words
from brainmri.study import Study
from brainmri.tasks import Task
from brainmri.training.architecture_names import display_architecture
from brainmri.training.monitor import (
    ExperimentProgress,
    ExperimentSummary,
    experiment_progress,
    list_experiments,
    read_epochs,
)
from brainmri.training.records import FAILED, FINISHED

RESULTS_PAGE: Final = "pages/results.py"
REVIEW_PAGE: Final = "pages/review.py"

_BADGES: Final = {
    "running": ("Running", "blue", ":material/autorenew:"),
    "finished": ("Finished", "green", ":material/check:"),
    "failed": ("Ended with failures", "red", ":material/error:"),
    "stopped": ("Stopped", "orange", ":material/stop_circle:"),
    "interrupted": ("Interrupted", "orange", ":material/power_off:"),
    "queued": ("Not begun", "gray", ":material/schedule:"),
}
_CURVES: Final[tuple[tuple[Literal["train_loss", "train_accuracy"], str, str], ...]] = (
    ("train_loss", "Loss on training images", "It falls while a network learns. Bold: mean of the network's runs."),
    ("train_accuracy", "Accuracy on training images", "Higher than on held-out images: the network has seen these."),
)
_CAN_GO_ON: Final = ("interrupted", "stopped", "failed", "queued")
_START_WEIGHTS: Final = {"imagenet": "published", "scratch": "from scratch"}


def running_training(study: Study) -> Task | None:
    """Return the task that trains now: a training, or a demo in the making."""
    found = [task for kind in ("train", "demo") if (task := tasks.latest(study, kind)) is not None]
    return next((task for task in found if task.status == tasks.RUNNING), None)


def show_live(study: Study, task: Task) -> None:
    """Show the training that runs: bar, grid of runs, curves and failures."""
    experiment_id = task.subject or _working_experiment(study)
    if experiment_id is None:
        show_task(study, task, "Creating the demo study" if task.kind == "demo" else "Preparing the training")
        return
    progress = experiment_progress(study, experiment_id)
    seconds_left = progress.seconds_left if task.kind == "train" else None
    show_task(study, task, f"Training {experiment_id}", seconds_left=seconds_left)
    show_runs(study, progress, key="live")


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


def show_experiment(study: Study, summary: ExperimentSummary, *, busy: bool) -> None:
    """Show one experiment that does not run now: state, ways on, runs and curves."""
    progress = experiment_progress(study, summary.experiment_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(summary.experiment_id, width="content", anchor=False)
        label, colour, icon = _BADGES.get(progress.status, (progress.status, "gray", None))
        st.badge(label, color=colour, icon=icon)  # type: ignore[arg-type]
        if summary.synthetic:
            st.badge("Phantoms", icon=":material/science:", color="gray")
        st.space("stretch")
        _show_ways_on(study, progress, busy=busy)
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
    with st.expander("Table of runs"):
        st.dataframe(
            [_run_row(run) for run in progress.runs],
            hide_index=True,
            height=fit_table(progress.total, 9),
            key=f"runs-{key}",
        )


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


def _show_ways_on(study: Study, progress: ExperimentProgress, *, busy: bool) -> None:
    if progress.status in _CAN_GO_ON:
        pressed = st.button("Continue", icon=":material/play_circle:", type="primary", disabled=busy, key="continue")
        subject = progress.experiment_id
        if pressed and start_task(study, "train", ["work", subject], subject=subject):
            st.rerun()
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


def _working_experiment(study: Study) -> str | None:
    return next((one.experiment_id for one in list_experiments(study) if one.status == "running"), None)


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
        "Weights": _START_WEIGHTS.get(settings["weights"], "file"),
        "Cases": "phantoms" if one.synthetic else "patients",
    }


def _run_row(run: Any) -> dict[str, Any]:
    return {
        "Run": run.run_id,
        "Network": display_architecture(run.architecture),
        "Repeat": run.repeat,
        "State": run.status,
        "Accuracy (%)": None if run.accuracy is None else round(100 * run.accuracy, 1),
        "Epochs": f"{run.epoch} of {run.epochs}",
        "Time": None if run.seconds is None else format_duration(run.seconds),
        "Images/s": None if run.images_per_second is None else round(run.images_per_second),
        "Remark": run.message,
    }
