"""The page of reading sessions alone, with the frame of the dashboard."""

import streamlit as st

from brainmri.dashboard.frame import configure_page
from brainmri.dashboard.state import explain_errors

PAGES = [st.Page("../../pages/teaching.py", title="Teaching", url_path="teaching", default=True)]

configure_page()
page = st.navigation(PAGES)
with explain_errors():
    page.run()
