from pathlib import Path

import pytest

from brainmri.dashboard.importing import import_arguments
from brainmri.errors import UsageError


def test_a_path_copied_with_quotation_marks_is_taken(tmp_path: Path) -> None:
    assert import_arguments(f' "{tmp_path}" ', "") == ["import", str(tmp_path), "--json"]


def test_the_table_of_labels_is_passed_on(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("")
    assert import_arguments(str(tmp_path), str(table))[2:4] == ["--labels", str(table)]


@pytest.mark.parametrize(
    ("folder", "labels", "message"),
    [("  ", "", "Name the folder"), ("/no/such", "", "no folder '/no/such'"), ("{here}", "/no.csv", "no table")],
)
def test_a_missing_path_is_named(tmp_path: Path, folder: str, labels: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        import_arguments(folder.format(here=tmp_path), labels)
