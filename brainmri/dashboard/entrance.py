"""The way in: sign-in, waiting for a role, the instructor's key, and the lock of readers to the teaching page."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NoReturn

import streamlit as st
from streamlit.errors import StreamlitAuthError

from brainmri.dashboard import access
from brainmri.dashboard.access import Person
from brainmri.errors import StudyError
from brainmri.people.identity import CLAIM_VARIABLE
from brainmri.people.passphrase import KEY_HOLE, instructor_key

if TYPE_CHECKING:  # where Streamlit keeps the class may change
    from streamlit.navigation.page import Page

TEACHING: Final = "teaching"
"""Address of the page that readers see."""

_ENTERED: Final = "access-entered"
_TURNED_AWAY: Final = "access-turned-away"
_REFUSAL: Final = "access-sign-in-refused"
_CARD_WIDTH: Final = 640
_LIBRARIES: Final = {"Authlib": ("authlib",), "httpx": ("httpx", "httpx2")}
"""What Streamlit's sign-in needs, each with the names of modules of which one does; newer Authlib also takes httpx2."""
_CANNOT_SIGN_IN: Final = (
    "Nobody can sign in yet. Not installed on the computer that runs brainmri: {}. Run there "
    "`pip install -r requirements-signin.txt -c constraints.txt`, and start brainmri again."
)
_LINK: Final = ("code", "reader")
"""What the address of a reading session carries."""

_WAY_BACK: Final = """
export default function ({ data }) {
  if (data === 'keep') return sessionStorage.setItem('brainmri-asked-for', location.href);
  const asked = sessionStorage.getItem('brainmri-asked-for');
  sessionStorage.removeItem('brainmri-asked-for');
  if (asked && asked !== location.href) location.replace(asked);
}
"""


def open_pages(pages: Mapping[str, Sequence[Page]]) -> Page:
    """Return the page that the visitor gets; who may see none is stopped here, with what to do.

    Readers get the teaching page, whichever page the address names. All pages stay known, so that an address is
    answered in a sentence instead of being called unknown.

    Parameters
    ----------
    pages : mapping of str to sequence of Page
        All pages, by section.

    Raises
    ------
    StudyError
        Where the study cannot be opened, a setting of the sign-in or the key cannot be used, or the file that
        configures the sign-in cannot be read.
    """
    try:
        _refuse_broken_secrets()
        if access.sign_in_configured() and not st.user.get("is_logged_in"):
            page = st.navigation(pages, position="hidden")
            _ask_for_sign_in(page)
        _notice_link()
        person = access.current_person()
    except StudyError:
        st.navigation(pages, position="hidden")
        raise
    if not person.roles:
        st.navigation(pages, position="hidden")
        _show_waiting(person)
    page = _open_reader_pages(pages, person) if access.sees_teaching_only(person) else st.navigation(pages)
    if person.signed_in:
        with st.sidebar:  # its line does not move the page
            _way_back("go")
    return page


def _way_back(what: Literal["keep", "go"]) -> None:
    """Keep the address that was asked for, or go there once: Streamlit's way through the sign-in loses it.

    It waits in the tab of the browser. As ``location.href`` it names this server: a path alone could name another one.
    """
    st.components.v2.component("brainmri_way_back", js=_WAY_BACK)(key="way-back", data=what, height=1)


def show_key_field() -> None:
    """Offer the field for the instructor's key, where one is set and nobody signs in; once entered, to lock again."""
    if access.sign_in_configured() or access.is_reading() or instructor_key() is None:
        return
    if access.may("instructor"):
        st.button("Lock again", icon=":material/lock:", type="tertiary", on_click=access.lock_again)
        return
    with (
        st.expander("Instructor", icon=":material/key:"),
        st.form("instructor-key", border=False, clear_on_submit=True),
    ):
        text = st.text_input("Key", type="password", autocomplete="current-password")
        if not st.form_submit_button("Open all pages"):
            return
        if access.unlock(text):
            st.rerun()
        wait = KEY_HOLE.seconds_to_wait()
        st.error(f"Not taken. Try again in {wait:.0f} s." if wait >= 1 else "This is not the key.")


def _refuse_broken_secrets() -> None:
    """Show nothing where a file of secrets is there and cannot be read: Streamlit takes it for one that is not there.

    Without this, a slip in the file that configures the sign-in would open the study to everybody.
    """
    for name in st.get_option("secrets.files"):
        file = Path(str(name))
        try:
            if file.is_file():
                tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{file.name}, which configures the sign-in, cannot be read, so that nothing is shown: "
                f"{type(error).__name__}. Correct the file on the computer that runs brainmri."
            ) from error


def _notice_link() -> None:
    """Lock a browser session that begins with the link of a reading session, where everybody might see all pages."""
    if st.session_state.get(_ENTERED):
        return
    st.session_state[_ENTERED] = True
    if any(name in st.query_params for name in _LINK) and not access.sign_in_configured() and instructor_key() is None:
        access.came_by_link()


def _open_reader_pages(pages: Mapping[str, Sequence[Page]], person: Person) -> Page:
    """Return the teaching page, whichever one the address names."""
    page = st.navigation(pages, position="hidden")
    if person.signed_in or access.is_reading():
        st.set_page_config(initial_sidebar_state="collapsed")  # the images need the place
    if page.url_path != TEACHING:
        _lead_to_teaching(pages, page)
    if st.session_state.pop(_TURNED_AWAY, False):
        st.info("Only reading sessions are open to you here.", icon=":material/lock:")
    return page


def _lead_to_teaching(pages: Mapping[str, Sequence[Page]], asked: Page) -> NoReturn:
    teaching = next((one for section in pages.values() for one in section if one.url_path == TEACHING), None)
    if teaching is None:
        st.title("brainmri")
        st.info("Only reading sessions are open to you, and there are none here.", icon=":material/lock:")
        st.stop()
    st.session_state[_TURNED_AWAY] = asked.url_path != ""  # the address without a page is the front door
    st.switch_page(teaching, query_params={name: st.query_params[name] for name in _LINK if name in st.query_params})


def _ask_for_sign_in(asked: Page) -> NoReturn:
    """Ask for the sign-in that ``.streamlit/secrets.toml`` configures."""
    st.title("brainmri")
    with st.container(border=True, width=_CARD_WIDTH):
        st.subheader("Sign in to open this study", anchor=False)
        st.write("What you see then depends on the role that you have in it.")
        lacking = [name for name, modules in _LIBRARIES.items() if not any(map(find_spec, modules))]
        refusal = _CANNOT_SIGN_IN.format(", ".join(lacking)) if lacking else st.session_state.pop(_REFUSAL, None)
        if refusal:
            st.error(refusal, icon=":material/error:")
        st.button("Sign in", type="primary", icon=":material/login:", on_click=_sign_in, disabled=bool(lacking))
    if (asked.url_path or st.query_params) and not st.session_state.get(_ENTERED):  # not while signing out
        _way_back("keep")
    st.stop()


def _sign_in() -> None:
    try:
        st.login()
    except StreamlitAuthError as error:  # its text is wrapped for a file of source
        st.session_state[_REFUSAL] = f"Nobody can sign in here yet. {' '.join(str(error).split())}"


def _show_waiting(person: Person) -> NoReturn:
    """Say to somebody who signed in and has no role what they wait for, and whom to ask."""
    st.title("brainmri")
    with st.container(border=True, width=_CARD_WIDTH):
        if not person.subject:
            st.subheader("Your sign-in does not say who you are", anchor=False)
            st.write(
                "It names no e-mail address that the provider calls confirmed (`email_verified`). Ask whoever runs "
                f"this study to have your address confirmed, or to know people by `{CLAIM_VARIABLE}=sub`."
            )
        else:
            st.subheader("You are signed in, and have no role in this study yet", anchor=False)
            st.write(f"{access.ask_whom()} They need to know how the sign-in names you:")
            st.code(person.subject, language=None, wrap_lines=True)
            st.caption(
                "Roles are given on the computer that runs brainmri; in place of reader also instructor, reviewer or "
                "may-train:"
            )
            st.code(
                f"python -m brainmri people grant {shlex.quote(person.subject)} reader", language=None, wrap_lines=True
            )
        with st.container(horizontal=True):
            st.button("Look again", icon=":material/refresh:", type="primary", key="look-again")
            st.button("Sign out", icon=":material/logout:", on_click=st.logout)
    st.stop()
