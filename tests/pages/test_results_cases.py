"""The section of the cases, driven through app.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from streamlit.testing.v1 import AppTest

from brainmri.study import Study
from brainmri.training.records import Prediction
from tests.evaluation.finished_experiment import add_experiment

OpenSection = Callable[..., AppTest]


@pytest.fixture
def open_section(empty_study: Study, open_page: Callable[..., AppTest]) -> OpenSection:
    """Return a function that opens the section."""
    return lambda **query: open_page("results", view="cases", **query)


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def table(app: AppTest) -> Any:
    return app.dataframe[0].value


def pills(app: AppTest, key: str) -> Any:
    return app.button_group(key=key)


def test_cases_are_listed_hardest_first_with_every_network(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=8, cases=30)
    app = open_section()
    listed = table(app)
    assert list(listed["Wrong"]) == sorted(listed["Wrong"], reverse=True)
    assert {"AlexNet", "GoogLeNet", "ResNet50", "Kind", "Second look"} <= set(listed.columns)
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert figure["data"][0]["type"] == "heatmap"
    assert figure["layout"]["xaxis"]["ticktext"] == list(listed["Case"])
    assert "Labels worth a second look" in texts(app)
    assert app.query_params["view"] == "cases"


def test_kinds_diagnoses_and_names_filter(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=8, cases=30)
    app = open_section()
    every = table(app)
    counts = every["Kind"].value_counts()
    pills(app, "case_kinds").set_value(["always right"]).run()
    assert len(table(app)) == counts["always right"]
    pills(app, "case_diagnoses").set_value(["PCNSL"]).run()
    assert set(table(app)["Diagnosis"]) == {"PCNSL"}
    pills(app, "case_kinds").set_value([]).run()
    pills(app, "case_diagnoses").set_value([]).run()
    app.text_input(key="case_text").set_value(every["Case"][2]).run()
    assert list(table(app)["Case"]) == [every["Case"][2]]
    app.text_input(key="case_text").set_value("nothing").run()
    assert not app.exception
    assert "No case is like this. Take a filter away." in texts(app)


def turn_label(study: Study, case: int, label: int) -> None:
    """Give a case of three images another diagnosis, as where a label is wrong."""
    of_case = Prediction.sample_index.between(3 * case, 3 * case + 2)
    with study.session() as session:
        session.execute(update(Prediction).where(of_case).values(true_class=label))


def test_suspected_labels_are_flagged_and_can_be_shown_alone(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=8, cases=30)
    turn_label(empty_study, case=3, label=1)
    app = open_section()
    flagged = table(app).dropna(subset="Second look")
    assert "case-0004" in list(flagged["Case"])
    assert flagged.set_index("Case")["Second look"]["case-0004"].startswith("Glioblastoma? ")
    assert f"{len(flagged)} of {len(table(app))} labels" in texts(app)
    app.toggle(key="case_suspected").set_value(True).run()
    assert sorted(table(app)["Case"]) == sorted(flagged["Case"])


def test_splits_of_images_are_no_ground_for_label_errors(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, split_by="image")
    assert "Look for label errors with splits of patients" in texts(open_section())


def test_the_rule_of_the_verdict_counts(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=6)
    app = open_section()
    assert "highest mean probability" in texts(app)
    app.button_group(key="level").set_value("case").run()
    app.button_group(key="rule").set_value("vote").run()
    assert "the class that most of its images" in texts(app)


def test_runs_without_predictions_are_told(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study)
    with empty_study.session() as session:
        session.execute(delete(Prediction))
    assert "No finished run has tested a case yet." in texts(open_section())
