"""Reading finished runs and their predictions from a study."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.reading import (
    read_accuracies,
    read_case_table,
    read_confusions,
    read_experiment,
    read_finished_runs,
    read_predictions,
)
from brainmri.study import Study
from brainmri.training.records import Run

MakeExperiment = Callable[..., str]


def test_accuracies_come_by_architecture_of_the_settings_and_by_repeat(
    study: Study, make_experiment: MakeExperiment
) -> None:
    make_experiment(repeats=11)
    with study.session() as session:
        expected = session.get_one(Run, "exp-001-googlenet-10").accuracy
    accuracies = read_accuracies(study, "exp-001")
    assert list(accuracies) == ["alexnet", "googlenet", "resnet50"]
    assert [len(values) for values in accuracies.values()] == [11, 11, 11]
    assert accuracies["googlenet"][9] == expected


def test_only_finished_runs_count(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    with study.session() as session:
        session.get_one(Run, "exp-001-alexnet-01").status = "failed"
    accuracies = read_accuracies(study, "exp-001")
    assert [np.isnan(values).tolist() for values in accuracies.values()] == [[True, False], [False] * 2, [False] * 2]
    assert read_experiment(study, "exp-001").finished == 5
    assert "exp-001-alexnet-01" not in [run.run_id for run in read_predictions(study, "exp-001").runs]


def test_a_run_knows_the_seed_of_its_split(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    runs = read_finished_runs(study, "exp-001")
    assert [run.split_seed for run in runs] == [91, 92] * 3


def test_accuracy_of_cases_counts_each_case_once(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=3, cases=12, slices=3)
    accuracies = read_accuracies(study, "exp-001", level="case")
    shares = np.array(list(accuracies.values())) * 4  # four of twelve cases are tested in a run
    np.testing.assert_allclose(shares, np.round(shares), atol=1e-12)
    confusion = read_confusions(study, "exp-001", level="case")["alexnet"]
    assert confusion.counts.sum(axis=(1, 2)).tolist() == [4, 4, 4]
    diagonal = [float(np.trace(one)) / 4 for one in confusion.counts]
    assert diagonal == accuracies["alexnet"]


def test_confusions_of_images_hold_the_stored_accuracy(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=3)
    accuracies = read_accuracies(study, "exp-001")
    for architecture, confusion in read_confusions(study, "exp-001").items():
        shares = [float(np.trace(one) / one.sum()) for one in confusion.counts]
        assert shares == pytest.approx(accuracies[architecture], abs=1e-12)


def test_the_case_table_counts_every_run_that_tested_a_case(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=6)
    table = read_case_table(study, "exp-001")
    assert sum(row.tested for row in table) == 6 * 3 * 4
    assert all(row.wrong == sum(part.wrong for part in row.by_architecture) for row in table)
    assert [row.wrong_share for row in table] == sorted((row.wrong_share for row in table), reverse=True)


def test_predictions_of_one_run_can_be_read_alone(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=2)
    one = read_predictions(study, "exp-001", run_id="exp-001-resnet50-02")
    assert [run.run_id for run in one.runs] == ["exp-001-resnet50-02"]
    assert one.sample_index.size == 12
    np.testing.assert_allclose(one.probabilities.sum(axis=1), 1, atol=1e-6)
    with pytest.raises(EvaluationError, match="exp-001 has no finished run 'exp-001-resnet50-03'"):
        read_predictions(study, "exp-001", run_id="exp-001-resnet50-03")


def test_an_unknown_experiment_is_answered_with_those_that_exist(study: Study, make_experiment: MakeExperiment) -> None:
    with pytest.raises(EvaluationError, match=r"no experiment 'exp-009'\. It has none yet"):
        read_accuracies(study, "exp-009")
    make_experiment(experiment_id="exp-001")
    make_experiment(experiment_id="exp-002")
    with pytest.raises(EvaluationError, match=r"no experiment 'exp-009'\. It has exp-001, exp-002\."):
        read_case_table(study, "exp-009")


def test_an_experiment_without_a_finished_run_says_how_to_go_on(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(finished=False)
    with pytest.raises(EvaluationError, match="No run of the experiment exp-001 has finished yet"):
        read_accuracies(study, "exp-001")
    assert read_case_table(study, "exp-001") == ()
    assert read_finished_runs(study, "exp-001", level="case") == ()


def test_thirty_runs_are_read_in_a_moment(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment(repeats=10, cases=60, slices=6)
    started = time.perf_counter()
    table = read_case_table(study, "exp-001")
    elapsed_s = time.perf_counter() - started
    assert table
    assert elapsed_s < 1.0  # 0.05 s on an idle core; the machine of a test may be busy
