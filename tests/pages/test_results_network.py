"""The section of one network on the results page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.study import Study
from brainmri.training.records import Run, Split, ValidationPrediction
from tests.evaluation.finished_experiment import add_experiment

OpenNetwork = Callable[..., AppTest]


@pytest.fixture
def open_network(empty_study: Study, open_page: Callable[..., AppTest]) -> OpenNetwork:
    """Return a function that opens the section, with what its address carries besides."""
    return lambda **query: open_page("results", view="network", **query)


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def set_aside(study: Study) -> None:
    """Give every run predictions of images that were set aside."""
    rng = np.random.default_rng(3)
    with study.session() as session:
        train = {split.repeat: split.train for split in session.scalars(select(Split))}
        for run in session.scalars(select(Run)):
            for index in train[run.repeat][:6]:
                true = index // 3 % 3
                probabilities = rng.dirichlet([1, 1, 1] + 4 * np.eye(3)[true]).tolist()
                session.add(
                    ValidationPrediction(
                        run_id=run.run_id, sample_index=index, true_class=true, probabilities=probabilities
                    )
                )


def test_metrics_and_errors_come_first(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    app = open_network(network="googlenet")
    assert not app.exception
    assert app.query_params["network"] == "googlenet"
    assert list(app.dataframe[0].value["Metric"])[:2] == ["Accuracy", "Balanced accuracy"]
    assert "all runs together" in texts(app)


def test_curves_say_what_is_missing_for_calibration(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    app = open_network()
    app.button_group(key="network_part").set_value("curves").run()
    assert not app.exception
    shown = texts(app)
    assert "no temperature can be fitted" in shown
    assert "least sure of referred to a human" in shown


def test_images_set_aside_give_a_temperature(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    set_aside(empty_study)
    app = open_network()
    app.button_group(key="network_part").set_value("curves").run()
    assert not app.exception
    assert "Temperature: median" in texts(app)
    assert "Scaled" in app.dataframe[0].value.columns


def test_subgroups_say_which_attributes_are_not_known(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    app = open_network()
    app.button_group(key="network_part").set_value("groups").run()
    assert not app.exception
    assert "is not known of any tested case" in texts(app)


def test_cases_are_counted_where_asked_for(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    app = open_network(network="resnet50")
    app.button_group(key="level").set_value("case").run()
    assert not app.exception
    assert "verdicts of" in texts(app)


def test_every_choice_of_a_network_counts(empty_study: Study, open_network: OpenNetwork) -> None:
    add_experiment(empty_study)
    app = open_network()
    for network in ("googlenet", "resnet50", "alexnet", "resnet50"):
        next(one for one in app.button_group if one.label == "Network").set_value(network).run()
        assert app.query_params["network"] == network
        assert next(one for one in app.button_group if one.label == "Network").value == network
