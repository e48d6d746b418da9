"""The command export, from its arguments to its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from brainmri.__main__ import main
from brainmri.errors import TrainingError
from brainmri.study import Study
from brainmri.training import architecture_names
from brainmri.training.architecture_names import Architecture
from brainmri.training.export import exporting
from tests.training.export.finished_run import RUN, add_finished_run


@pytest.fixture
def finished(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study with a finished run of a tiny network."""
    entry = Architecture(
        name="tiny",
        display_name="Tiny",
        builder="tests.training.tiny_network:build",
        head="head",
        target_layers=("features.4", "features.1"),
        minimum_size_px=16,
        published_files=("tiny-00000000.pth",),
    )
    monkeypatch.setitem(architecture_names.ARCHITECTURES, "tiny", entry)
    return add_finished_run(study)


def export(study: Study, *arguments: str) -> int:
    return main(["export", RUN, "--study", str(study.folder), *arguments])


def test_onnx_comes_with_a_card_in_two_forms(
    finished: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(finished, "--format", "onnx", "--out", str(tmp_path / "out"), "--json") == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    names = [f"{RUN}-model-card.json", f"{RUN}-model-card.md", f"{RUN}.onnx"]
    assert (record["run"], record["format"]) == (RUN, "onnx")
    assert record["files"] == [str(tmp_path / "out" / name) for name in names]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == names
    assert record["checked"]["samples"] > 0
    assert 0 <= record["checked"]["largest_difference"] <= 1e-4
    card = json.loads((tmp_path / "out" / names[0]).read_text(encoding="utf-8"))
    assert card["file"]["checked"] == record["checked"]
    assert card["file"]["name"] == f"{RUN}.onnx"
    assert (tmp_path / "out" / names[1]).read_text(encoding="utf-8").startswith("# Model card: tiny, run exp-001-")


def test_safetensors_is_not_checked(finished: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(finished, "--format", "safetensors", "--out", str(tmp_path / "out"), "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["checked"] is None
    assert Path(record["files"][-1]).name == f"{RUN}.safetensors"


def test_people_read_the_files_and_the_difference(
    finished: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(finished, "--format", "onnx", "--out", str(tmp_path / "out")) == 0
    out = capsys.readouterr().out
    assert f"{RUN}.onnx\n" in out
    assert "test images: probabilities differ by at most" in out


def test_a_refused_export_leaves_nothing(
    finished: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise TrainingError("The file computes something else.")

    monkeypatch.setattr(exporting, "check_onnx", refuse)
    before = sorted(tmp_path.rglob("*"))
    assert export(finished, "--format", "onnx", "--out", str(tmp_path / "out"), "--json") == 1
    assert sorted(tmp_path.rglob("*")) == before
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "brainmri export: The file computes something else.\n"


def test_the_format_has_to_be_named() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["export", RUN])
