"""The section on leakage, driven through app.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.explanation.neighbours import RunFeatures, write_features
from brainmri.imaging.datasets import read_dataset, read_sample_rows
from brainmri.imaging.records import Sample
from brainmri.study import Study
from brainmri.training.experiments import create_experiment
from brainmri.training.records import FINISHED, Experiment, Prediction, Run, Split
from tests.evaluation.finished_experiment import add_experiment
from tests.pages.filled import SETTINGS

OpenSection = Callable[..., AppTest]


@pytest.fixture
def open_section(open_page: Callable[..., AppTest]) -> OpenSection:
    """Return a function that opens the section."""
    return lambda **query: open_page("results", view="leakage", **query)


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def add_split_of_images(study: Study) -> None:
    """Add an experiment that divides images, whose networks are always right."""
    experiment_id = create_experiment(study, read_dataset(study).hash, replace(SETTINGS, split_by="image"))
    with study.session() as session:
        classes = read_dataset(study).classes
        truth = {one.sample_index: classes.index(one.diagnosis) for one in session.scalars(select(Sample))}
        splits = {one.repeat: one.test for one in session.scalars(select(Split).filter_by(experiment_id=experiment_id))}
        for run in session.scalars(select(Run).filter_by(experiment_id=experiment_id)):
            run.status, run.accuracy = FINISHED, 1.0
            session.add_all(
                Prediction(
                    run_id=run.run_id,
                    sample_index=index,
                    true_class=truth[index],
                    predicted_class=truth[index],
                    probabilities=[0.8 if place == truth[index] else 0.1 for place in range(len(classes))],
                )
                for index in splits[run.repeat]
            )


def test_networks_stand_under_both_splits_with_differences(filled_study: Study, open_section: OpenSection) -> None:
    add_split_of_images(filled_study)
    app = open_section(experiment="exp-001")
    shown = texts(app)
    assert app.selectbox(key="leakage_other").value == "exp-002"
    assert "Split of images against split of patients: AlexNet +" in shown
    assert "Neighbouring slices of one tumour look alike" in shown
    compared = app.dataframe[0].value
    assert list(compared["Network"]) == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert list(compared["Split of images"]) == [100.0] * 3
    assert (compared["Difference"] > 0).all()
    other_way = open_section(experiment="exp-002")
    assert other_way.dataframe[0].value.equals(compared)


def test_near_duplicates_are_counted_in_each_repeat_and_shown(filled_study: Study, open_section: OpenSection) -> None:
    add_split_of_images(filled_study)
    app = open_section(experiment="exp-001")
    assert [bar["name"] for bar in charts(app)[1]["data"]] == [
        "exp-002 · split of images",
        "exp-001 · split of patients",
    ]
    shares = app.dataframe[1].value.set_index("Experiment")["Same patient"]
    assert shares["exp-001 · split of patients"] == 0
    assert shares["exp-002 · split of images"] > 0
    assert len(app.get("image")) >= 3
    app.segmented_control(key="likeness").set_value("hash").run()
    assert not app.exception
    assert "Difference hash" in texts(app)
    app.slider(key="hash_limit").set_value(64).run()
    many = app.dataframe[1].value["Near-duplicates"].sum()
    app.slider(key="hash_limit").set_value(0).run()
    assert not app.exception
    assert app.dataframe[1].value["Near-duplicates"].sum() < many


def test_a_network_is_asked_in_the_background_and_its_embedding_compared(
    filled_study: Study, open_section: OpenSection, started: list[tuple[str, list[str], str | None]]
) -> None:
    app = open_section()
    app.segmented_control(key="likeness").set_value("network").run()
    assert "No network of these experiments is stored" in texts(app)
    run_id = "exp-001-alexnet-01"
    filled_study.run_folder(run_id).mkdir(parents=True)
    (filled_study.run_folder(run_id) / "checkpoint.safetensors").touch()
    app.run()
    app.button(key="embed").click().run()
    assert started == [("embed", ["embed", run_id], run_id)]
    rows = read_sample_rows(filled_study, read_dataset(filled_study).hash)
    features = np.random.default_rng(1).normal(size=(len(rows), 6))
    none = np.zeros(len(rows), dtype=np.int64)
    write_features(
        filled_study,
        run_id,
        RunFeatures(
            classes=("glioblastoma", "PCNSL", "meningioma"),
            made_from="",
            features=(features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float16),
            case_ids=tuple(row.case_id for row in rows),
            true_class=none,
            predicted_class=none,
            part=none,
        ),
    )
    app.run()
    assert not app.exception
    assert "Activations of exp-001-alexnet-01, 6 numbers an image" in texts(app)
    assert app.dataframe[-1].value["Same patient"][0] == 0


def test_without_a_second_experiment_there_is_a_way_on(filled_study: Study, open_section: OpenSection) -> None:
    app = open_section()
    assert "There is no second experiment yet" in texts(app)
    app.button(key="train_other_split").click().run()
    assert not app.exception
    assert app.title[0].value == "Training"
    assert app.segmented_control(key="preset").value == "as-published"


def test_experiments_of_one_kind_are_compared_as_two_trainings(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study, repeats=4)
    add_experiment(empty_study, repeats=4, experiment_id="exp-003")
    app = open_section(experiment="exp-001")
    shown = texts(app)
    assert "their difference is no leakage" in shown
    assert "share 4 splits: they are compared split by split" in shown
    assert "the same value on every shared split" in shown
    assert list(app.dataframe[0].value["Difference"]) == [0.0] * 3


def test_the_other_kind_of_split_is_offered_first(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study)
    add_experiment(empty_study, experiment_id="exp-002")
    add_experiment(empty_study, experiment_id="exp-003", split_by="image")
    app = open_section(experiment="exp-001")
    assert app.selectbox(key="leakage_other").value == "exp-003"
    app.selectbox(key="leakage_other").set_value("exp-002").run()
    assert "their difference is no leakage" in texts(app)


def test_samples_that_are_gone_are_answered_in_words(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study)
    assert "The samples of the data set dddddddddddddddd cannot be read" in texts(open_section())


def test_other_settings_that_explain_a_difference_are_told(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study)
    add_experiment(empty_study, experiment_id="exp-002", split_by="image")
    with empty_study.session() as session:
        other = session.get_one(Experiment, "exp-002")
        other.settings = {**other.settings, "epochs": 7}
    assert "They also differ in epochs (7 and 30)" in texts(open_section(experiment="exp-001"))


def test_experiments_without_a_shared_network_are_told(empty_study: Study, open_section: OpenSection) -> None:
    add_experiment(empty_study)
    add_experiment(empty_study, experiment_id="exp-002", split_by="image")
    with empty_study.session() as session:
        for run in session.scalars(select(Run).filter_by(experiment_id="exp-002")):
            run.architecture = f"another {run.architecture}"
    assert "share no architecture with finished runs" in texts(open_section(experiment="exp-001"))
