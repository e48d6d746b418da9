from __future__ import annotations

import pytest

from brainmri.evaluation.accuracy_table import read_accuracy_csv
from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.comparison import compare
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.reading import align_runs, read_accuracies, read_finished_runs
from brainmri.evaluation.summary import descriptive_rows, run_rows, runs_csv, tukey_rows

ACCURACY, LOG_LOSS = Metric("accuracy"), Metric("log_loss")


def test_tables_of_an_experiment_are_in_per_cent(study, make_experiment) -> None:
    make_experiment(repeats=3)
    runs = read_finished_runs(study, "exp-001")
    findings = analyse(align_runs(runs))
    first = findings.comparison.descriptive[0]
    row = descriptive_rows(findings.comparison, findings.letters["tukey"], ACCURACY)[0]
    assert row["Median"] == pytest.approx(100 * first.median)
    assert row["IQR"].endswith(" %")
    assert row["Letters"] == findings.letters["tukey"]["alexnet"]
    pair = tukey_rows(findings.comparison, ACCURACY)[0]
    assert pair["Pair"] == "AlexNet − GoogLeNet"
    assert pair["Difference"] == pytest.approx(100 * findings.comparison.tukey[0].difference)
    rows = run_rows(runs, ACCURACY, ())
    assert len(rows) == 9
    assert rows[0]["Accuracy"] == pytest.approx(100 * runs[0].accuracy)


def test_a_metric_that_is_no_share_stays_as_it_is() -> None:
    findings = analyse({"alexnet": [0.5, 0.6, 0.7], "resnet50": [0.4, 0.3, 0.45]})
    row = descriptive_rows(findings.comparison, findings.letters["tukey"], LOG_LOSS)[0]
    assert (row["Median"], row["IQR"]) == (0.6, "0.550–0.650")
    pair = tukey_rows(findings.comparison, LOG_LOSS)[0]
    assert pair["Difference"] == pytest.approx(0.6 - 1.15 / 3)
    assert pair["95 % interval"].startswith("+0.0")


@pytest.mark.parametrize("level", ["image", "case"])
def test_downloaded_accuracies_compare_to_the_same_numbers(study, make_experiment, tmp_path, level) -> None:
    make_experiment(repeats=3)
    path = tmp_path / "accuracies.csv"
    path.write_text(runs_csv(read_finished_runs(study, "exp-001", level=level), ACCURACY), encoding="utf-8")
    assert compare(read_accuracy_csv(path)) == compare(read_accuracies(study, "exp-001", level=level))
