"""A study whose database is a PostgreSQL server: many write at once, and nothing is lost or done twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, text, update
from sqlalchemy.exc import SQLAlchemyError

from brainmri.people.audit import read_trail
from brainmri.people.roles import find_person, grant
from brainmri.study import Study, StudyInfo, open_study
from brainmri.training import run_queue
from brainmri.training.processes import own_identity
from tests.postgresql_server import PostgreSQL, program
from tests.teaching import test_reading as reading
from tests.training import test_many_workers as many_workers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    if program("initdb") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -r requirements-postgresql.txt")
    server = PostgreSQL()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def study(server: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """Return an empty study on the server."""
    monkeypatch.setenv("BRAINMRI_DATABASE_URL", server.new_database())
    study = open_study(tmp_path / "study")
    yield study
    study.engine.dispose()


def test_a_study_of_an_earlier_version_gets_the_columns_that_it_lacks(study: Study) -> None:
    with study.session() as session:
        session.execute(text("ALTER TABLE cases DROP COLUMN exclusion_reason"))
        session.execute(update(StudyInfo).values(schema_version=1))
    again = open_study(study.folder)
    assert "exclusion_reason" in {column["name"] for column in inspect(again.engine).get_columns("cases")}
    again.engine.dispose()


def test_the_audit_trail_refuses_to_be_changed(study: Study) -> None:
    grant(study, "Sato@h.example", ["reviewer", "reader"], by="test", name="Sato")
    found = find_person(study, "sato@h.example")
    assert found is not None and found.roles == ["reviewer", "reader"]
    rows = len(read_trail(study))
    for change in ("UPDATE audit_trail SET person = 'nobody'", "DELETE FROM audit_trail", "TRUNCATE audit_trail"):
        with pytest.raises(SQLAlchemyError, match="added to and never changed"), study.session() as session:
            session.execute(text(change))
    assert len(read_trail(study)) == rows > 0


def test_thirty_runs_are_claimed_once_each_by_eight_at_a_time(study: Study) -> None:
    experiment = many_workers.make_experiment(study, repeats=30, epochs=1)
    with ThreadPoolExecutor(8) as workers:
        claims = workers.map(lambda _: run_queue.claim_run(study, experiment, own_identity()), range(40))
        taken = [run.run_id for run in claims if run is not None]
    assert len(taken) == len(set(taken)) == 30


def test_twenty_readers_lose_no_answer(study: Study) -> None:
    reading.test_twenty_readers_at_once_lose_no_answer_and_none_counts_twice(study)


@pytest.mark.stress
def test_two_workers_do_thirty_runs_each_exactly_once(study: Study) -> None:
    many_workers.test_two_workers_do_thirty_runs_each_exactly_once(study)
