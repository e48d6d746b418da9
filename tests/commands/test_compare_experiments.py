"""The command compare with experiments in place of a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainmri.__main__ import main
from brainmri.study import Study
from tests.evaluation.finished_experiment import add_experiment


@pytest.fixture
def two(study: Study) -> list[str]:
    """Return the arguments of a comparison of two experiments that share three splits."""
    add_experiment(study, repeats=3)
    add_experiment(study, repeats=4, experiment_id="exp-002")
    return ["compare", "exp-001", "exp-002", "--study", str(study.folder)]


def test_experiments_are_compared_as_json(capsys: pytest.CaptureFixture[str], two: list[str]) -> None:
    assert main([*two, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [one["experiment"] for one in record["experiments"]] == ["exp-001", "exp-002"]
    assert (record["metric"], record["level"]) == ("accuracy", "image")
    comparison = record["comparisons"][0]
    assert comparison["paired"]
    assert comparison["splits_shared"] == 3
    assert [one["architecture"] for one in comparison["differences"]] == ["alexnet", "googlenet", "resnet50"]
    assert set(comparison["differences"][0]) >= {"difference", "lower", "upper", "p", "p_holm", "n_a", "mean_b"}


def test_experiments_are_compared_for_people(capsys: pytest.CaptureFixture[str], two: list[str]) -> None:
    assert main(two) == 0
    printed = capsys.readouterr().out
    assert "exp-001 − exp-002" in printed
    assert "compared split by split" in printed
    assert "AlexNet" in printed
    assert "- Left out: 1 of the 4 splits of exp-002, not shared." in printed


def test_a_table_among_experiments_is_bad_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["compare", "exp-001", str(tmp_path / "a.csv")]) == 2
    assert "compare takes one table alone, or two or more experiments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "words"),
    [(["--equivalence", "2"], "--equivalence belongs"), (["--test-fraction", "3"], "fraction is 3")],
)
def test_options_that_do_not_apply_are_bad_usage(
    capsys: pytest.CaptureFixture[str], two: list[str], option: list[str], words: str
) -> None:
    assert main([*two, *option]) == 2
    assert words in capsys.readouterr().err


def test_one_experiment_is_sent_to_its_own_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "exp-001"]) == 1
    assert "For one experiment: python -m brainmri results exp-001" in capsys.readouterr().err
