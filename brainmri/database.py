"""The database behind a study: SQLAlchemy base class, column types and connections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Column, DateTime, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import JSON, TypeDecorator

BUSY_TIMEOUT_S = 30
"""How long a writer waits for another one before it gives up."""


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables. Each stage defines its own in its ``records`` module."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def open_engine(url: str) -> Engine:
    """Open the database.

    SQLite runs in write-ahead mode with short-lived connections, so that a page can read while a worker writes.

    Parameters
    ----------
    url : str
        SQLAlchemy address, ``sqlite:///…`` or ``postgresql+psycopg://…``.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def complete_tables(engine: Engine) -> None:
    """Make tables and columns that are missing, as in a study that an earlier version made.

    A column that was added to a table later can be null or has a default that the database knows (``server_default``).
    """
    Base.metadata.create_all(engine)
    for table, missing in _missing_columns(engine):
        for column in missing:
            definition = CreateColumn(column).compile(dialect=engine.dialect)
            try:
                with engine.begin() as connection:
                    connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {definition}"))
            except (OperationalError, ProgrammingError):
                if column.name in _column_names(engine, table):
                    continue  # another process added it at the same moment
                raise


def _missing_columns(engine: Engine) -> list[tuple[str, list[Column[Any]]]]:
    found = []
    for name, table in Base.metadata.tables.items():
        present = _column_names(engine, name)
        missing = [column for column in table.columns if column.name not in present]
        if missing:
            found.append((name, missing))
    return found


def _column_names(engine: Engine, table: str) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns(table)}
