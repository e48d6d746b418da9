"""The study folder and its database."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from brainmri.errors import StudyError
from brainmri.intake.records import Case
from brainmri.study import SCHEMA_VERSION, Study, StudyInfo, default_folder, open_study


def make_case(**values: object) -> Case:
    defaults: dict[str, object] = {
        "case_id": "case-0001",
        "source": "NIfTI",
        "content_digest": "0",
        "slices": 1,
        "rows": 1,
        "columns": 1,
        "spacing_mm": [1.0, 1.0, 1.0],
        "clinical": {},
    }
    return Case(**{**defaults, **values})


def test_opening_twice_keeps_what_is_there(study: Study) -> None:
    with study.session() as session:
        session.add(make_case())
    with open_study(study.folder).session() as session:
        assert session.get(Case, "case-0001") is not None


def test_a_block_that_fails_changes_nothing(study: Study) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), study.session() as session:
        session.add(make_case())
        raise RuntimeError("in the middle")
    with study.session() as session:
        assert session.get(Case, "case-0001") is None


def test_points_in_time_come_back_in_utc(study: Study) -> None:
    tokyo = datetime(2022, 3, 4, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    with study.session() as session:
        session.add(make_case(imported_at=tokyo))
    with study.session() as session:
        assert session.get_one(Case, "case-0001").imported_at == datetime(2022, 3, 4, 0, 30, tzinfo=UTC)


def test_a_reader_does_not_wait_for_a_writer(study: Study) -> None:
    with study.session() as writer:
        writer.add(make_case())
        writer.flush()
        with study.session() as reader:
            assert reader.get(Case, "case-0001") is None


def test_a_row_must_refer_to_something_that_exists(study: Study) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError, match="FOREIGN KEY"), study.session() as session:
        session.execute(
            text(
                'INSERT INTO regions (case_id, slice_index, "row", "column", size_px, source, created_at) '
                "VALUES ('nobody', 0, 0, 0, 1, 'mask', '2022-01-01')"
            )
        )


def test_a_study_of_a_newer_version_is_refused(study: Study) -> None:
    with study.session() as session:
        session.get_one(StudyInfo, 1).schema_version = SCHEMA_VERSION + 1
    with pytest.raises(StudyError, match=r"made by a newer version of brainmri .* Update brainmri"):
        open_study(study.folder)


def test_a_file_in_the_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("not a folder")
    with pytest.raises(StudyError, match=r"study folder .* cannot be made"):
        open_study(tmp_path / "study")


def test_a_database_that_is_none_is_explained(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(StudyError, match=r"database of the study .* cannot be opened: file is not a database"):
        open_study(tmp_path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql+nodriver://localhost/study", "cannot be opened: .*mysql"),
        ("not an address", "cannot be opened: Could not parse"),
    ],
)
def test_an_address_of_no_database_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, reason: str
) -> None:
    monkeypatch.setenv("BRAINMRI_DATABASE_URL", url)
    with pytest.raises(StudyError, match=reason):
        open_study(tmp_path)


def test_a_missing_database_driver_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRAINMRI_DATABASE_URL", "postgresql+psycopg://localhost/study")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StudyError, match=r"driver 'psycopg' is not installed.*requirements-postgresql"):
        open_study(tmp_path)


def test_reading_does_not_make_a_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="There is no study in"):
        open_study(tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRAINMRI_STUDY", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.delenv("BRAINMRI_STUDY")
    assert default_folder().name == "study"
