"""Reading all predictions of an experiment at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import load_predictions, select_runs
from brainmri.imaging.records import Sample
from brainmri.study import Study
from brainmri.training.records import Prediction, Run, ValidationPrediction

MakeExperiment = Callable[..., str]


def test_what_was_stored_row_by_row_comes_back(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    loaded = load_predictions(study, "exp-001")
    with study.session() as session:
        rows = {(row.run_id, row.sample_index): row for row in session.scalars(select(Prediction))}
        cases = {row.sample_index: row.case_id for row in session.scalars(select(Sample))}
    assert loaded.sample_index.size == len(rows)
    assert loaded.probabilities.dtype == np.float32
    for place, run in enumerate(loaded.run):
        row = rows[loaded.run_ids[run], int(loaded.sample_index[place])]
        assert (loaded.true_class[place], loaded.predicted_class[place]) == (row.true_class, row.predicted_class)
        assert loaded.case_ids[loaded.case[place]] == cases[row.sample_index]
        np.testing.assert_array_equal(loaded.probabilities[place], np.float32(row.probabilities))


def test_rows_are_ordered_by_run_and_image_however_they_were_stored(
    study: Study, make_experiment: MakeExperiment
) -> None:
    make_experiment(repeats=1)
    with study.session() as session:
        rows = [row.__dict__ for row in session.scalars(select(Prediction).where(Prediction.run_id.contains("google")))]
        stored = [{name: value for name, value in row.items() if name != "_sa_instance_state"} for row in rows]
        session.execute(Prediction.__table__.delete().where(Prediction.run_id.contains("google")))
        session.execute(insert(Prediction), stored[::-1])
    loaded = load_predictions(study, "exp-001")
    assert loaded.architectures == ("alexnet", "googlenet", "resnet50")
    assert loaded.run.tolist() == sorted(loaded.run.tolist())
    for place in range(3):
        assert (np.diff(loaded.sample_index[loaded.run == place]) > 0).all()
    by_index = {row["sample_index"]: row["probabilities"] for row in stored}
    google = loaded.of("googlenet")
    expected = [by_index[int(index)] for index in google.sample_index]
    np.testing.assert_array_equal(google.probabilities, np.float32(expected))


def test_runs_that_have_not_finished_are_left_out_and_named(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    with study.session() as session:
        session.get_one(Run, "exp-001-resnet50-02").status = "failed"
    loaded = load_predictions(study, "exp-001")
    assert "exp-001-resnet50-02" not in loaded.run_ids
    assert loaded.notes == ("Left out because they have not finished: 1 of 6 runs (exp-001-resnet50-02).",)
    assert loaded.repeats == (1, 2)


def test_a_finished_run_without_predictions_is_named(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    with study.session() as session:
        session.execute(Prediction.__table__.delete().where(Prediction.run_id.contains("resnet50")))
    loaded = load_predictions(study, "exp-001")
    assert loaded.notes == (
        "Without test predictions: 2 of 6 finished runs (exp-001-resnet50-01, exp-001-resnet50-02).",
    )
    assert loaded.of("resnet50").sample_index.size == 0


def test_predictions_of_images_set_aside_are_read_apart(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=1)
    rows = [(3, 1, [0.2, 0.5, 0.3]), (1, 0, [0.6, 0.1, 0.3])]
    with study.session() as session:
        session.add_all(
            ValidationPrediction(
                run_id="exp-001-alexnet-01", sample_index=index, true_class=true, probabilities=probabilities
            )
            for index, true, probabilities in rows
        )
    loaded = load_predictions(study, "exp-001", part="validation")
    assert loaded.sample_index.tolist() == [1, 3]
    assert loaded.predicted_class.tolist() == [0, 1]
    assert loaded.true_class.tolist() == [0, 1]
    assert "Without validation predictions: 2 of 3 finished runs" in loaded.notes[0]


def test_an_experiment_without_any_finished_run_loads_as_nothing(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2, finished=False)
    loaded = load_predictions(study, "exp-001")
    assert (loaded.runs, loaded.sample_index.size, loaded.probabilities.shape) == ((), 0, (0, 3))
    assert "6 of 6 runs (exp-001-alexnet-01, exp-001-alexnet-02, exp-001-googlenet-01 and 3 more)." in loaded.notes[0]
    with pytest.raises(EvaluationError, match=r"no finished runs of alexnet\. Finished runs are there of: none at all"):
        loaded.of("alexnet")


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([0.5, 0.5], "The run exp-001-alexnet-01 holds rows that are not 3 probabilities"),
        ([0.5, 0.5, 0.5], "not numbers from 0 to 1 with the sum 1"),
        ([float("nan"), 0.5, 0.5], "not numbers from 0 to 1 with the sum 1: its training went astray"),
        ([-0.5, 1.0, 0.5], "not numbers from 0 to 1 with the sum 1"),
    ],
)
def test_probabilities_that_are_none_are_refused_by_name(
    study: Study, make_experiment: MakeExperiment, stored: list[float], message: str
) -> None:
    make_experiment(repeats=1)
    with study.session() as session:
        first = session.scalars(select(Prediction).where(Prediction.run_id == "exp-001-alexnet-01")).first()
        first.probabilities = stored
    with pytest.raises(EvaluationError, match=message):
        load_predictions(study, "exp-001")


def test_a_prediction_of_an_unknown_sample_is_refused(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=1)
    with study.session() as session:
        session.execute(
            update(Prediction)
            .where(Prediction.run_id == "exp-001-alexnet-01", Prediction.predicted_class == 0)
            .values(sample_index=Prediction.sample_index + 5000)
        )
    with pytest.raises(EvaluationError, match=r"predictions of the sample 50[0-9]+, which the data set does not hold"):
        load_predictions(study, "exp-001")


def test_selected_runs_keep_their_rows(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    loaded = load_predictions(study, "exp-001")
    chosen = select_runs(loaded, [5, 0])
    assert chosen.run_ids == (loaded.run_ids[5], loaded.run_ids[0])
    np.testing.assert_array_equal(chosen.sample_index[chosen.run == 0], loaded.sample_index[loaded.run == 5])
    np.testing.assert_array_equal(chosen.probabilities[chosen.run == 1], loaded.probabilities[loaded.run == 0])


def test_thirty_runs_of_a_thousand_images_load_in_under_a_second(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=10, cases=300, slices=10)
    started = time.perf_counter()
    loaded = load_predictions(study, "exp-001")
    elapsed_s = time.perf_counter() - started
    assert loaded.probabilities.shape == (30_000, 3)
    assert elapsed_s < 1.0  # 0.07 s on an idle core
