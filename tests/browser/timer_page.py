"""A page that takes its time, with a control that follows the address and a timer that draws the page again."""

import time

import streamlit as st

from brainmri.dashboard.state import address_noted, remember_choice, rerun_page

WORK_S = 0.3
CASES = [f"case-{number}" for number in range(20)]


@st.fragment(run_every=0.1)
def watch() -> None:
    """Draw the whole page once more for each case, as where a job ends that began with it."""
    again, begun = st.session_state.setdefault("again", set()), st.session_state.setdefault("begun", {})
    shown = st.session_state["shown"]
    if time.monotonic() - begun.setdefault(shown, time.monotonic()) > WORK_S and shown not in again:
        again.add(shown)
        rerun_page()
    st.caption(f"Drawn again for {len(again)} cases")


with address_noted():
    case = st.query_params.get("case", CASES[0])
    following = CASES[CASES.index(case) + 1]
    st.session_state["shown"] = st.session_state["pick"] = case
    st.title(case)
    st.markdown(f"Noted {st.query_params.get('noted')}")
    st.button("Next", on_click=remember_choice, kwargs={"case": following})
    watch()
    time.sleep(0.5)  # timers go on meanwhile, and send the address and what is drawn below as they were before
    st.selectbox("Pick", CASES, key="pick", on_change=lambda: remember_choice(case=st.session_state["pick"]))
    remember_choice(noted=case)
