"""One case explained now, in a process beside the server: asked for, watched, stopped, tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st

from brainmri.dashboard.explanations.helper import CaseHelper, CaseJob, helper_of
from brainmri.dashboard.state import explain_errors, rerun_page
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.method_names import METHODS, QUICK_METHODS
from brainmri.study import Study

REFRESH_S: Final = 0.25

_DOING: Final = {
    "maps": "Asking the network where it looked …",
    "contributions": "Asking the network what each sequence contributed …",
}


@dataclass(frozen=True, kw_only=True)
class CaseWish:
    """What is wanted of a case, and not stored."""

    run_id: str
    case_id: str
    part: Literal["maps", "contributions"]
    """Also the place on the page: it has one job at a time."""
    method: str | None = None
    """Of maps; None: the usual one."""
    layer: str | None = None
    """Of maps; None: the usual one."""

    @property
    def slow(self) -> bool:
        """Return whether it takes a minute on a processor, and not a second or a few."""
        return self.method is not None and self.method not in QUICK_METHODS

    @property
    def name(self) -> str:
        """Return what it is, as a visitor reads it."""
        return METHODS[self.method].display_name if self.method else "Grad-CAM"


@dataclass(frozen=True, eq=False)
class _Asked:
    wish: CaseWish
    helper: CaseHelper
    job: CaseJob


def can_ask(study: Study, run_id: str) -> bool:
    """Return whether the network of a run is stored, so that it can be asked."""
    return take_inventory(study, run_id).network


def ask_for_case(study: Study, wish: CaseWish) -> None:
    """Ask for what is wanted, show how far that is, and draw the page again when it is stored.

    What was asked for at the same place before, and is not done, is stopped: its visitor went on. What takes a minute
    is asked for by a button.
    """
    with explain_errors():
        asked = _asked(wish.part)
        if asked is None or asked.wish != wish:
            _stop(asked)
            if wish.slow:
                _offer(study, wish)
                return
            asked = _ask(study, wish)
        if asked.job.ended.is_set():
            _show_end(study, asked)
        else:
            _watch(asked)


def prepare(study: Study, run_id: str) -> None:
    """Let the network of a run be read that is likely to be asked next."""
    with explain_errors():
        if can_ask(study, run_id):
            helper_of(study).prepare(run_id)


def _ask(study: Study, wish: CaseWish) -> _Asked:
    helper = helper_of(study, slow=wish.slow)
    job = helper.ask(wish.run_id, wish.case_id, [wish.part], method=wish.method, layer=wish.layer)
    asked = st.session_state[_key(wish.part)] = _Asked(wish, helper, job)
    return asked


def _offer(study: Study, wish: CaseWish) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Compute {wish.name} for this case", icon=":material/bolt:", key=f"ask-{wish.part}"):
            _ask(study, wish)
            st.rerun()
        st.caption("It passes each slice through the network some hundred times: a minute or so on a processor.")


def _watch(asked: _Asked) -> None:
    """Show how far a job is, again four times a second, and the whole page once when it ends."""

    @st.fragment(run_every=REFRESH_S)
    def watched() -> None:
        asked.helper.check(asked.job)
        if asked.job.ended.is_set():
            rerun_page()
        doing = asked.job.doing or _DOING[asked.wish.part]
        if not asked.wish.slow:
            st.caption(doing)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(asked.job.done, text=f"{doing} · {asked.job.done:.0%}")
            st.button(
                "Stop", icon=":material/stop_circle:", key=f"stop-{asked.wish.part}", on_click=_stop, args=(asked,)
            )

    watched()


def _show_end(study: Study, asked: _Asked) -> None:
    """Say how a job ended that left nothing to show, and offer to try again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if asked.job.status == "stopped":
            st.caption(f"{asked.wish.name} was stopped.", width="content")
        else:
            st.warning(asked.job.error or "What was computed is gone.", icon=":material/warning:")
        if st.button("Try again", icon=":material/refresh:", key=f"again-{asked.wish.part}"):
            _ask(study, asked.wish)
            st.rerun()


def _stop(asked: _Asked | None) -> None:
    if asked is not None:
        asked.helper.stop(asked.job)


def _asked(part: str) -> _Asked | None:
    found: _Asked | None = st.session_state.get(_key(part))
    return found


def _key(part: str) -> str:
    return f"case-job-{part}"
