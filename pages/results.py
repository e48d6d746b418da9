"""Accuracy distributions, ANOVA, Tukey, confusion and hard cases of one experiment."""

import json

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from brainmri.dashboard.state import (
    current_study,
    query_choice,
    remember_choice,
    show_phantom_notice,
)
from brainmri.evaluation.predictions import VERDICT_RULE, Level
from brainmri.evaluation.published import PUBLISHED_ACCURACIES, PUBLISHED_SOURCE
from brainmri.evaluation.reading import EvaluatedExperiment, read_experiment
from brainmri.evaluation.summary import (
    Evaluation,
    accuracies_csv,
    case_rows,
    descriptive_rows,
    evaluate_experiment,
    run_rows,
    tukey_rows,
)
from brainmri.evaluation.wording import (
    IMAGE_SPLIT_CAVEAT,
    OVERLAP_CAVEAT,
    describe_anova,
    describe_experiment,
    describe_missing,
    describe_spread,
    explain_anova,
    format_share,
    label_experiment,
    name_architectures,
)
from brainmri.figures.comparison import draw_accuracy_distribution, draw_confusions, draw_tukey_intervals
from brainmri.figures.palette import CHART_CONFIG
from brainmri.training.architecture_names import display_architecture
from brainmri.training.monitor import list_experiments

LEVELS = {"image": "Images", "case": "Cases"}
CELL_VALUES = {"share": "Share of the true class", "count": "Mean count a run"}
PER_CENT = st.column_config.NumberColumn(format="%.1f %%")
POINTS = st.column_config.NumberColumn(format="%+.1f")


def show_page() -> None:
    study = current_study()
    summaries = list_experiments(study)
    evaluated = {summary.experiment_id: label_experiment(summary) for summary in summaries if summary.finished}
    header = st.container(horizontal=True, vertical_alignment="bottom")
    header.title("Results", width="stretch")
    if not evaluated:
        show_nothing_yet(waiting=bool(summaries))
        return
    with header:
        experiment = read_experiment(study, pick_experiment(evaluated))
        level = pick_level()
    evaluation = evaluate(study.url, experiment, level)
    if evaluation is None:
        show_nothing_yet(waiting=True)
        return
    show_summary(experiment)
    show_medians(evaluation)
    show_distribution(experiment, evaluation)
    show_tables(evaluation)
    show_confusions(evaluation)
    show_cases(experiment, evaluation)
    show_runs(experiment, evaluation)


def pick_experiment(evaluated: dict[str, str]) -> str:
    options = list(evaluated)
    chosen = query_choice("experiment", options, options[0])
    experiment_id = st.selectbox(
        "Experiment", options, index=options.index(chosen), format_func=evaluated.get, width=330
    )
    remember_choice(experiment=experiment_id)
    return experiment_id


def pick_level() -> Level:
    return st.segmented_control(
        "Accuracy of",
        list(LEVELS),
        format_func=LEVELS.get,
        default="image",
        required=True,
        key="level",
        persist_state="session",
        help=VERDICT_RULE,
    )


def evaluate(url: str, experiment: EvaluatedExperiment, level: Level) -> Evaluation | None:
    return _evaluate(url, experiment.experiment_id, str(experiment.created_at), experiment.finished, level)


@st.cache_resource(max_entries=32, show_spinner="Comparing the networks …")
def _evaluate(url: str, experiment_id: str, created_at: str, finished: int, level: Level) -> Evaluation | None:
    return evaluate_experiment(current_study(), experiment_id, level=level)


def show_nothing_yet(*, waiting: bool) -> None:
    with st.container(border=True):
        st.subheader("Nothing to compare yet")
        if waiting:
            st.write("No run has finished. Results appear here as soon as the first one has.")
        else:
            st.write("Train the networks first. Their accuracies, and whether they differ, then appear here.")
        st.page_link("pages/training.py", label="Go to training", icon=":material/model_training:")


def show_summary(experiment: EvaluatedExperiment) -> None:
    st.write(describe_experiment(experiment))
    if experiment.synthetic:
        show_phantom_notice()
    if missing := describe_missing(experiment):
        st.info(missing, icon=":material/hourglass_top:")
    if experiment.settings.split_by == "image":
        st.warning(IMAGE_SPLIT_CAVEAT, icon=":material/content_copy:")


def show_medians(evaluation: Evaluation) -> None:
    for column, row in zip(
        st.columns(len(evaluation.comparison.descriptive)), evaluation.comparison.descriptive, strict=True
    ):
        column.metric(
            display_architecture(row.model),
            format_share(row.median),
            delta=describe_spread(row),
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Median accuracy over the repeats, and the range from the lower to the upper quartile.",
        )


def show_distribution(experiment: EvaluatedExperiment, evaluation: Evaluation) -> None:
    left, right = st.columns([3, 2])
    with left.container(border=True, height="stretch"):
        with show_heading("Accuracy over repeats"):
            overlay = st.toggle("Published study", key="overlay", persist_state="session", help=PUBLISHED_SOURCE)
        clicked = st.plotly_chart(
            draw_accuracy_distribution(
                evaluation.comparison.descriptive,
                evaluation.runs,
                published=PUBLISHED_ACCURACIES if overlay else (),
                level=evaluation.level,
            ),
            theme=None,
            config=CHART_CONFIG,
            key="distribution",
            on_select="rerun",
            selection_mode="points",
            alt="Box plot of the accuracies of each network, one point a repeat",
        )
        st.caption("Box: quartiles and median. Point: one repeat; click it to review that run.")
    with right.container(border=True, height="stretch"):
        show_differences(evaluation)
    points = clicked.selection.points
    if points and points[0].get("customdata"):
        st.switch_page("pages/review.py", query_params=choice(experiment, run=points[0]["customdata"][0]))


def show_differences(evaluation: Evaluation) -> None:
    comparison = evaluation.comparison
    show_heading("Do the networks differ?")
    for note in comparison.notes:
        st.info(name_architectures(note), icon=":material/info:")
    if explained := explain_anova(comparison.anova):
        st.write(f"One-way ANOVA: **{describe_anova(comparison.anova)}**. {explained}")
        st.plotly_chart(
            draw_tukey_intervals(comparison.tukey),
            theme=None,
            config=CHART_CONFIG,
            key="intervals",
            alt="Differences of mean accuracy with simultaneous 95 % intervals",
        )
        st.caption(f":material/warning: {OVERLAP_CAVEAT}")


def show_tables(evaluation: Evaluation) -> None:
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        show_heading("Median and spread")
        st.dataframe(
            descriptive_rows(evaluation.comparison),
            column_config=dict.fromkeys(("Median", "Mean", "SD"), PER_CENT),
            hide_index=True,
            placeholder="–",
        )
        st.caption("n: repeats. IQR: from the lower to the upper quartile. SD: standard deviation.")
    with right.container(border=True, height="stretch"):
        show_heading("Pair by pair")
        if evaluation.comparison.tukey:
            st.dataframe(
                tukey_rows(evaluation.comparison),
                column_config={"Difference": POINTS, "p": st.column_config.TextColumn(alignment="right")},
                hide_index=True,
                placeholder="–",
            )
        st.caption("Tukey HSD: differences of mean accuracy in percentage points, simultaneous 95 % intervals.")


def show_confusions(evaluation: Evaluation) -> None:
    with st.container(border=True):
        with show_heading("What is mistaken for what"):
            values = st.segmented_control(
                "Show",
                list(CELL_VALUES),
                format_func=CELL_VALUES.get,
                default="share",
                required=True,
                key="confusion_values",
                label_visibility="collapsed",
            )
        st.plotly_chart(
            draw_confusions(list(evaluation.confusions.values()), values=values),
            theme=None,
            config=CHART_CONFIG,
            key="confusions",
            alt="Confusion matrices, one a network: rows true, columns predicted diagnosis",
        )


def show_cases(experiment: EvaluatedExperiment, evaluation: Evaluation) -> None:
    if not evaluation.cases:
        return
    hardest = evaluation.cases[0]
    with st.container(border=True):
        show_heading("Hardest cases")
        st.dataframe(
            case_rows(evaluation),
            column_config={
                "Wrong": st.column_config.ProgressColumn(
                    "Wrong verdicts",
                    format="%.0f %%",
                    min_value=0,
                    max_value=100,
                    help="Of the runs that tested the case.",
                ),
                "Probability": st.column_config.NumberColumn(
                    format="%.0f %%", help="Mean probability that the verdicts gave to the true diagnosis."
                ),
                "Review": st.column_config.ButtonColumn("", key="open_case", type="tertiary", width="small"),
            },
            hide_index=True,
            placeholder="–",
            height=318,
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{VERDICT_RULE} For each network: wrong verdicts of the runs that tested the case.")
            st.page_link(
                "pages/review.py",
                label=f"Review {hardest.case_id}",
                icon=":material/frame_inspect:",
                query_params=choice(experiment, case=hardest.case_id, run=hardest.example_run_id),
            )
    if opened := st.session_state.get("open_case"):
        case = evaluation.cases[opened.row]
        st.switch_page("pages/review.py", query_params=choice(experiment, case=case.case_id, run=case.example_run_id))


def show_runs(experiment: EvaluatedExperiment, evaluation: Evaluation) -> None:
    with st.container(border=True):
        show_heading("Runs")
        st.dataframe(
            run_rows(evaluation),
            column_config={
                "Accuracy": PER_CENT,
                "Images/s": st.column_config.NumberColumn(format="%.0f", help="Training images seen a second."),
                "Time": st.column_config.NumberColumn(format="%.0f s", help="Training and testing."),
                "Review": st.column_config.ButtonColumn("", key="open_run", type="tertiary", width="small"),
            },
            hide_index=True,
            placeholder="–",
            height=318,
        )
        with st.container(horizontal=True):
            show_downloads(experiment, evaluation)
    if opened := st.session_state.get("open_run"):
        run = evaluation.runs[opened.row]
        st.switch_page("pages/review.py", query_params=choice(experiment, run=run.run_id))


def show_heading(text: str) -> DeltaGenerator:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.subheader(text, width="stretch")
    return row


def show_downloads(experiment: EvaluatedExperiment, evaluation: Evaluation) -> None:
    st.download_button(
        "Accuracies (CSV)",
        accuracies_csv(evaluation),
        file_name=f"{experiment.experiment_id}-{evaluation.level}-accuracies.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Comparison (JSON)",
        json.dumps(evaluation.comparison.to_json(), indent=2, ensure_ascii=False),
        file_name=f"{experiment.experiment_id}-{evaluation.level}-comparison.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def choice(experiment: EvaluatedExperiment, **further: str) -> dict[str, str]:
    return {"experiment": experiment.experiment_id, **further}


show_page()
