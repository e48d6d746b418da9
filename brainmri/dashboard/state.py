"""What every page shares: the open study, the choice that the address carries, and errors in a sentence."""

from __future__ import annotations

import logging
import os
import runpy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from brainmri.errors import BrainMRIError
from brainmri.study import DATABASE_VARIABLE, Study, default_folder, open_study

PHANTOM_NOTICE: Final = (
    ":blue-badge[:material/science: Phantom data] :gray[Drawn by a computer: it shows how the software works, and "
    "nothing about patients.]"
)

_ADDRESS: Final = "page-address"
_ENTRY: Final = Path(__file__).resolve().parents[2] / "app.py"
_LOG = logging.getLogger(__name__)


def current_study() -> Study:
    """Return the study that ``$BRAINMRI_STUDY`` names, opened once for all visitors. A page calls it before it draws.

    Raises
    ------
    StudyError
        Where it cannot be opened.
    """
    _leave_legacy_pages()
    return _open(str(default_folder().resolve()), os.environ.get(DATABASE_VARIABLE))


@contextmanager
def explain_errors() -> Iterator[None]:
    """Show an error of the block as a sentence instead of a traceback.

    Works as a decorator too: a fragment that reruns alone is outside the block around its page.
    """
    try:
        yield
    except BrainMRIError as error:
        st.error(str(error), icon=":material/error:")
    except SQLAlchemyError as error:
        _LOG.exception("The database refused a page's request")
        reason = getattr(error, "orig", None) or type(error).__name__
        st.error(
            f"The study's database did not answer: {reason}. Check that the study folder is still there, that its "
            "disk is not full, and load the page again.",
            icon=":material/error:",
        )


def query_choice(name: str, options: Sequence[str], default: str | None = None) -> str | None:
    """Return the choice that the address carries (``?case=case-0001``) where it is one of the options.

    Parameters
    ----------
    name : str
        ``case``, ``run``, ``experiment`` or ``sample``.
    options : sequence of str
        What can be chosen.
    default : str, optional
        Where the address carries nothing, or something that is gone.
    """
    value = st.query_params.get(name)
    return value if value in options else default


def remember_choice(**choice: str | None) -> None:
    """Write choices into the address, so that a reload and a link show the same; None takes one out.

    What a timer brings is passed over, see `came_by_timer`.
    """
    if came_by_timer():
        return
    for name, value in choice.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def came_by_timer() -> bool:
    """Return whether a fragment alone runs, as one with a timer does again and again.

    The browser's message may be older than the page: while a page is drawn, its timers go on, and send the address and
    the controls as they were before. What the page had set in between then looks as if the visitor had set it back.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


@contextmanager
def address_noted() -> Iterator[None]:
    """Note the address as a run of the whole page leaves it, for `rerun_page`."""
    try:
        yield
    finally:
        if not came_by_timer():
            st.session_state[_ADDRESS] = _address()


def rerun_page() -> NoReturn:
    """Draw the whole page again, from a fragment with a timer, at the address that the page left; see `came_by_timer`.

    ``st.rerun`` alone would take the address that the browser sent.
    """
    left = st.session_state.get(_ADDRESS)
    if came_by_timer() and left is not None and left != _address():
        st.query_params.from_dict(left)
    st.rerun()


def show_phantom_notice() -> None:
    """Say that what the page shows are phantoms."""
    st.markdown(PHANTOM_NOTICE)


def _address() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _leave_legacy_pages() -> None:
    """Run ``app.py`` in place of the page where Streamlit has run the page alone.

    Until ``app.py`` has run once, Streamlit takes a folder named ``pages`` for its older kind of application: the first
    visitor of a fresh server who comes by a link to a page, or whose browser reconnects after a restart, would get
    that page without navigation, sidebar and width.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        runpy.run_path(str(_ENTRY), run_name="__main__")  # not st.rerun(), which would forget a pressed button
        st.stop()


def _still_there(study: Study) -> bool:
    """Return whether the study's folder and SQLite file still exist; a deleted study is opened afresh."""
    database = study.engine.url.database
    on_disk = study.engine.url.get_backend_name() != "sqlite" or (database is not None and Path(database).exists())
    return study.folder.is_dir() and on_disk


@st.cache_resource(show_spinner=False, validate=_still_there)
def _open(folder: str, url: str | None) -> Study:
    """Open a study; the address of the database is part of the cache's key only."""
    return open_study(Path(folder))
