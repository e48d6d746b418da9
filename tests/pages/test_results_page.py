"""The results page, driven through app.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from brainmri.study import Study
from brainmri.training.records import Run
from tests.evaluation.finished_experiment import add_experiment

OpenResults = Callable[..., AppTest]


@pytest.fixture
def open_results(empty_study: Study, open_page: Callable[..., AppTest]) -> OpenResults:
    """Return a function that opens the results page, with what its address carries."""
    return lambda **query: open_page("results", **query)


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_an_empty_study_is_met_with_a_sentence_and_a_way_on(open_results: OpenResults) -> None:
    app = open_results()
    assert "Nothing to compare yet" in texts(app)
    assert "Train the networks first" in texts(app)
    assert "Go to training" in [link.proto.label for link in app.get("page_link")]
    assert not app.get("plotly_chart")


def test_an_experiment_without_a_finished_run_says_that_results_will_appear(
    empty_study: Study, open_results: OpenResults
) -> None:
    add_experiment(empty_study, finished=False)
    assert "No run has finished" in texts(open_results())


def test_a_finished_experiment_fills_the_page(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, repeats=4)
    app = open_results()
    shown = texts(app)
    assert "trained 4 times each on random 7:3 splits of patients" in shown
    assert "Phantom data" in shown
    assert "One-way ANOVA: **F(2, 9) = " in shown
    assert "random splits of one data set overlap" in shown
    assert [metric.label for metric in app.metric] == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert all(metric.value.endswith(" %") for metric in app.metric)
    assert [frame.value.shape[0] for frame in app.dataframe][:2] == [3, 3]
    assert app.query_params["experiment"] == "exp-001"


def test_the_distribution_has_every_run_as_a_point(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, repeats=4)
    points = [trace for trace in charts(open_results())[0]["data"] if trace["type"] == "scatter"]
    names = [one[0] for trace in points for one in trace["customdata"]]
    with empty_study.session() as session:
        assert len(names) == 12
        assert all(session.get(Run, name) is not None for name in names)


def test_published_medians_come_with_the_switch(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    label = "Published study, other data: median and IQR"
    assert label not in [trace.get("name") for trace in charts(app)[0]["data"]]
    app.toggle(key="overlay").set_value(True).run()
    assert label in [trace.get("name") for trace in charts(app)[0]["data"]]


def test_the_address_chooses_the_experiment(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, repeats=3, experiment_id="exp-001")
    add_experiment(empty_study, repeats=2, experiment_id="exp-002", split_by="image")
    app = open_results(experiment="exp-001")
    assert "trained 3 times each" in texts(app)
    app.selectbox[0].set_value("exp-002").run()
    assert "trained twice each on random 7:3 splits of images" in texts(app)
    assert "memory as well as skill" in texts(app)
    assert app.query_params["experiment"] == "exp-002"


def test_every_choice_of_section_and_experiment_counts(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, experiment_id="exp-001")
    add_experiment(empty_study, experiment_id="exp-002", split_by="image")
    app = open_results()
    for view in ("cases", "tests", "comparison", "cases"):
        app.button_group(key="view").set_value(view).run()
        assert app.query_params["view"] == view
    for experiment_id in ("exp-001", "exp-002", "exp-001"):
        app.selectbox(key="results-experiment").set_value(experiment_id).run()
        assert app.query_params["experiment"] == experiment_id


def test_an_experiment_that_is_gone_gives_way_to_the_newest(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    assert open_results(experiment="exp-077").query_params["experiment"] == "exp-001"


def test_accuracy_of_cases_is_one_click_away(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    assert charts(app)[0]["layout"]["yaxis"]["title"]["text"] == "Accuracy on held-out images (%)"
    app.get("button_group")[0].set_value("case").run()
    assert not app.exception
    assert charts(app)[0]["layout"]["yaxis"]["title"]["text"] == "Accuracy on held-out cases (%)"


def test_one_repeat_is_shown_without_tests(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, repeats=1)
    shown = texts(open_results())
    assert "Every model has one repeat only" in shown
    assert "One-way ANOVA" not in shown


def test_missing_runs_are_told(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study, repeats=3)
    with empty_study.session() as session:
        session.get_one(Run, "exp-001-resnet50-03").status = "failed"
    app = open_results()
    assert "8 of 9 runs have finished" in texts(app)
    assert "Numbers of repeats differ" in texts(app)


def test_another_metric_is_compared_in_its_own_unit(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    app.selectbox(key="metric").set_value("Log loss").run()
    assert not app.exception
    assert charts(app)[0]["layout"]["yaxis"]["title"]["text"] == "Log loss on held-out images (nats)"
    assert not any(metric.value.endswith("%") for metric in app.metric)
    assert app.toggle(key="overlay").disabled  # the published study has accuracies only


def test_a_metric_of_one_class_is_compared_and_gaps_are_told(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    app.selectbox(key="metric").set_value("Sensitivity, PCNSL").run()
    assert charts(app)[0]["layout"]["yaxis"]["title"]["text"] == "Sensitivity, PCNSL on held-out images (%)"


def test_the_verdict_on_cases_can_be_chosen(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    assert "Verdict by" not in [group.label for group in app.button_group]
    app.button_group(key="level").set_value("case").run()
    app.button_group(key="rule").set_value("vote").run()
    assert not app.exception


def test_a_section_that_is_not_there_gives_way_to_the_comparison(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    assert open_results(view="nonsense").query_params["view"] == "comparison"


def test_figures_are_saved_in_the_format_that_is_chosen(empty_study: Study, open_results: OpenResults) -> None:
    add_experiment(empty_study)
    app = open_results()
    formats = [json.loads(chart.proto.config)["toImageButtonOptions"]["format"] for chart in app.get("plotly_chart")]
    assert set(formats) == {"svg"}
    app.button_group(key="figure_format").set_value("PNG").run()
    formats = [json.loads(chart.proto.config)["toImageButtonOptions"]["format"] for chart in app.get("plotly_chart")]
    assert set(formats) == {"png"}
