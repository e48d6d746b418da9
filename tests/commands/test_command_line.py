"""The command line: its JSON, its exit codes, its sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brainmri.__main__ import main
from brainmri.commands.parser import make_parser

ROOT = Path(__file__).resolve().parents[2]

PLANT_GROWTH = {
    "ctrl": (4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14),
    "trt1": (4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69),
    "trt2": (6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26),
}


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a command that must succeed, and parse all of its stdout as one JSON object."""
    assert main([*arguments, "--json"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


@pytest.fixture
def plant_growth(tmp_path: Path) -> Path:
    path = tmp_path / "plants.csv"
    lines = [f"{model},{i},{value}" for model, values in PLANT_GROWTH.items() for i, value in enumerate(values, 1)]
    path.write_text("\n".join(["model,repeat,accuracy", *lines]))
    return path


def test_compare_prints_the_numbers_of_r(capsys: pytest.CaptureFixture[str], plant_growth: Path) -> None:
    record = run_json(capsys, "compare", str(plant_growth))
    assert record["anova"] == {
        "F": pytest.approx(4.846087862380136, rel=1e-9),
        "df_between": 2,
        "df_within": 27,
        "p": pytest.approx(0.01590995832562281, rel=1e-6),
    }
    pair = next(one for one in record["tukey"] if {one["a"], one["b"]} == {"trt1", "trt2"})
    assert abs(pair["difference"]) == pytest.approx(0.865)
    assert sorted(map(abs, (pair["lower"], pair["upper"]))) == pytest.approx([0.1737839, 1.5562161], abs=1e-6)
    assert pair["p"] == pytest.approx(0.0120064, abs=1e-6)
    assert set(record["descriptive"]["ctrl"]) >= {"n", "median", "q1", "q3", "mean", "sd"}


def test_compare_prints_tables_for_people(capsys: pytest.CaptureFixture[str], plant_growth: Path) -> None:
    assert main(["compare", str(plant_growth)]) == 0
    assert "F(2, 27) = 4.846, p = 0.0159" in capsys.readouterr().out


def test_unknown_command_is_bad_usage() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["dance"])


def test_failure_is_a_sentence_on_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["results", "exp-001", "--study", str(tmp_path / "none"), "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("brainmri results: There is no study in ")
    assert not (tmp_path / "none").exists()


def test_a_table_that_is_not_there_is_explained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["compare", str(tmp_path / "no.csv")]) in (1, 2)
    assert "no.csv" in capsys.readouterr().err


def test_bad_training_setting_is_bad_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train", "--study", str(tmp_path), "--repeats", "0"]) == 2
    assert "'repeats' is 0; expected 1 or more" in capsys.readouterr().err


def test_architectures_may_be_listed_with_spaces_or_commas() -> None:
    from brainmri.commands.training import _settings

    for words in (["alexnet", "resnet50"], ["alexnet,resnet50"], ["AlexNet,", "ResNet50"]):
        options = make_parser().parse_args(["train", "--architectures", *words])
        assert _settings(options).architectures == ("alexnet", "resnet50")


def test_doctor_reports_versions_weights_database_and_disk(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    record = run_json(capsys, "doctor", "--study", str(tmp_path))
    assert all(record["libraries"].values()), "every required library is found under the name of its distribution"
    assert record["optional"]["ray"]["file"] == "requirements-cluster.txt"
    assert {one["architecture"] for one in record["weights"]} >= {"alexnet", "googlenet", "resnet50"}
    assert record["database"]["reachable"] is True
    assert record["free_disk_gb"] > 0


def test_doctor_tells_a_database_that_cannot_be_reached(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINMRI_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    record = run_json(capsys, "doctor", "--study", str(tmp_path))
    assert record["database"]["reachable"] is False
    assert "cannot be opened" in record["database"]["problem"]


def test_help_imports_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys\nfrom brainmri.commands.parser import make_parser\nmake_parser()\n"
        "print([name for name in ('torch', 'streamlit', 'SimpleITK', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_every_command_on_a_quick_demo(tmp_path: Path) -> None:
    """The whole path in processes of its own, as a user runs it."""

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "brainmri", *arguments, "--json"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "BRAINMRI_STUDY": str(tmp_path / "study")},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        record: dict[str, Any] = json.loads(done.stdout)
        return record

    demo = run("demo", "--quick")
    assert [run_["status"] for run_ in demo["runs"]] == ["finished"] * 3
    assert all(0 <= run_["accuracy"] <= 1 and run_["images_per_second"] > 0 for run_ in demo["runs"])
    dataset = run("dataset", "--size", "64")
    assert set(dataset["cases"]) == {"glioblastoma", "PCNSL", "meningioma"}
    trained = run(
        "train",
        "--architectures",
        "alexnet",
        "--repeats",
        "2",
        "--epochs",
        "1",
        "--weights",
        "scratch",
        "--split",
        "image",
    )
    assert len(trained["runs"]) == 2
    results = run("results", trained["experiment"])
    assert results["descriptive"]
    archive = next((tmp_path / "study-archive").iterdir())
    again = run("import", str(archive), "--labels", str(archive / "labels.csv"))
    assert again["cases"] == 0
    explained = run("explain", "--run", trained["runs"][0]["run"], "--sample", "0", "--out", str(tmp_path / "maps"))
    assert {Path(name).suffix for name in explained["files"]} == {".png", ".npy"}
    assert all(Path(name).stat().st_size > 0 for name in explained["files"])
