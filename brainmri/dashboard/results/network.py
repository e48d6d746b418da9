"""The section of one network: every metric, confusions, curves, calibration, referral, learning, subgroups."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri.dashboard.formatting import fit_table
from brainmri.dashboard.results import network_data as data
from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.loaded import confusions, predictions, runs
from brainmri.dashboard.results.network_sequences import show_contributions
from brainmri.dashboard.results.panels import open_review, show_figure, show_heading, show_table
from brainmri.dashboard.state import explain_errors, query_choice, remember_choice
from brainmri.evaluation.network_rows import (
    calibration_rows,
    cell_rows,
    describe_cell,
    describe_referral,
    describe_temperatures,
    describe_times,
    largest_error,
    metric_notes,
    metric_rows,
    subgroup_rows,
)
from brainmri.figures.one_network import (
    ConfusionValues,
    draw_confusion,
    draw_curves,
    draw_referral,
    draw_reliability,
    draw_subgroups,
)
from brainmri.figures.training import draw_loss_curves
from brainmri.training.architecture_names import display_architecture

_VALUES: Final[dict[ConfusionValues, str]] = {"mean share": "Share of the true class", "mean count": "Count a run"}
_PARTS: Final = {
    "errors": "Metrics and errors",
    "curves": "Curves and calibration",
    "groups": "Learning and subgroups",
    "sequences": "Sequences",
}
_CELL_ROWS: Final = 6


def show(chosen: Choice) -> None:
    """Show the section."""
    found = predictions(chosen)
    if not found.architectures:
        st.info("No finished run has tested anything yet.", icon=":material/info:")
        return
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        network = _choose_network(chosen, found.architectures)
        part = _choose_part()
    if part == "errors":
        _show_errors(chosen, network)
    elif part == "curves":
        _show_all_curves(chosen, network)
    elif part == "sequences":
        with st.container(border=True):
            show_contributions(chosen, network)
    else:
        _show_learning(chosen, network)
        with st.container(border=True):
            _show_subgroups(chosen, network)


def _show_errors(chosen: Choice, network: str) -> None:
    left, right = st.columns([2, 3])
    with left.container(border=True, height="stretch"):
        _show_metrics(chosen, network)
    with right.container(border=True, height="stretch"):
        _show_confusion(chosen, network)


def _show_all_curves(chosen: Choice, network: str) -> None:
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        _show_curves(chosen, network, "roc")
    with right.container(border=True, height="stretch"):
        _show_curves(chosen, network, "precision_recall")
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        _show_calibration(chosen, network)
    with right.container(border=True, height="stretch"):
        _show_referral(chosen, network)


def _choose_network(chosen: Choice, architectures: tuple[str, ...]) -> str:
    """Let the reader choose a network; the address carries it.

    The key keeps the control the same one while its default follows the address: without it, Streamlit takes it for a
    new control after each choice, and loses the next click.
    """
    network: str = st.segmented_control(
        "Network",
        list(architectures),
        format_func=display_architecture,
        default=query_choice("network", architectures) or architectures[0],
        required=True,
        key=f"network-{chosen.experiment.experiment_id}",
        label_visibility="collapsed",
    )
    remember_choice(network=network)
    return network


def _choose_part() -> str:
    """Let the reader choose what is shown; only that is computed and drawn."""
    part: str = st.segmented_control(
        "Show",
        list(_PARTS),
        format_func=_PARTS.__getitem__,
        default="errors",
        required=True,
        key="network_part",
        persist_state="session",
        label_visibility="collapsed",
    )
    return part


def _counted(chosen: Choice) -> str:
    return "images" if chosen.level == "image" else "cases"


def _show_metrics(chosen: Choice, network: str) -> None:
    show_heading("Every metric")
    found = data.bootstraps(chosen, network)
    rows = metric_rows(found, chosen.experiment.classes)
    show_table(rows, height=fit_table(len(rows), 20), column_config={"Metric": st.column_config.TextColumn(width=230)})
    st.caption(
        f"On held-out {_counted(chosen)}; mean over the runs. 95 % interval: other patients of the same kind, the "
        "networks as they are trained (bootstrap of 2,000 draws of patients; that of the calibration error, which the "
        "draws make larger, is moved by as much)."
    )
    for note in metric_notes(found, chosen.experiment.classes):
        st.caption(f":material/info: {note}")


@st.fragment
@explain_errors()
def _show_confusion(chosen: Choice, network: str) -> None:
    with show_heading("What is mistaken for what"):
        values: ConfusionValues = st.segmented_control(
            "Show",
            list(_VALUES),
            format_func=_VALUES.__getitem__,
            default="mean share",
            required=True,
            key="network_confusion_values",
            label_visibility="collapsed",
        )
    points = show_figure(
        draw_confusion(confusions(chosen)[network], values=values),
        key=f"confusion-{network}",
        alt="Confusion matrix: rows true, columns predicted diagnosis, mean and standard deviation over the runs",
        selectable=True,
    )
    st.caption("Mean ± standard deviation over the runs. Click a cell for its cases.")
    cells = data.cells(chosen, network)
    picked = points[0]["customdata"] if points and points[0].get("customdata") else None
    place = (int(picked[0]), int(picked[1])) if picked else largest_error(cells)
    cell = cells[place]
    st.write(f"**{describe_cell(cell, counted='images' if chosen.level == 'image' else 'verdicts')}**")
    if cell.cases:
        show_table(
            cell_rows(cell),
            column_config={
                "Times": st.column_config.NumberColumn(help="All runs together."),
                "Runs": st.column_config.NumberColumn(help="Runs in which it was there."),
                "Review": st.column_config.ButtonColumn("", key="open_cell_case", type="tertiary", width="small"),
            },
            height=fit_table(len(cell.cases), _CELL_ROWS),
        )
    if (opened := st.session_state.get("open_cell_case")) and opened.row < len(cell.cases):
        case = cell.cases[opened.row]
        open_review(chosen, case=case.case_id, run=case.run_ids[0])


def _show_curves(chosen: Choice, network: str, kind: data.CurveKind) -> None:
    show_heading("ROC, one diagnosis against the rest" if kind == "roc" else "Precision and recall")
    bands = data.curves(chosen, network, kind)
    show_figure(
        draw_curves(bands),
        key=f"{kind}-{network}",
        alt="Mean curves over the runs with bands, one a diagnosis",
    )
    named = "the area under the curve" if kind == "roc" else "average precision"
    st.caption(f"Mean over the runs, band ± one standard deviation. Number: {named}, mean ± standard deviation.")
    for note in dict.fromkeys(band.note for band in bands if band.note):
        st.caption(f":material/info: {note}")


def _show_calibration(chosen: Choice, network: str) -> None:
    show_heading("Is it as sure as it is right?")
    scaled = data.calibration(chosen, network)
    found = data.plain_reliability(chosen, network)
    show_figure(
        draw_reliability(found, scaled=None if isinstance(scaled, str) else scaled[1]),
        key=f"reliability-{network}",
        alt="Reliability diagram: share that is right against the probability of the predicted diagnosis",
    )
    st.caption("All runs pooled; 95 % intervals count patients, not images. Below the line: too sure of itself.")
    if isinstance(scaled, str):
        st.caption(f":material/info: {scaled}")
        return
    st.write(describe_temperatures(scaled[0]))
    show_table(calibration_rows(scaled[0]))
    st.caption("Temperature scaling is fitted on the patients set aside from training; means over the runs.")


@st.fragment
@explain_errors()
def _show_referral(chosen: Choice, network: str) -> None:
    show_heading("Refer the unsure ones")
    curve = data.referral(chosen, network)
    share = st.slider(
        f"Share of {_counted(chosen)} referred to a human",
        0,
        99,
        20,
        format="%d %%",
        key="referred_share",
        persist_state="session",
    )
    show_figure(
        draw_referral(curve, at=share / 100, counted=_counted(chosen)),
        key=f"referral-{network}",
        alt="Accuracy on the rest against the share that is referred to a human",
    )
    st.write(describe_referral(curve, share / 100, counted=_counted(chosen)))
    st.caption(
        "Band: one standard deviation over the runs. Read from the test cases themselves, and so hopeful for others."
    )


def _show_learning(chosen: Choice, network: str) -> None:
    points = [point for point in data.epochs(chosen) if point.architecture == network]
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        show_heading("Loss while learning")
        show_figure(
            draw_loss_curves(points, quantity="train_loss"),
            key=f"loss-{network}",
            alt="Training loss by epoch, a thin line a run, a bold one their mean",
        )
    with right.container(border=True, height="stretch"):
        show_heading("Accuracy while learning")
        show_figure(
            draw_loss_curves(points, quantity="train_accuracy"),
            key=f"accuracy-{network}",
            alt="Accuracy on training images by epoch, a thin line a run, a bold one their mean",
        )
    st.caption(describe_times([run for run in runs(chosen) if run.architecture == network]))


def _show_subgroups(chosen: Choice, network: str) -> None:
    show_heading("By scanner, age, sex and tumour size")
    table = data.subgroups(chosen)
    rows = [row for row in table.rows if row.architecture == network]
    if rows:
        left, right = st.columns(2)
        with left:
            show_figure(
                draw_subgroups(rows, overall=data.overall_accuracy(chosen, network)),
                key=f"subgroups-{network}",
                alt="Accuracy in each subgroup with its 95 % interval",
            )
        with right:
            show_table(subgroup_rows(rows), height=fit_table(len(rows), 14))
        st.caption(
            f"Accuracy on held-out {_counted(chosen)}, all runs pooled; 95 % intervals (Wilson) count cases. Hollow: "
            "few cases. Dashed: over all. Groups were not chosen beforehand: a difference is a question, not an answer."
        )
    for note in table.notes:
        st.caption(f":material/info: {note}")
