"""What the reader of the results chose: the experiment, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.evaluation.loading import Level
from brainmri.evaluation.metric_text import METRIC_HELP, name_metric
from brainmri.evaluation.metrics import METRIC_NAMES, Metric, metrics_of
from brainmri.evaluation.reading import EvaluatedExperiment, read_experiment
from brainmri.evaluation.verdicts import VERDICT_RULES, VerdictRule
from brainmri.study import Study

LEVELS: Final[dict[Level, str]] = {"image": "Images", "case": "Cases"}
RULES: Final[dict[VerdictRule, str]] = {"mean": "Mean probability", "vote": "Vote", "maximum": "Surest image"}

_HELP: Final = "\n".join(f"- **{METRIC_NAMES[name]}**: {text}" for name, text in METRIC_HELP.items())


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is shown.

    Parameters
    ----------
    study_url : str
        Address of the database.
    experiment : EvaluatedExperiment
    level : {'image', 'case'}
    metric : Metric
    rule : {'mean', 'vote', 'maximum'}
        How images become the verdict on a case.
    """

    study_url: str
    experiment: EvaluatedExperiment
    level: Level
    metric: Metric
    rule: VerdictRule

    @property
    def cache_key(self) -> tuple[str, ...]:
        """What the finished runs of the experiment are known by: another as soon as one more finishes."""
        one = self.experiment
        return (self.study_url, one.experiment_id, str(one.created_at), str(one.finished))

    @property
    def scored_key(self) -> tuple[str, ...]:
        """``cache_key``, level and rule."""
        return (*self.cache_key, self.level, self.rule if self.level == "case" else "")

    @property
    def metric_key(self) -> tuple[str, ...]:
        """``scored_key`` and metric."""
        return (*self.scored_key, self.metric.name, str(self.metric.class_index))

    @property
    def metric_name(self) -> str:
        """The metric as pages write it."""
        return name_metric(self.metric, self.experiment.classes)


def choose_experiment(evaluated: dict[str, str]) -> str:
    """Let the reader choose one of the experiments (id to label); the address carries it."""
    options = list(evaluated)
    chosen = query_choice("experiment", options) or options[0]
    experiment_id = st.selectbox(
        "Experiment",
        options,
        index=options.index(chosen),
        format_func=evaluated.__getitem__,
        width=330,
        key="results-experiment",  # it stays the same control while its first choice follows the address
    )
    remember_choice(experiment=experiment_id)
    return experiment_id


def choose(study: Study, experiment_id: str) -> Choice:
    """Let the reader choose what is counted, beside the experiment."""
    experiment = read_experiment(study, experiment_id)
    metric = _choose_metric(experiment.classes)
    level: Level = st.segmented_control(
        "Counted",
        list(LEVELS),
        format_func=LEVELS.__getitem__,
        default="image",
        required=True,
        key="level",
        persist_state="session",
        help="Every test image, or every test case once, by the verdict on it.",
    )
    return Choice(
        study_url=study.url,
        experiment=experiment,
        level=level,
        metric=metric,
        rule=_choose_rule() if level == "case" else "mean",
    )


def _choose_metric(classes: tuple[str, ...]) -> Metric:
    metrics = {name_metric(metric, classes): metric for metric in metrics_of(classes)}
    if st.session_state.get("metric") not in metrics:
        st.session_state.pop("metric", None)  # of an experiment with other classes
    chosen = st.selectbox("Measured by", list(metrics), key="metric", persist_state="session", width=260, help=_HELP)
    return metrics[chosen]


def _choose_rule() -> VerdictRule:
    rule: VerdictRule = st.segmented_control(
        "Verdict by",
        list(RULES),
        format_func=RULES.__getitem__,
        default="mean",
        required=True,
        key="rule",
        persist_state="session",
        help="\n".join(f"- **{RULES[name]}**: {text}" for name, text in VERDICT_RULES.items()),
    )
    return rule
