"""The audit trail: rows are added, and never changed."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from brainmri.database import utc_now
from brainmri.people.audit import MAXIMUM_TEXT, note, read_trail
from brainmri.people.records import AuditEntry
from brainmri.study import Study


def test_the_newest_row_comes_first(study: Study) -> None:
    before = utc_now()
    note(study, "local", "start train", "exp-001", {"runs": 30})
    note(study, "a@b.example", "stop", "exp-001")
    newest, oldest = read_trail(study)
    assert (newest.person, newest.action, newest.subject, newest.detail) == ("a@b.example", "stop", "exp-001", {})
    assert oldest.detail == {"runs": 30}
    assert timedelta(0) <= newest.noted_at - before < timedelta(seconds=10)


def test_rows_are_found_by_person_and_by_action(study: Study) -> None:
    for number in range(3):
        note(study, "a" if number else "b", "stop" if number == 2 else "start", str(number))
    assert [one.subject for one in read_trail(study, person="a")] == ["2", "1"]
    assert [one.subject for one in read_trail(study, action="start")] == ["1", "0"]
    assert [one.subject for one in read_trail(study, limit=1)] == ["2"]


def test_long_words_are_cut(study: Study) -> None:
    entry = note(study, "local", "start", "", {"arguments": ["x" * 1000], "n": 3, "some": {"b", "a"}})
    assert entry.detail == {"arguments": ["x" * MAXIMUM_TEXT], "n": 3, "some": ["a", "b"]}


@pytest.mark.parametrize(
    "change",
    [
        update(AuditEntry).values(person="nobody"),
        delete(AuditEntry),
        text("UPDATE audit_trail SET action = 'nothing'"),
        text("DELETE FROM audit_trail WHERE id = 1"),
    ],
    ids=["update", "delete", "update in SQL", "delete in SQL"],
)
def test_the_database_refuses_to_change_a_row(study: Study, change: object) -> None:
    note(study, "local", "start train", "exp-001")
    with (
        pytest.raises((IntegrityError, SQLAlchemyError), match="added to and never changed"),
        study.session() as session,
    ):
        session.execute(change)
    assert [one.person for one in read_trail(study)] == ["local"]
