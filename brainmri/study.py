"""An open study: its folder and its database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

from brainmri.database import Base, complete_tables, open_engine, utc_now
from brainmri.errors import StudyError

SCHEMA_VERSION: Final = 3
"""Raised with every change of a table. A study of a lower version gets the columns that it lacks when it is opened."""

STUDY_VARIABLE: Final = "BRAINMRI_STUDY"
DATABASE_VARIABLE: Final = "BRAINMRI_DATABASE_URL"

_RECORD_MODULES: Final = (
    "brainmri.intake.records",
    "brainmri.imaging.records",
    "brainmri.training.records",
    "brainmri.review.records",
    "brainmri.teaching.records",
    "brainmri.people.records",
    "brainmri.tasks",
)
"""Modules that define tables; imported when a study opens, so that all tables exist."""


class StudyInfo(Base):
    """The one row that describes the study itself."""

    __tablename__ = "study_info"

    id: Mapped[int] = mapped_column(primary_key=True)
    schema_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Study:
    """A study folder and its database.

    Parameters
    ----------
    folder : Path
        The study folder.
    url : str, optional
        Database address; the default is ``study.db`` in the folder.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder.resolve()
        self.url = url or f"sqlite:///{(self.folder / 'study.db').as_posix()}"
        self.engine = open_engine(self.url)
        self._make_session = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that commits at the end of the block and rolls back on an error."""
        with self._make_session.begin() as session:
            yield session

    def case_folder(self, case_id: str) -> Path:
        """Return the folder of a case's volumes."""
        return self.folder / "cases" / case_id

    def dataset_folder(self, dataset_hash: str) -> Path:
        """Return the folder of a frozen data set."""
        return self.folder / "datasets" / dataset_hash

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of a run's checkpoint, maps and log."""
        return self.folder / "runs" / run_id

    def free_bytes(self) -> int:
        """Return the free space of the disk that holds the study, in bytes."""
        return shutil.disk_usage(self.folder).free


def default_folder() -> Path:
    """Return ``$BRAINMRI_STUDY``, or ``study/`` beside ``app.py``."""
    named = os.environ.get(STUDY_VARIABLE)
    return Path(named).expanduser() if named else Path(__file__).resolve().parent.parent / "study"


def open_study(folder: Path | None = None, *, create: bool = True) -> Study:
    """Open a study.

    Parameters
    ----------
    folder : Path, optional
        Default `default_folder`.
    create : bool
        Make the study where there is none yet.

    Raises
    ------
    StudyError
        Where there is no study and none is to be made, the folder cannot be made or written, the database cannot be
        reached, or a newer version of this software made it.
    """
    folder = folder or default_folder()
    if not create and not folder.is_dir():
        raise StudyError(f"There is no study in {folder}. Check --study, or make one with 'import' or 'demo'.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"The study folder {folder} cannot be made: {error.strerror}. Choose another one.") from error
    for module in _RECORD_MODULES:
        import_module(module)
    try:
        study = Study(folder, os.environ.get(DATABASE_VARIABLE))
        _prepare(study)
    except ModuleNotFoundError as error:
        raise StudyError(
            f"{DATABASE_VARIABLE} names a database whose driver '{error.name}' is not installed. "
            "For PostgreSQL: pip install -r requirements-postgresql.txt."
        ) from error
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StudyError(
            f"The database of the study {folder} cannot be opened: {reason}. "
            f"Check the folder's permissions and {DATABASE_VARIABLE}."
        ) from error
    return study


def _prepare(study: Study) -> None:
    """Make missing tables and columns, and refuse a database that a newer version made."""
    missing = set(Base.metadata.tables) - set(inspect(study.engine).get_table_names())
    if missing:
        complete_tables(study.engine)
    with study.session() as session:
        info = session.get(StudyInfo, 1)
        if info is None:
            session.merge(StudyInfo(id=1, schema_version=SCHEMA_VERSION))
            return
    if info.schema_version > SCHEMA_VERSION:
        raise StudyError(
            f"The study {study.folder} was made by a newer version of brainmri (tables of version "
            f"{info.schema_version}, this one reads {SCHEMA_VERSION}). Update brainmri to open it."
        )
    if info.schema_version < SCHEMA_VERSION:
        complete_tables(study.engine)
        with study.session() as session:
            session.execute(update(StudyInfo).values(schema_version=SCHEMA_VERSION))
