"""The section of the results page with every test, driven through app.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.study import Study
from brainmri.training.records import Prediction, Run
from tests.evaluation.finished_experiment import add_experiment

OpenSection = Callable[..., AppTest]


@pytest.fixture
def open_section(empty_study: Study, open_page: Callable[..., AppTest]) -> OpenSection:
    """Return a function that opens the section."""
    return lambda **query: open_page("results", view="tests", **query)


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def headings(app: AppTest) -> list[str]:
    return [heading.value for heading in app.subheader]


def probability_of_equality(app: AppTest) -> list[float]:
    return next(one["x"] for one in charts(app)[1]["data"] if one["name"] == "Practically equal")


def show_cases(app: AppTest) -> AppTest:
    app.segmented_control(key="tests_part").set_value("cases").run()
    assert not app.exception
    return app


def test_the_section_opens_with_what_holds_and_every_test_over_the_repeats(
    empty_study: Study, open_section: OpenSection
) -> None:
    add_experiment(empty_study, repeats=5)
    app = open_section()
    assert headings(app) == [
        "What holds: Accuracy",
        "All networks at once",
        "Pair by pair",
        "How probably better",
        "How large",
        "Mean ranks",
    ]
    assert len(charts(app)) == 4
    omnibus = app.dataframe[0].value
    assert list(omnibus["Test"]) == [
        "One-way ANOVA",
        "Welch's ANOVA",
        "Kruskal-Wallis",
        "Repeated-measures ANOVA",
        "Friedman",
        "Cochran's Q",
    ]
    shown = texts(app)
    assert "rely on this one" in shown
    assert "alexnet" not in shown
    assert "The plain test (Tukey) and the corrected one agree" in shown or "disagree" in shown


def test_disagreement_stands_first_in_the_panel(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=5)
    app = open_section()
    callouts = [one.value for one in (*app.info, *app.warning) if "corrected" in one.value]
    assert len(callouts) == 1
    assert callouts[0].startswith(("The plain", "The corrected"))


def test_the_region_of_equivalence_is_set_in_points_and_moves_the_probabilities(
    empty_study: Study, open_section: OpenSection
) -> None:
    add_experiment(empty_study, repeats=5)
    app = open_section()
    assert app.slider(key="region_of_shares").value == 1.0
    before = probability_of_equality(app)
    app.slider(key="region_of_shares").set_value(5.0).run()
    assert not app.exception
    assert all(wide > narrow for wide, narrow in zip(probability_of_equality(app), before, strict=True))
    app.selectbox(key="metric").set_value("Brier score").run()
    assert app.slider(key="region_of_numbers").value == 0.01
    assert "accura" not in "\n".join(one.value for one in app.markdown if "If the" in one.value)


def test_on_the_same_cases_there_are_verdicts_areas_and_patients(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=5, cases=30)
    app = show_cases(open_section())
    assert headings(app)[2:] == ["Right and wrong verdicts", "Area under the ROC curve", "With other patients"]
    assert len(charts(app)) == 3
    assert "Both wrong" in app.dataframe[1].value.columns
    assert "Glioblastoma against the rest" in texts(app)
    app.selectbox(key="area_class").set_value("PCNSL").run()
    assert not app.exception
    assert "PCNSL against the rest" in texts(app)
    app.segmented_control(key="level").set_value("case").run()
    assert not app.exception
    assert "PCNSL against the rest, by DeLong's method: " in texts(app)
    assert "cases with the diagnosis" in texts(app)


def test_one_repeat_is_met_in_words(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=1)
    app = open_section()
    shown = texts(app)
    assert "Every model has one repeat only" in shown
    assert "No pair can be tested" in shown
    assert "AlexNet and GoogLeNet share one split only" in shown
    assert "Friedman's test needs two splits or more" in shown
    assert not charts(app)
    assert headings(show_cases(app))[-1] == "With other patients"


def test_one_network_alone_is_met_in_words(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=3)
    with empty_study.session() as session:
        for run in session.scalars(select(Run).where(Run.architecture != "alexnet")):
            run.status = "stopped"
    app = open_section()
    assert "There is only one model (AlexNet)" in texts(app)
    assert "There is one network only: a pair takes two." in texts(app)
    assert "There is AlexNet only: a comparison on cases needs two architectures or more." in texts(show_cases(app))


def test_a_class_that_no_split_tests_is_met_in_words(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=3)
    with empty_study.session() as session:
        for row in session.scalars(select(Prediction).where(Prediction.true_class == 1)):
            session.delete(row)
    app = open_section()
    app.selectbox(key="metric").set_value("Sensitivity, PCNSL").run()
    assert not app.exception
    assert "No run has a value of Sensitivity, PCNSL" in texts(app)
    assert headings(app)[0] == "Right and wrong verdicts"
    app.selectbox(key="area_class").set_value("PCNSL").run()
    assert not app.exception
    assert "There are no positives among the" in texts(app)
