"""Files appear all together, or not at all."""

from __future__ import annotations

import pytest

from brainmri.errors import UsageError
from brainmri.training.export.staging import staged


def test_files_appear_at_the_end(tmp_path):
    with staged(tmp_path / "new" / "folder") as stage:
        (stage / "a.txt").write_text("1")
        (stage / "b.txt").write_text("2")
        assert not (tmp_path / "new").exists()
    assert {file.name: file.read_text() for file in (tmp_path / "new" / "folder").iterdir()} == {
        "a.txt": "1",
        "b.txt": "2",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="in between"), staged(tmp_path / "folder") as stage:
        (stage / "a.txt").write_text("1")
        raise RuntimeError("in between")
    assert list(tmp_path.iterdir()) == []


def test_what_else_lies_there_stays_and_the_same_is_replaced(tmp_path):
    (tmp_path / "other.txt").write_text("kept")
    (tmp_path / "a.txt").write_text("old")
    with staged(tmp_path) as stage:
        (stage / "a.txt").write_text("new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"other.txt": "kept", "a.txt": "new"}


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    expected = r"Nothing can be written to .*file: .* Choose another folder with --out"
    with pytest.raises(UsageError, match=expected), staged(tmp_path / "file"):
        raise AssertionError("not reached")
