"""The commands compare and simulate-type1: their JSON, tables and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from brainmri.__main__ import main
from tests.evaluation.finished_experiment import add_experiment
from tests.evaluation.published_data import PLANT_GROWTH


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


@pytest.fixture
def plant_growth(tmp_path: Path) -> str:
    path = tmp_path / "plants.csv"
    rows = [f"{model},{i},{value}" for model, values in PLANT_GROWTH.items() for i, value in enumerate(values, 1)]
    path.write_text("\n".join(["model,repeat,accuracy", *rows]))
    return str(path)


def test_compare_prints_every_block(capsys: pytest.CaptureFixture[str], plant_growth: str) -> None:
    record = run_json(capsys, "compare", plant_growth)
    assert record["welch"]["F"] == pytest.approx(5.180972, abs=1e-6)
    assert record["kruskal"]["statistic"] == pytest.approx(7.988229, abs=1e-6)
    assert record["test_fraction"] == 0.3
    assert len(record["corrected_t"]) == len(record["games_howell"]) == len(record["bayesian"]) == 3
    assert record["bayesian"][0]["equivalence"] == 1.0
    assert any("disagree" in sentence for sentence in record["conclusions"])


def test_compare_takes_the_share_of_test_data_and_the_region(
    capsys: pytest.CaptureFixture[str], plant_growth: str
) -> None:
    default = run_json(capsys, "compare", plant_growth)["corrected_t"][0]
    record = run_json(capsys, "compare", plant_growth, "--test-fraction", "0.1", "--equivalence", "0.5")
    narrow = record["corrected_t"][0]
    ratio = (narrow["upper"] - narrow["lower"]) / (default["upper"] - default["lower"])
    assert ratio == pytest.approx(((1 / 10 + 1 / 9) / (1 / 10 + 3 / 7)) ** 0.5)
    assert record["bayesian"][0]["equivalence"] == 0.5


def test_a_missing_repeat_keeps_the_others_side_by_side(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("model,repeat,accuracy\na,1,0.9\na,2,0.8\na,3,0.7\nb,3,0.65\nb,1,0.8\n")
    record = run_json(capsys, "compare", str(path))
    assert record["corrected_t"][0]["difference"] == pytest.approx((0.1 + 0.05) / 2)
    assert record["friedman"]["n"] == 2
    assert record["descriptive"]["a"]["n"] == 3


def test_compare_prints_tables_and_sentences_for_people(capsys: pytest.CaptureFixture[str], plant_growth: str) -> None:
    assert main(["compare", plant_growth]) == 0
    printed = capsys.readouterr().out
    for words in ("Welch's ANOVA: F(2, 17.13) = 5.181", "Friedman: χ²(2) = 4.2", "p_holm", "trt2 a, ctrl ab, trt1 b"):
        assert words in printed
    assert "What holds under which assumption" in printed


def test_one_repeat_is_answered_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("model,repeat,accuracy\na,1,0.9\nb,1,0.8\n")
    assert main(["compare", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "Every model has one repeat only" in printed
    assert "nan" not in printed.lower()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--test-fraction", "30", "--test-fraction is 30"), ("--equivalence", "-1", "--equivalence is -1")],
)
def test_options_that_make_no_sense_are_bad_usage(
    capsys: pytest.CaptureFixture[str], plant_growth: str, option: str, value: str, words: str
) -> None:
    assert main(["compare", plant_growth, option, value]) == 2
    assert words in capsys.readouterr().err


def test_results_take_the_share_of_test_data_from_the_experiment(capsys: pytest.CaptureFixture[str], study) -> None:
    add_experiment(study, repeats=4)
    record = run_json(capsys, "results", "exp-001", "--study", str(study.folder))
    assert record["test_fraction"] == 0.3
    assert len(record["corrected_t"]) == 3
    given = run_json(capsys, "results", "exp-001", "--study", str(study.folder), "--test-fraction", "0.2")
    assert given["test_fraction"] == 0.2


def test_simulate_type1_prints_rates_with_their_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    record = run_json(capsys, "simulate-type1", "--studies", "200", "--repeats", "5", "--seed", "3")
    rates = {rate["test"]: rate for rate in record["tests"]}
    assert record["settings"]["repeats"] == 5
    assert all(0 <= rate["lower"] <= rate["share"] <= rate["upper"] <= 1 for rate in rates.values())
    assert rates["anova"]["share"] > rates["corrected_t"]["share"]
    assert record == run_json(capsys, "simulate-type1", "--studies", "200", "--repeats", "5", "--seed", "3")


def test_simulate_type1_prints_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate-type1", "--studies", "50"]) == 0
    printed = capsys.readouterr().out
    assert "50 studies of 3 equally good models: 10 random splits of 288 cases" in printed
    assert "corrected resampled t-test with Holm's adjustment, any pair" in printed


def test_simulating_one_repeat_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate-type1", "--repeats", "1"]) == 2
    assert "'repeats' is 1; expected 2 or more" in capsys.readouterr().err
