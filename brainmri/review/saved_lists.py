"""Filters of the worklist kept under a name, for everybody."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from brainmri.database import utc_now
from brainmri.errors import UsageError
from brainmri.review.filters import Filter
from brainmri.review.records import SavedList
from brainmri.study import Study

MAXIMUM_NAME: Final = 80
"""Characters of a list's name."""


def save_list(study: Study, name: str, chosen: Filter, author: str) -> None:
    """Keep a filter; one of the same name is replaced: the last writer wins.

    Raises
    ------
    UsageError
        Where the name is empty or too long.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAXIMUM_NAME:
        raise UsageError(f"The name of the list has {len(name)} characters; expected 1 to {MAXIMUM_NAME}.")
    with study.session() as session:
        session.merge(SavedList(name=name, filter=chosen.to_query(), author=author, changed_at=utc_now()))


def read_lists(study: Study) -> dict[str, Filter]:
    """Return the saved filters by name, in the order of the alphabet."""
    with study.session() as session:
        return {
            one.name: Filter.from_query(one.filter)
            for one in session.scalars(select(SavedList).order_by(SavedList.name))
        }


def delete_list(study: Study, name: str) -> None:
    """Remove a saved list; nothing happens where there is none."""
    with study.session() as session:
        session.execute(delete(SavedList).where(SavedList.name == name))
